"""Budget, token, retries, and what each failure of a call means."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any

import aiohttp
import pytest
from starlette.responses import Response

from engine import metrics
from engine.deadline import DEADLINE
from engine.ending import end
from engine.errors import (
    CursorExpired,
    MessageGone,
    OutcomeUnknown,
    ProviderError,
    RateLimited,
    Rejected,
    Unauthorized,
    Unavailable,
)
from engine.flow.ports import Ask, Token
from engine.metrics import CALLS
from engine.providers.zoom_mail import oauth
from engine.providers.zoom_mail.client import ZoomMailClient
from engine.providers.zoom_mail.oauth import api_root
from tests.providers.asgi import refused
from tests.providers.fakes import BOX, SECRET, Desk, MemoryBudget, Said, refusal

PROFILE = {"emailAddress": BOX, "historyId": "10"}
SENT = {"id": "m1", "threadId": "m1", "labelIds": ["SCHEDULED"]}
LOST = aiohttp.ServerDisconnectedError("the connection broke")
REFUSED = refused()

Call = Callable[[ZoomMailClient], Awaitable[Any]]
ONCE = [
    pytest.param("POST messages/send", lambda c: c.send(BOX, b"raw"), id="send"),
    pytest.param("POST drafts", lambda c: c.create_draft(BOX, b"raw"), id="draft"),
    pytest.param("POST messages", lambda c: c.insert(BOX, b"raw"), id="insert"),
]


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    metrics.take()
    yield
    metrics.take()


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_a_call_carries_the_token_and_is_charged_to_its_class(desk: Desk) -> None:
    desk.script.on("GET profile", PROFILE)
    assert (await desk.client.profile(BOX)).history == 10
    [asked] = desk.script.calls("GET profile")
    assert asked.headers["authorization"] == "Bearer token-1"
    assert desk.budget.taken == ["LIGHT"]


async def test_the_token_is_asked_for_once_and_kept(desk: Desk) -> None:
    desk.script.on("GET profile", PROFILE)
    await asyncio.gather(*(desk.client.profile(BOX) for _ in range(3)))
    await desk.client.profile(BOX)
    [asked] = desk.script.calls("POST /oauth/token")
    assert asked.body == b"grant_type=account_credentials&account_id=account"
    assert asked.headers["authorization"].startswith("Basic ")


async def test_a_token_of_another_worker_is_used(desk: Desk) -> None:
    desk.script.on("GET profile", PROFILE)
    desk.tokens.token = Token("theirs", desk.clock() + 3600)
    await desk.client.profile(BOX)
    assert desk.script.calls("GET profile")[0].headers["authorization"] == "Bearer theirs"
    assert not desk.script.calls("POST /oauth/token")


async def test_a_token_is_renewed_five_minutes_early(desk: Desk) -> None:
    desk.script.on("GET profile", PROFILE)
    await desk.client.profile(BOX)
    desk.clock.now += 3600 - 301
    await desk.client.profile(BOX)
    assert len(desk.script.calls("POST /oauth/token")) == 1
    desk.clock.now += 2
    await desk.client.profile(BOX)
    assert len(desk.script.calls("POST /oauth/token")) == 2


async def test_an_old_token_serves_while_the_token_endpoint_is_down(desk: Desk) -> None:
    desk.script.on("GET profile", PROFILE)
    desk.tokens.token = Token("old", desk.clock() + 100)
    desk.script.on("POST /oauth/token", 503)
    assert (await desk.client.profile(BOX)).history == 10
    desk.clock.now += 101
    with pytest.raises(Unavailable):
        await desk.client.profile(BOX)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(503, id="it is down"),
        pytest.param(refusal(429, retry_after="3600"), id="it asks to be left alone for an hour"),
    ],
)
async def test_a_token_endpoint_that_failed_is_not_asked_at_every_call(desk: Desk, answer: Said) -> None:
    desk.script.on("GET profile", PROFILE).on("POST /oauth/token", answer)
    desk.tokens.token = Token("old", desk.clock() + 200)
    for _ in range(3):
        await desk.client.profile(BOX)
    assert len(desk.script.calls("POST /oauth/token")) == 1
    desk.clock.now += oauth.EARLY_EVERY_S
    await desk.client.profile(BOX)
    assert len(desk.script.calls("POST /oauth/token")) == 2


async def test_a_token_endpoint_that_hangs_holds_no_call_up_while_the_old_token_serves(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(ask: Ask, stale: Token | None) -> Token:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(oauth, "EARLY_WITHIN_S", 0.01)
    monkeypatch.setattr(desk.tokens, "renew", hang)
    desk.script.on("GET profile", PROFILE)
    desk.tokens.token = Token("old", desk.clock() + 200)
    calls = asyncio.gather(*(desk.client.profile(BOX) for _ in range(20)))
    assert len(await asyncio.wait_for(calls, 5)) == 20


async def test_a_refused_token_is_renewed_once(desk: Desk) -> None:
    desk.tokens.token = Token("stale", desk.clock() + 3600)
    desk.script.on("POST messages/send", refusal(401, 124, "Invalid access token."), SENT)
    assert (await desk.client.send(BOX, b"raw")).id == "m1"
    tokens = [asked.headers["authorization"] for asked in desk.script.calls("POST messages/send")]
    assert tokens == ["Bearer stale", "Bearer token-1"]


async def test_a_token_refused_twice_is_unauthorized(desk: Desk) -> None:
    desk.script.on("GET profile", refusal(401, 124, "Invalid access token."))
    with pytest.raises(Unauthorized, match=r"124 Invalid access token.*rid=t1"):
        await desk.client.profile(BOX)
    assert len(desk.script.calls("GET profile")) == 2


@pytest.mark.parametrize("status", [400, 401, 403])
async def test_wrong_credentials_are_unauthorized(desk: Desk, status: int) -> None:
    told = Response(
        f'{{"reason":"Invalid client_id or client_secret {SECRET}","error":"invalid_client"}}', status
    )
    desk.script.on("POST /oauth/token", told)
    with pytest.raises(Unauthorized, match="invalid_client Invalid client_id") as caught:
        await desk.client.profile(BOX)
    assert SECRET not in f"{caught.value!r} {caught.value}"
    assert not desk.script.calls("GET profile")


@pytest.mark.parametrize(
    "said",
    [
        {"token_type": "bearer"},
        {"access_token": ""},
        {"access_token": "caf\u00e9\n"},
        Response("<html>"),
        Response("", 204),
    ],
)
async def test_a_token_answer_without_a_token_is_unavailable(desk: Desk, said: Any) -> None:
    desk.script.on("POST /oauth/token", said)
    with pytest.raises(Unavailable):
        await desk.client.profile(BOX)


@pytest.mark.parametrize(
    ("named", "base", "root"),
    [
        ("", "", "https://api.zoom.us/v2"),
        ("https://api-eu.zoom.us", "", "https://api-eu.zoom.us/v2"),
        ("https://api-eu.zoom.us/v2/", "", "https://api-eu.zoom.us/v2"),
        ("https://API-EU.zoom.us:443", "", "https://api-eu.zoom.us/v2"),
        ("http://127.0.0.1:9", "http://127.0.0.1:8080", "http://127.0.0.1:8080/v2"),
        ("https://evil.example", "http://127.0.0.1:8080/", "http://127.0.0.1:8080/v2"),
    ],
)
def test_the_region_that_the_token_names_is_called(named: str, base: str, root: str) -> None:
    assert api_root(named, base) == root


@pytest.mark.parametrize(
    "named",
    [
        "http://api.zoom.us",
        "https://evil.example",
        "https://zoom.us.evil.example",
        "https://notzoom.us",
        "https://api.zoom.us@evil.example",
        "https://user@api.zoom.us",
        "https://api.zoom.us:8443",
        "https://api.zoom.us:port",
        "https://[::1",
        "api.zoom.us",
    ],
)
async def test_no_token_goes_to_a_foreign_host(named: str) -> None:
    desk = Desk(base="")
    desk.script.on("POST /oauth/token", {"access_token": "t", "api_url": named})
    with pytest.raises(Rejected):
        api_root(named, "")
    with pytest.raises(Rejected):
        await desk.client.profile(BOX)
    assert desk.tokens.token is None


def counted() -> dict[tuple[str, ...], int]:
    """By operation, rate class and status, the calls since this was asked last."""
    return {series[1:]: by for series, by in metrics.take().counts.items() if series[0] == CALLS.name}


@pytest.mark.parametrize(
    ("answer", "status", "tries"),
    [
        pytest.param(PROFILE, "2xx", 1, id="it worked"),
        pytest.param(403, "4xx", 1, id="it was refused"),
        pytest.param(429, "429", 1, id="we were too fast"),
        pytest.param(503, "5xx", 3, id="the service is down"),
        pytest.param(LOST, "Unavailable", 3, id="no answer came"),
    ],
)
async def test_every_try_is_counted_by_what_came_of_it(
    desk: Desk, answer: Said, status: str, tries: int
) -> None:
    desk.script.on("GET profile", answer)
    with suppress(ProviderError):
        await desk.client.profile(BOX)
    assert counted() == {("profile", "LIGHT", status): tries}


async def test_a_send_counts_under_its_own_name_and_what_became_of_it(desk: Desk) -> None:
    desk.script.on("POST messages/send", 401, SENT, LOST)
    await desk.client.send(BOX, b"raw")
    with pytest.raises(OutcomeUnknown):
        await desk.client.send(BOX, b"raw")
    send = ("messages.send", "MEDIUM")
    assert counted() == {(*send, "4xx"): 1, (*send, "2xx"): 1, (*send, "OutcomeUnknown"): 1}


async def test_a_call_that_was_given_up_is_counted() -> None:
    asked = asyncio.Event()

    async def hang(*_: object) -> None:
        asked.set()
        await asyncio.Event().wait()

    desk = Desk(app=hang)
    desk.tokens.token = Token("ours", desk.clock() + 3600)
    call = asyncio.create_task(desk.client.profile(BOX))
    await asked.wait()
    await end(call)
    assert counted() == {("profile", "LIGHT", "cancelled"): 1}


async def test_short_waits_for_budget_are_slept(desk: Desk) -> None:
    desk.budget.waits = [0.3, 0.6]
    desk.script.on("GET profile", PROFILE)
    await desk.client.profile(BOX)
    assert desk.clock.slept == [0.3, 0.6]


async def test_standing_in_line_again_and_again_comes_to_an_end(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def crowded(rate_class: str, who: str = "") -> float:
        desk.clock.now += 1.0
        return 0.01

    monkeypatch.setattr(desk.budget, "take", crowded)
    began = desk.clock()
    with pytest.raises(RateLimited):
        await desk.client.send(BOX, b"raw")
    assert desk.clock() - began < 15


async def test_long_waits_for_budget_are_the_callers(desk: Desk) -> None:
    desk.budget.waits = [0.6, 0.6]
    with pytest.raises(RateLimited) as caught:
        await desk.client.profile(BOX)
    assert caught.value.until == pytest.approx(desk.clock() + 0.6)
    assert not desk.script.calls("GET profile")
    assert counted() == {}


async def test_a_429_pauses_its_class_for_all(desk: Desk) -> None:
    desk.script.on("GET messages", refusal(429, message="Slow down.", retry_after="30"))
    with pytest.raises(RateLimited, match=r"429 Slow down.*rid=t1") as caught:
        await desk.client.list_messages(BOX)
    assert caught.value.until == desk.clock() + 30
    assert desk.budget.paused == {"MEDIUM": desk.clock() + 30}
    assert len(desk.script.calls("GET messages")) == 1


async def test_a_503_that_names_a_time_pauses_nobody_else(desk: Desk) -> None:
    desk.script.on("GET profile", refusal(503, retry_after="30"))
    with pytest.raises(RateLimited):
        await desk.client.profile(BOX)
    assert desk.budget.paused == {}


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(503, id="a 503"),
        pytest.param(502, id="a gateway's 502"),
        pytest.param(LOST, id="a connection that breaks"),
        pytest.param(REFUSED, id="a host that is down"),
        pytest.param(Response('{"emailAddress": "su', 200), id="an answer that is cut off"),
    ],
)
async def test_what_is_idempotent_is_tried_three_times(desk: Desk, trouble: Any) -> None:
    desk.script.on("GET profile", trouble, trouble, PROFILE)
    assert (await desk.client.profile(BOX)).history == 10
    assert len(desk.clock.slept) == 2
    desk.script.on("GET profile", trouble)
    with pytest.raises(Unavailable):
        await desk.client.profile(BOX)
    assert len(desk.script.calls("GET profile")) == 6
    assert desk.budget.taken == ["LIGHT"] * 6
    assert max(desk.clock.slept) <= 2.0


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        pytest.param(LOST, OutcomeUnknown, id="lost on the way"),
        pytest.param(500, OutcomeUnknown, id="a 500"),
        pytest.param(503, OutcomeUnknown, id="a 503"),
        pytest.param(refusal(503, retry_after="5"), OutcomeUnknown, id="a 503 that names a time"),
        pytest.param(Response('{"id": "m', 200), OutcomeUnknown, id="an answer that is cut off"),
        pytest.param(Response("{}", 200), OutcomeUnknown, id="an answer without an id"),
        pytest.param(REFUSED, Unavailable, id="never sent"),
        pytest.param(400, Rejected, id="a 400"),
        pytest.param(429, RateLimited, id="a 429"),
    ],
)
@pytest.mark.parametrize(("path", "call"), ONCE)
async def test_what_is_not_idempotent_is_tried_once(
    desk: Desk, path: str, call: Call, trouble: Any, kind: type[ProviderError]
) -> None:
    desk.script.on(path, trouble)
    with pytest.raises(ProviderError) as caught:
        await call(desk.client)
    assert type(caught.value) is kind
    assert len(desk.script.calls(path)) == 1
    assert not desk.clock.slept


@pytest.mark.parametrize(("path", "call"), ONCE)
async def test_nothing_was_sent_while_no_token_is_to_be_had(desk: Desk, path: str, call: Call) -> None:
    desk.script.on("POST /oauth/token", LOST)
    with pytest.raises(Unavailable):
        await call(desk.client)
    assert not desk.script.calls(path)


async def test_a_call_that_must_not_be_repeated_ends_in_time(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.providers.zoom_mail.caller.ONCE_WITHIN_S", 0.02)

    async def hang(_budget: MemoryBudget, _rate: str, _who: str) -> float:
        await asyncio.Event().wait()
        return 0.0

    monkeypatch.setattr(MemoryBudget, "take", hang)
    with pytest.raises(OutcomeUnknown):
        await desk.client.send(BOX, b"raw")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        pytest.param(404, MessageGone, id="a message that is no longer there"),
        pytest.param(refusal(404, 1001, "User does not exist."), Rejected, id="a mailbox that is not there"),
        pytest.param(refusal(400, 4711, "Scopes missing."), Unauthorized, id="missing scopes"),
        pytest.param(refusal(400, 200, "No permission."), Unauthorized, id="a missing permission"),
        pytest.param(refusal(400, 300, "Validation Failed."), Rejected, id="a wrong call"),
        pytest.param(403, Rejected, id="a 403"),
        pytest.param(Response("<html>not found</html>", 404), MessageGone, id="a 404 that is no JSON"),
        pytest.param(
            Response("", 302, headers={"Location": "https://evil.example"}), Rejected, id="a redirect"
        ),
    ],
)
async def test_zooms_own_code_speaks_where_the_status_says_less(
    desk: Desk, answer: Any, kind: type[ProviderError]
) -> None:
    desk.script.on("GET messages/m1", answer)
    with pytest.raises(ProviderError) as caught:
        await desk.client.message(BOX, "m1", "full")
    assert type(caught.value) is kind


async def test_nothing_begins_after_the_deadline_and_nothing_is_repeated(desk: Desk) -> None:
    desk.script.on("GET profile", 503).on("POST messages/send", SENT)
    token = DEADLINE.set(desk.clock() + 60)
    try:
        desk.clock.now += 61
        with pytest.raises(Unavailable):
            await desk.client.profile(BOX)
        assert len(desk.script.calls("GET profile")) == 1
        DEADLINE.set(time.time() - 1)
        for call in (desk.client.profile(BOX), desk.client.send(BOX, b"raw")):
            with pytest.raises(Unavailable, match="deadline"):
                await call
    finally:
        DEADLINE.reset(token)
    assert len(desk.script.calls("GET profile")) == 1
    assert not desk.script.calls("POST messages/send")
    assert not desk.clock.slept


async def test_an_expired_cursor_is_told_from_a_missing_mailbox(desk: Desk) -> None:
    desk.script.on("GET history", 404, refusal(404, 1001, "User does not exist."))
    with pytest.raises(CursorExpired):
        await desk.client.history(BOX, 1)
    with pytest.raises(Rejected):
        await desk.client.history(BOX, 1)


@pytest.mark.parametrize("key", ["", ".", ".."])
async def test_an_id_that_climbs_the_path_is_refused(desk: Desk, key: str) -> None:
    with pytest.raises(Rejected):
        await desk.client.delete(BOX, key)
    with pytest.raises(Rejected):
        await desk.client.message(key, "m1", "full")


async def test_what_cannot_be_written_is_rejected(desk: Desk) -> None:
    with pytest.raises(Rejected):
        await desk.client.create_label(BOX, "half a pair \ud800")
    with pytest.raises(Rejected):
        await desk.client.list_messages(BOX, query="\ud800")


async def test_an_id_cannot_leave_its_place_in_the_path(desk: Desk) -> None:
    with pytest.raises(MessageGone):
        await desk.client.message(BOX, "m1/../../x?y#z", "full")
    assert desk.script.asked[-1].raw_path.endswith(b"/messages/m1%2F..%2F..%2Fx%3Fy%23z")
    assert desk.script.asked[-1].query["format"] == "full"


async def test_no_secret_shows_in_errors_or_logs(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    echo = f"Invalid token-1, {SECRET}, Bearer token-1, client_secret={SECRET}"
    answers: list[Said] = [
        *(refusal(status, message=echo) for status in (400, 401, 403, 404, 409, 429, 500, 503)),
        Response(f'{{"id": 1, "x": "{echo}', 200),
        aiohttp.ServerDisconnectedError(echo),
        refused(echo),
    ]
    for answer in answers:
        desk.script.on("GET profile", answer).on("POST messages/send", answer)
        for call in (lambda: desk.client.profile(BOX), lambda: desk.client.send(BOX, b"raw")):
            with pytest.raises(ProviderError) as caught:
                await call()
            seen = f"{caught.value!r}{caught.value}{caught.value.__dict__}"
            seen += f"{caught.value.__cause__!r}{caught.value.__context__!r}"
            assert SECRET not in seen
            assert "token-1" not in seen
    logged = "".join(record.getMessage() + str(record.exc_info or "") for record in caplog.records)
    assert SECRET not in logged
    assert "token-1" not in logged
