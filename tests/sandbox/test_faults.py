"""Faults: scripted one by one, or by share, and told as the service tells them."""

from __future__ import annotations

from collections import Counter
from typing import Any, get_args

import httpx
import pytest

from engine.sandbox.faults import FORMS, PRESETS, USUAL, Faults, Kind, Share
from tests.sandbox.driving import Driver, encoded, mail

GRANT = {"grant_type": "account_credentials", "account_id": "sandbox"}
GOOD = ("sandbox", "sandbox")
NOW = 1_700_000_000.25
MAIL = {"raw": encoded(mail(to="out@else.example"))}


async def fail(driver: Driver, **fault: Any) -> None:
    await driver.control("faults", [{"operation": "*"} | fault])


async def shown(driver: Driver) -> dict[str, int]:
    return dict((await driver.look("faults"))["shown"])


async def test_a_fault_shows_as_often_as_asked(driver: Driver) -> None:
    asked = [{"operation": "list_emails", "status": 503, "times": 2}]
    assert await driver.control("faults", asked) == {"waiting": 2}
    statuses = [(await driver.call("GET", path)).status_code for path in ("/messages", "/profile") * 3]
    assert statuses == [503, 200, 503, 200, 200, 200]
    assert await shown(driver) == {"503": 2}


async def test_faults_are_shown_in_the_order_asked_for(driver: Driver) -> None:
    await driver.control("faults", {"faults": [{"operation": "*", "status": 500}]})
    await driver.control("faults", {"operation": "list_emails", "status": 503})
    statuses = [(await driver.call("GET", "/messages")).status_code for _ in range(3)]
    assert statuses == [500, 503, 200]


async def test_what_waits_can_be_seen(driver: Driver) -> None:
    await fail(driver, kind="503", times=2)
    await driver.control("faults", {"operation": "token", "share": 0.5, "seed": 3, "kinds": ["500"]})
    seen = await driver.look("faults")
    assert seen["waiting"] == [{"operation": "*", "kind": "503", "status": 503, "times": 2}]
    assert [(share["operation"], share["share"]) for share in seen["shares"]] == [("token", 0.5)]


async def test_a_fault_may_name_when_to_come_back(driver: Driver) -> None:
    await fail(driver, status=429, retry_after="7")
    response = await driver.call("GET", "/messages")
    assert (response.status_code, response.headers["Retry-After"]) == (429, "7")
    assert "X-RateLimit-Type" not in response.headers


@pytest.mark.parametrize(
    ("fault", "headers"),
    [
        pytest.param({"form": "seconds"}, {"Retry-After": "5"}, id="in seconds"),
        pytest.param(
            {"form": "date"}, {"Retry-After": "Tue, 14 Nov 2023 22:13:25 GMT"}, id="as an HTTP date"
        ),
        pytest.param({"form": "iso"}, {"Retry-After": "2023-11-14T22:13:25Z"}, id="as a date-time"),
        pytest.param({"form": "reset"}, {"X-RateLimit-Reset": "1700000005"}, id="as the limit's reset"),
        pytest.param({"form": "none"}, {}, id="not at all"),
        pytest.param({}, {"X-RateLimit-Reset": "1700000005"}, id="as Zoom does by default"),
    ],
)
@pytest.mark.parametrize("kind", ["429", "503"])
async def test_when_to_come_back_is_told(
    driver: Driver, kind: str, fault: dict[str, str], headers: dict[str, str]
) -> None:
    driver.sandbox.store.clock = lambda: NOW
    driver.sandbox.store.db.execute("UPDATE tokens SET expires = ?", (NOW + 60,))
    await fail(driver, kind=kind, wait=5, **fault)
    response = await driver.call("GET", "/messages")
    told = {
        name: response.headers[name]
        for name in ("Retry-After", "X-RateLimit-Reset")
        if name in response.headers
    }
    assert response.status_code == int(kind)
    assert told == (headers if fault or kind == "429" else {})


@pytest.mark.parametrize(
    ("kind", "path", "told"),
    [
        pytest.param("429", "/messages", ("Medium", "QPS", "60", "0"), id="of a second"),
        pytest.param("429", "/profile", ("Light", "QPS", "80", "0"), id="of a second, light"),
        pytest.param("429-daily", "/messages", ("Medium", "Daily-limit", "60000", "0"), id="of a day"),
    ],
)
async def test_a_limit_is_told_as_zoom_tells_it(
    driver: Driver, kind: str, path: str, told: tuple[str, ...]
) -> None:
    await fail(driver, kind=kind)
    response = await driver.call("GET", path)
    names = ("Category", "Type", "Limit", "Remaining")
    assert tuple(response.headers[f"X-RateLimit-{name}"] for name in names) == told
    assert ("Retry-After" in response.headers) is (kind == "429-daily")


