"""Webhooks: signed as Zoom signs, retried as Zoom retries, never lost."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from engine.sandbox.webhooks import sign
from tests.sandbox.driving import ANN, BOB, drive, encoded, mail
from tests.sandbox.receiving import SECRET, URL, Receiver, settle, subscribed
from tests.waiting import wait_for


@pytest.mark.parametrize(
    ("timestamp", "body", "signature"),
    [
        pytest.param(
            "1732336290",
            b'{"event":"mail.history_event","event_ts":1732336289348,"payload":{"account_id":"acct-1",'
            b'"operator":"jchill@example.com","object":{"email":"jchill@example.com","history_id":347658}}}',
            "v0=06b8e4c168ba9079e8635d71d2042e5372d12fd7071fc27697642ed64838b972",
            id="a history event",
        ),
        pytest.param(
            "1732336290",
            '{ "event": "mail.history_event",\n  "note": "caf\u00e9 \u2014 \\u00e9" }'.encode(),
            "v0=f853d75fe55275b3b22f25697baad8b2b628c3c630056b9f3a2ffebd37be6e9f",
            id="a body that does not survive being written anew",
        ),
        pytest.param(
            "1654503849",
            b'{"payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"},"event_ts":1654503849680,'
            b'"event":"endpoint.url_validation"}',
            "v0=64a63752ebeb4b0412c2f85dc0e3a06dbb1f10e54a065e880bd7c27713b7aa5b",
            id="a validation",
        ),
    ],
)
def test_signatures_are_zooms(timestamp: str, body: bytes, signature: str) -> None:
    assert sign(SECRET, timestamp, body) == signature


async def test_a_change_rings_with_its_history_id() -> None:
    receiver = Receiver()
    with subscribed(receiver) as driver:
        await driver.deliver(mail())
        await settle(driver)
        (event,) = receiver.events
        newest = int(await driver.cursor())
        assert event["event"] == "mail.history_event"
        assert event["payload"] == {
            "account_id": "sandbox",
            "operator": ANN,
            "object": {"email": ANN, "history_id": newest},
        }
        request = receiver.requests[0]
        timestamp = request.headers["x-zm-request-timestamp"]
        assert abs(event["event_ts"] // 1000 - int(timestamp)) <= 1
        assert request.headers["x-zm-signature"] == sign(SECRET, timestamp, request.content)
        assert request.headers["user-agent"] == "Zoom Marketplace/1.0a"


async def test_changes_of_one_turn_ring_once_per_mailbox() -> None:
    receiver = Receiver()
    with subscribed(receiver) as driver:
        ids = [await driver.deliver(mail()) for _ in range(5)]
        await settle(driver)
        receiver.requests.clear()
        await driver.post("/messages/batchModify", {"ids": ids, "addLabelIds": ["STARRED"]})
        await settle(driver)
        (event,) = receiver.events
        assert event["payload"]["object"]["history_id"] == int(await driver.cursor())


async def test_a_send_rings_at_both_ends() -> None:
    receiver = Receiver()
    with subscribed(receiver) as driver:
        raw = mail(to=BOB)
        await driver.post("/messages/send", {"raw": encoded(raw)})
        await settle(driver)
        assert {event["payload"]["object"]["email"] for event in receiver.events} == {ANN, BOB}


async def test_what_changes_no_message_does_not_ring() -> None:
    receiver = Receiver()
    with subscribed(receiver) as driver:
        await driver.post("/labels", {"name": "orders", "parentId": ""})
        response = await driver.call("POST", "/messages/x/modify", json={"addLabelIds": ["INBOX"]})
        assert response.status_code == 404
        await driver.deliver(mail(), BOB)
        await settle(driver)
        assert [event["payload"]["object"]["email"] for event in receiver.events] == [BOB]


@pytest.mark.parametrize(
    ("statuses", "tries", "state"),
    [
        pytest.param([200], 1, {"delivered": 1}, id="200 is done"),
        pytest.param([204], 1, {"delivered": 1}, id="204 is done"),
        pytest.param([503, 500, 200], 3, {"delivered": 1}, id="5xx is tried again"),
        pytest.param([0, 200], 2, {"delivered": 1}, id="a lost connection is tried again"),
        pytest.param([400], 1, {"refused": 1}, id="400 is lost"),
        pytest.param([429], 1, {"refused": 1}, id="429 is lost"),
        pytest.param([307], 1, {"refused": 1}, id="a redirect is lost"),
        pytest.param([500] * 9, 4, {"given_up": 1}, id="three retries, never more"),
    ],
)
async def test_retries_follow_zooms_rule(statuses: list[int], tries: int, state: dict[str, int]) -> None:
    receiver = Receiver(*statuses)
    with subscribed(receiver) as driver:
        await driver.deliver(mail())
        settled = await settle(driver)
        assert len(receiver.requests) == tries
        outcomes = {key: settled[key] for key in ("delivered", "refused", "given_up")}
        assert outcomes == {"delivered": 0, "refused": 0, "given_up": 0} | state


async def test_an_endpoint_that_does_not_answer_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.sandbox.webhooks.TIMEOUT", 0.05)
    receiver = Receiver()

    async def stuck_once(request: httpx.Request) -> httpx.Response:
        answer = await receiver(request)
        if len(receiver.requests) == 1:
            await asyncio.Event().wait()
        return answer

    with subscribed(receiver) as driver:
        driver.sandbox.webhooks.transport = httpx.MockTransport(stuck_once)
        await driver.deliver(mail())
        assert (await settle(driver))["delivered"] == 1
        assert len(receiver.requests) == 2


async def test_a_retry_waits_as_long_as_it_is_told() -> None:
    receiver = Receiver(503)
    with subscribed(receiver, retry_delays=(3600.0,)) as driver:
        await driver.deliver(mail())
        await wait_for(lambda: receiver.requests, what="the first try")
        assert (await driver.look("webhook"))["waiting"] == 1
        await driver.sandbox.webhooks.aclose()


async def test_the_handshake_is_done_on_demand() -> None:
    receiver = Receiver()
    with subscribed(receiver) as driver:
        assert await driver.control("validate") == {"validated": True}
        assert (await driver.look("webhook"))["validated"] is True


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(httpx.Response(200, json={"plainToken": "x"}), id="without the proof"),
        pytest.param(httpx.Response(200, text="ok"), id="no JSON"),
        pytest.param(httpx.Response(503), id="down"),
    ],
)
async def test_an_endpoint_that_proves_nothing_is_not_validated(answer: httpx.Response) -> None:
    receiver = Receiver()
    receiver.validation = lambda _token: answer
    with subscribed(receiver) as driver:
        assert await driver.control("validate") == {"validated": False}


async def test_the_handshake_is_done_at_the_start() -> None:
    receiver = Receiver()
    with subscribed(receiver) as driver:
        async with driver.app.router.lifespan_context(driver.app):
            await wait_for(lambda: driver.sandbox.webhooks.validated, what="the handshake")


async def test_an_endpoint_can_be_named_later() -> None:
    receiver = Receiver()
    driver = drive(httpx.MockTransport(receiver), limits=False)
    try:
        await driver.deliver(mail())
        assert await driver.control("subscribe", {"url": URL, "secret": SECRET}) == {"validated": True}
        await driver.deliver(mail())
        assert (await settle(driver))["delivered"] == 1
        assert await driver.control("subscribe", {"url": None}) == {"validated": False}
        await driver.deliver(mail())
        assert len(receiver.requests) == 1
    finally:
        driver.close()


async def test_a_subscription_can_be_for_some_mailboxes() -> None:
    receiver = Receiver()
    with subscribed(receiver) as driver:
        await driver.control("subscribe", {"url": URL, "secret": SECRET, "mailboxes": [BOB.upper()]})
        await driver.post("/messages/send", {"raw": encoded(mail(to=BOB))})
        await driver.deliver(mail())
        await settle(driver)
        assert [event["payload"]["object"]["email"] for event in receiver.events] == [BOB]
        await driver.control("subscribe", {"url": URL, "secret": SECRET, "mailboxes": []})
        await driver.deliver(mail(), BOB)
        await settle(driver)
        assert len(receiver.events) == 1
        await driver.control("subscribe", {"url": URL, "secret": SECRET})
        await driver.deliver(mail())
        await settle(driver)
        assert receiver.events[1]["payload"]["object"]["email"] == ANN


@pytest.mark.parametrize(
    ("names", "status"),
    [
        pytest.param("ann@acme.example", 400, id="what is no list is refused"),
        pytest.param(["nobody@acme.example"], 404, id="a mailbox that is not hosted is refused"),
        pytest.param([7], 404, id="what is no address is refused"),
    ],
)
async def test_a_subscription_names_mailboxes_that_are_there(names: object, status: int) -> None:
    receiver = Receiver()
    with subscribed(receiver) as driver:
        body = {"url": "http://elsewhere/", "mailboxes": names}
        assert (await driver.http.post("/_sandbox/subscribe", json=body)).status_code == status
        await driver.deliver(mail())
        await settle(driver)
        assert len(receiver.events) == 1, "the subscription stays as it was"


async def test_no_change_goes_unheard_however_many_come() -> None:
    receiver = Receiver()
    with subscribed(receiver) as driver:
        await asyncio.gather(*(driver.deliver(mail(f"{n}")) for n in range(100)))
        await settle(driver)
        heard = max(event["payload"]["object"]["history_id"] for event in receiver.events)
        assert heard == int(await driver.cursor())
