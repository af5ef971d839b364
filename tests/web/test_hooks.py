"""`POST /hooks/zoom/{account}`: only what Zoom signed rings, and the answer comes when Redis has it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator

import pytest
from starlette.exceptions import HTTPException

from engine import metrics
from engine.web import bodies
from engine.web.bodies import MAX_BODY, WHOLE, read_body
from tests.web.conftest import BOX, EVENT, NOW, SECRET, Site, as_json, signed

OURS = "Support@acme.example"


async def test_a_true_webhook_rings_for_its_mailbox(site: Site) -> None:
    answer = await site.post(as_json(EVENT))
    assert answer.status_code == 204
    assert site.rung == [[OURS]]


async def test_an_address_in_capitals_is_the_same_mailbox(site: Site) -> None:
    body = as_json({"event": "mail.history_event", "payload": {"object": {"email": BOX.upper()}}})
    assert (await site.post(body)).status_code == 204
    assert site.rung == [[OURS]]


BODY = as_json(EVENT)
TRUE = signed(BODY)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        pytest.param(BODY, signed(BODY, secret="other"), id="another secret"),
        pytest.param(BODY + b" ", TRUE, id="a byte more"),
        pytest.param(BODY.replace(b": ", b":"), TRUE, id="the same JSON written otherwise"),
        pytest.param(BODY, {}, id="no headers"),
        pytest.param(BODY, {"x-zm-signature": TRUE["x-zm-signature"]}, id="no timestamp"),
        pytest.param(BODY, {"x-zm-request-timestamp": TRUE["x-zm-request-timestamp"]}, id="no signature"),
        pytest.param(BODY, TRUE | {"x-zm-request-timestamp": f"{NOW + 1:.0f}"}, id="another timestamp"),
        pytest.param(BODY, signed(BODY, NOW - 301), id="signed too long ago"),
        pytest.param(BODY, signed(BODY, NOW + 301), id="signed too far ahead"),
        pytest.param(b"not json", TRUE, id="forged and malformed"),
    ],
)
async def test_what_is_forged_or_stale_is_refused_and_does_not_ring(
    site: Site, body: bytes, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = await site.client.post("/hooks/zoom/acme", content=body, headers=headers)
    assert answer.status_code == 401
    assert site.rung == []
    assert SECRET not in answer.text + caplog.text


@pytest.mark.parametrize(
    ("body", "why"),
    [
        pytest.param(b"{", "malformed: the body is no JSON", id="broken JSON"),
        pytest.param(b"", "malformed: the body is no JSON", id="nothing"),
        pytest.param(b"\xff\xfe\x00", "malformed: the body is no JSON", id="no UTF-8"),
        pytest.param(b"[" * 100_000, "malformed: the body is no JSON", id="deep JSON"),
        pytest.param(
            b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "malformed: the body is no JSON", id="deep maps"
        ),
        pytest.param(b"[]", "malformed: the body is no JSON object", id="a list"),
        pytest.param(b"9" * 5_000, "malformed: the body is no JSON", id="a number of 5,000 digits"),
        pytest.param(
            as_json({"event": "meeting.started"}), "unknown event 'meeting.started'", id="other news"
        ),
        pytest.param(as_json({}), "unknown event 'None'", id="no event"),
        pytest.param(as_json({"event": ["x"]}), "unknown event \"['x']\"", id="an event that is no text"),
        pytest.param(
            as_json({"event": "mail.history_event", "payload": {"object": {"email": "x@y.example"}}}),
            "an event of a mailbox that is not configured",
            id="another mailbox",
        ),
        pytest.param(
            as_json({"event": "mail.history_event", "payload": {"object": {"email": 7}}}),
            "an event of a mailbox that is not configured",
            id="an address that is a number",
        ),
        pytest.param(
            as_json({"event": "mail.history_event", "payload": ["x"]}),
            "an event of a mailbox that is not configured",
            id="a payload that is a list",
        ),
    ],
)
async def test_what_is_signed_and_means_nothing_is_taken_so_that_it_is_not_repeated(
    site: Site, body: bytes, why: str
) -> None:
    metrics.take()
    answer = await site.post(body)
    assert (answer.status_code, answer.json()) == (200, {"ignored": why})
    assert site.rung == []
    outcome = "malformed" if why.startswith("malformed") else "ignored"
    assert metrics.take().counts == {(metrics.WEBHOOKS.name, "acme", outcome): 1}


async def test_the_validation_of_the_address_is_answered_when_signed(site: Site) -> None:
    body = as_json({"event": "endpoint.url_validation", "payload": {"plainToken": "qgg8vlvZRS6UYooatFL8Aw"}})
    answer = await site.post(body)
    assert answer.status_code == 200
    assert answer.json()["plainToken"] == "qgg8vlvZRS6UYooatFL8Aw"
    assert len(answer.json()["encryptedToken"]) == 64
    unsigned = await site.client.post("/hooks/zoom/acme", content=body)
    assert unsigned.status_code == 401
    assert "encryptedToken" not in unsigned.text


async def test_a_token_that_would_make_a_signature_is_not_signed(site: Site) -> None:
    token = f"v0:{NOW:.0f}:{{}}"
    answer = await site.post(as_json({"event": "endpoint.url_validation", "payload": {"plainToken": token}}))
    assert answer.status_code == 200
    assert "encryptedToken" not in answer.text


async def test_an_unknown_account_is_not_found(site: Site) -> None:
    assert (await site.post(BODY, "/hooks/zoom/other")).status_code == 404
    assert (await site.post(BODY, "/hooks/zoom/%2e%2e")).status_code == 404


async def test_while_redis_is_down_zoom_is_asked_to_come_again(site: Site) -> None:
    site.down = True
    answer = await site.post(BODY)
    assert answer.status_code == 503
    site.down = False
    assert (await site.post(BODY)).status_code == 204
    assert site.rung == [[OURS]]


async def test_many_rings_of_one_moment_share_one_round_trip(site: Site) -> None:
    answers = await asyncio.gather(*(site.post(BODY) for _ in range(50)))
    assert {answer.status_code for answer in answers} == {204}
    assert len(site.rung) < 5
    assert {mailbox for rung in site.rung for mailbox in rung} == {OURS}


@pytest.mark.parametrize("size", [MAX_BODY + 1, 3 * MAX_BODY])
async def test_a_body_that_says_it_is_too_large_is_not_read(site: Site, size: int) -> None:
    headers = {"content-length": str(size)}
    answer = await site.client.post("/hooks/zoom/acme", content=b"x", headers=headers)
    assert answer.status_code == 413


async def test_a_body_that_turns_out_too_large_is_cut_off(site: Site) -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield b"x" * 100_000

    answer = await site.client.post("/hooks/zoom/acme", content=endless())
    assert answer.status_code == 413
    assert taken < 20


async def test_a_slow_body_is_not_waited_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_WITHIN_S", 0.05)

    async def receive() -> dict[str, object]:
        await asyncio.Event().wait()
        raise AssertionError("never")

    with pytest.raises(HTTPException) as raised:
        await read_body({"headers": []}, receive)
    assert raised.value.status_code == 408


async def test_a_body_that_is_cut_off_is_refused() -> None:
    async def receive() -> dict[str, object]:
        return {"type": "http.disconnect"}

    with pytest.raises(HTTPException) as raised:
        await read_body({"headers": []}, receive)
    assert raised.value.status_code == 400


@pytest.mark.parametrize(
    "state",
    [pytest.param({}, id="a body that comes in pieces"), pytest.param({WHOLE: True}, id="a whole one")],
)
async def test_pieces_are_put_together_and_bounded(state: dict[str, bool]) -> None:
    pieces: Iterator[dict[str, object]] = iter(
        [{"body": b"ab", "more_body": True}, {"more_body": True}, {"body": b"c"}, {"body": b"abcd"}]
    )

    async def receive() -> dict[str, object]:
        return {"type": "http.request", **next(pieces)}

    assert await read_body({"headers": [], "state": state}, receive, limit=3) == b"abc"
    with pytest.raises(HTTPException) as raised:
        await read_body({"headers": [], "state": state}, receive, limit=3)
    assert raised.value.status_code == 413


async def test_of_a_header_that_comes_twice_the_first_counts(site: Site) -> None:
    false = ("x-zm-signature", "v0=00")
    for headers, status in (([*TRUE.items(), false], 204), ([false, *TRUE.items()], 401)):
        answer = await site.client.post("/hooks/zoom/acme", content=BODY, headers=headers)
        assert answer.status_code == status


async def test_whoever_forges_webhooks_does_not_write_our_log(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(50):
        assert (await site.post(b"{}", **{"x-zm-signature": "v0=00"})).status_code == 401
    assert len([one for one in caplog.records if "refused" in one.getMessage()]) == 1