async def test_a_fault_of_the_token_endpoint_has_its_shape(driver: Driver) -> None:
    await driver.control("faults", [{"operation": "token", "status": status} for status in (503, 400, 429)])
    answers = [await driver.http.post("/oauth/token", data=GRANT, auth=GOOD) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 400, 429]
    assert [answer.json()["error"] for answer in answers] == [
        "server_error",
        "invalid_request",
        "invalid_request",
    ]


@pytest.mark.parametrize(
    ("fault", "error", "done"),
    [
        pytest.param({"drop_after": True}, httpx.ReadError, 1, id="a dropped answer comes after the deed"),
        pytest.param({"kind": "lost"}, httpx.ReadError, 1, id="and so does a lost one"),
        pytest.param({"kind": "silent"}, httpx.ReadTimeout, 1, id="and one that never comes"),
        pytest.param({"kind": "cut"}, httpx.RemoteProtocolError, 1, id="and one that is cut off"),
        pytest.param({"kind": "refused"}, httpx.ReadError, 0, id="a refused connection leaves no deed"),
    ],
)
async def test_a_connection_ends(
    driver: Driver, fault: dict[str, Any], error: type[Exception], done: int
) -> None:
    await fail(driver, **fault)
    with pytest.raises(error):
        await driver.post("/messages/send", MAIL)
    assert len((await driver.look("outbox"))["messages"]) == done


async def test_an_answer_without_a_body_is_lost_instead_of_cut(driver: Driver) -> None:
    id_ = await driver.deliver(mail())
    await fail(driver, kind="cut")
    with pytest.raises(httpx.ReadError):
        await driver.call("DELETE", f"/messages/{id_}")
    assert (await driver.call("GET", f"/messages/{id_}")).status_code == 404


async def test_a_refusal_can_be_lost_too(driver: Driver) -> None:
    await fail(driver, kind="lost")
    with pytest.raises(httpx.ReadError):
        await driver.call("GET", "/messages/nothing")


@pytest.mark.parametrize("name", ["delay", "delay_after"])
async def test_a_delay_only_delays(driver: Driver, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr("engine.sandbox.misbehaving.asyncio.sleep", sleep)
    await fail(driver, **{name: 30})
    await driver.get("/messages")
    assert sorted(waits) == [0, 30]
    assert await shown(driver) == {"slow": 1}


async def test_tokens_can_be_revoked_by_a_fault(driver: Driver) -> None:
    await fail(driver, kind="401")
    assert (await driver.call("GET", "/messages")).json()["code"] == 124
    await driver.get("/messages")
    await fail(driver, kind="revoked")
    statuses = [(await driver.call("GET", "/messages")).status_code for _ in range(2)]
    assert statuses == [401, 401]


async def test_history_can_expire_by_a_fault(driver: Driver) -> None:
    start = await driver.cursor()
    await driver.control("faults", [{"operation": "list_mailbox_history", "kind": "expired"}])
    await driver.deliver(mail())
    assert (await driver.call("GET", f"/history?startHistoryId={start}")).status_code == 404
    assert (await driver.call("GET", f"/history?startHistoryId={start}")).status_code == 404
    await driver.history(await driver.cursor())


async def test_an_empty_list_clears_the_faults(driver: Driver) -> None:
    await fail(driver, status=500, times=9)
    await driver.control("faults", {"operation": "*", "share": 1, "kinds": ["500"]})
    assert await driver.control("faults", []) == {"waiting": 0}
    await driver.get("/messages")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("500", id="no list"),
        pytest.param([500], id="no fault"),
        pytest.param([{"status": 500}], id="no operation"),
        pytest.param([{"operation": "send_mail"}], id="an operation that there is not"),
        pytest.param([{"operation": "*", "status": "500"}], id="a status as text"),
        pytest.param([{"operation": "*", "status": 200}], id="a status of success"),
        pytest.param([{"operation": "*", "explode": True}], id="an unknown field"),
        pytest.param([{"operation": "*", "kind": "flood"}], id="an unknown kind"),
        pytest.param([{"operation": "*", "kind": ["500"]}], id="a kind that is none"),
        pytest.param([{"operation": "*", "times": 0}], id="no times"),
        pytest.param([{"operation": "*", "retry_after": "1\r\nX: y"}], id="a header with a line break"),
        pytest.param([{"operation": "*", "share": 1.5}], id="more than all"),
        pytest.param([{"operation": "*", "share": 0.5, "kinds": []}], id="a share of no kinds"),
        pytest.param([{"operation": "*", "share": 0.5, "times": 2}], id="a share with a script's field"),
    ],
)
async def test_a_wrong_fault_is_refused(driver: Driver, body: object) -> None:
    response = await driver.http.post("/_sandbox/faults", json=body)
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"]


