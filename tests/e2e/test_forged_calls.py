"""Forged and hostile calls over real sockets: refused, bounded, without effect, while true ones go on."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from engine.cli.stage import Play, Stage, staged
from engine.web.bodies import BODY_WITHIN_S
from engine.wiring import Office, open_office
from prove.calling import signature
from prove.hooks import HERE, MAILBOX
from prove.wire import Headers, Request, chunk, head, post, send
from tests.waiting import wait_for

pytestmark = pytest.mark.e2e

PATH = "/hooks/in/orders"
TRUE = json.dumps({"order": {"id": 1, "status": "paid"}}).encode()
PIECE = b"x" * 65_536
HUGE = 1_600
"""Pieces: 100 MB."""
DRIPPING = 20


def signed(secret: str, body: bytes, **more: bytes) -> Headers:
    own = ("x-postroom-signature", signature(secret, body).encode())
    return (own, *((name.replace("_", "-"), value) for name, value in more.items()))


def forgeries(secret: str, token: str) -> dict[str, tuple[Request, set[int]]]:
    """Requests, and what they may be answered with; 0 where the server may hang up first."""
    true, bearer = signed(secret, TRUE), (("authorization", f"Bearer {token}".encode()),)
    said = json.dumps({"template": "notice", "to": "a@x.example", "with": {"order": 1}}).encode()
    chunked = (("transfer-encoding", b"chunked"),)
    deep = b'{"a":' * 50_000 + b"1" + b"}" * 50_000
    return {
        "another secret": (post(PATH, TRUE, signed("x", TRUE)), {401}),
        "another body": (post(PATH, TRUE + b" ", true), {401}),
        "the token instead of a signature": (post(PATH, TRUE, bearer), {401}),
        "the signature instead of the token": (post("/api/v1/send", said, signed(secret, said)), {401}),
        "a false signature before the true one": (
            post(PATH, TRUE, (("x-postroom-signature", b"x"), *true)),
            {401},
        ),
        "a header within a header": (
            post(PATH, TRUE, (("x-postroom-signature", b"x\r\nx-postroom-signature: " + true[0][1]),)),
            {401},
        ),
        "a NUL in a header": (post(PATH, TRUE, (("x-postroom-signature", true[0][1] + b"\0"),)), {400, 401}),
        "two ways to tell the length": (post(PATH, TRUE, (*true, *chunked)), {400, 401}),
        "a length below zero": (post(PATH, TRUE, true, length=-5), {400}),
        "a line break in the key": (
            post(PATH, TRUE, (*true, ("idempotency-key", b"a\tb"))),
            {400},
        ),
        "deep JSON, truly signed": (post(PATH, deep, signed(secret, deep)), {400}),
        "100 MB, announced": (
            Request(
                head("POST", PATH, (("content-length", str(HUGE * len(PIECE)).encode()),)), (PIECE,), HUGE
            ),
            {0, 413},
        ),
        "100 MB, chunk by chunk": (Request(head("POST", PATH, chunked), (chunk(PIECE),), HUGE), {0, 413}),
        "100 MB for the API, without the token": (
            Request(head("POST", "/api/v1/send", chunked), (chunk(PIECE),), HUGE),
            {0, 401},
        ),
        "a run of somebody else": (Request(head("GET", "/api/v1/runs/x", ())), {401}),
        "a path out of the folder": (post("/hooks/in/../in/orders", TRUE, true), {404}),
    }


async def test_forged_and_hostile_calls_get_nowhere(tmp_path: Path) -> None:
    play = Play(
        {MAILBOX: "off"},
        HERE / "rules",
        HERE / "templates",
        limits=False,
        webhooks=False,
        hooks={"orders": {}},
    )
    secret, token = play.secrets["hook"], play.secrets["api"]
    async with staged(play, tmp_path) as stage, open_office(stage.settings) as office:
        port = urlsplit(stage.web_url).port or 0
        for name, (request, wanted) in forgeries(secret, token).items():
            answer = await send(port, request)
            assert answer.status in wanted, f"{name}: {answer.status} {answer.text[:200]}"
            assert secret not in answer.text
            assert token not in answer.text
        await _dripping(port, secret)
        assert await office.journal.newest(10) == []
        assert await office.base.redis.keys(office.base.key("call", "*")) == []
        await _one_true_call(stage, office, port, secret)
        log = (tmp_path / "postroom.log").read_text()
    assert secret not in log
    assert token not in log


async def _dripping(port: int, secret: str) -> None:
    """Bodies that come byte by byte are not waited for, and keep nobody else waiting."""
    told = (*signed(secret, b"x" * 100), ("content-length", b"100"))
    drip = Request(head("POST", PATH, told), (b"x",), 100, 0.5)
    answers = await asyncio.gather(*(send(port, drip) for _ in range(DRIPPING)))
    assert {answer.status for answer in answers} == {408}
    assert max(answer.seconds for answer in answers) < BODY_WITHIN_S + 5


async def _one_true_call(stage: Stage, office: Office, port: int, secret: str) -> None:
    for _ in range(3):
        assert (await send(port, post(PATH, TRUE, signed(secret, TRUE, idempotency_key=b"k")))).status == 202

    async def sent() -> bool:
        return bool((await stage.control("GET", "outbox"))["messages"])

    await wait_for(sent, seconds=30, what="the mail of a true call")
    await wait_for(lambda: _settled(office), seconds=20, what="a settled run")
    assert len((await stage.control("GET", "outbox"))["messages"]) == 1


async def _settled(office: Office) -> bool:
    return not await office.base.redis.zcard(office.base.key("due"))