@pytest.mark.parametrize(
    "body", ['{"operation": "*", "delay": Infinity}', '{"operation": "*", "delay": NaN}']
)
async def test_a_delay_without_end_is_refused(driver: Driver, body: str) -> None:
    assert (await driver.http.post("/_sandbox/faults", content=body)).status_code == 400


async def test_a_share_of_the_calls_fails_by_kind(driver: Driver) -> None:
    share = {"operation": "*", "share": 0.3, "seed": 7, "kinds": ["500", "503", "401"]}
    await driver.control("faults", share)
    statuses = Counter([(await driver.call("GET", "/profile")).status_code for _ in range(200)])
    assert 40 <= 200 - statuses[200] <= 80
    assert await shown(driver) == {str(status): n for status, n in statuses.items() if status != 200}
    await driver.control("faults", share | {"share": 0})
    assert [(await driver.call("GET", "/profile")).status_code for _ in range(20)] == [200] * 20


async def test_a_share_of_one_operation_goes_before_that_of_all(driver: Driver) -> None:
    await driver.control("faults", [{"operation": "*", "share": 1, "kinds": ["500"]}])
    await driver.control("faults", [{"operation": "list_emails", "share": 0}])
    statuses = [(await driver.call("GET", path)).status_code for path in ("/messages", "/profile")]
    assert statuses == [200, 500]


async def test_a_script_goes_before_a_share(driver: Driver) -> None:
    await driver.control("faults", [{"operation": "*", "share": 1, "kinds": ["500"]}])
    await fail(driver, status=503)
    statuses = [(await driver.call("GET", "/profile")).status_code for _ in range(2)]
    assert statuses == [503, 500]


async def test_a_reset_ends_all_faults(driver: Driver) -> None:
    await fail(driver, status=503)
    await driver.control("faults", [{"operation": "*", "share": 1, "kinds": ["500"]}])
    await driver.control("reset")
    assert await driver.look("faults") == {"waiting": [], "shares": [], "shown": {}}


def drawn(operation: str = "list_emails", number: int = 400, **share: Any) -> list[Any]:
    faults = Faults()
    faults.add([Share(operation="*", share=share.pop("share", 1), **share)])
    return [faults.take(operation) for _ in range(number)]


def test_a_seed_draws_the_same_faults_again() -> None:
    assert drawn(seed=7, share=0.5) == drawn(seed=7, share=0.5) != drawn(seed=8, share=0.5)


def test_waits_are_drawn_in_every_form_and_none_too_long() -> None:
    faults = drawn(kinds=["429"], longest_wait=0.5)
    assert {fault.form for fault in faults} == set(FORMS)
    assert 0.4 < max(fault.wait for fault in faults) <= 0.5
    slow = drawn(kinds=["slow"], longest_wait=0.5)
    assert all(0 < fault.delay + fault.delay_after <= 0.5 for fault in slow)
    assert {fault.delay == 0 for fault in slow} == {True, False}


def test_every_kind_can_be_drawn_where_it_makes_sense() -> None:
    every: list[Kind] = list(get_args(Kind))
    assert set(every) == set(PRESETS)
    assert set(USUAL) < set(every)
    reading = {fault.name for fault in drawn("list_mailbox_history", kinds=every)}
    assert reading == set(every)
    assert {fault.name for fault in drawn("list_emails", kinds=every)} == set(every) - {"expired"}
    assert {fault.name for fault in drawn("token", kinds=every)} == set(every) - {"expired", "401", "revoked"}
    assert set(drawn("token", kinds=["401"])) == {None}
