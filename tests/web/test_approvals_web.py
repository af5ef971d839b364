"""`/api/v1/approvals`: what other systems read and decide."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from engine.store.approvals import RedisApprovals
from engine.web.approvals import PATH, ApprovalApi
from tests.flow.conftest import World
from tests.flow.conftest import world as world  # noqa: PLC0414 - the fixture, by its name
from tests.flow.fakes import BOX, mail

TOKEN = "api-" + "t0ken"
RULE = "{id: ask, when: {subject: order}, then: [reply: {template: hi, mode: approve}]}"


class Desk:
    """The endpoints over a Redis in which one message waits."""

    def __init__(self, world: World, run: str, token: str | None = TOKEN) -> None:
        self.world, self.run = world, run
        api = ApprovalApi(token, RedisApprovals(world.base), world.journal, world.clock)
        transport = httpx.ASGITransport(Starlette(routes=api.routes))
        self.client = httpx.AsyncClient(transport=transport, base_url="http://web.test")

    async def call(self, method: str, path: str = "", token: str = TOKEN, json: Any = None) -> httpx.Response:
        headers = {"authorization": f"Bearer {token}"}
        where = PATH + path.replace("RUN", self.run)
        return await self.client.request(method, where, headers=headers, json=json)


@pytest.fixture
async def desk(world: World) -> AsyncIterator[Desk]:
    await world.rules(RULE)
    world.provider.deliver("1", mail("order"))
    await world.read_and_drain()
    await world.execute_all()
    made = Desk(world, (await world.run()).run.id)
    async with made.client:
        yield made


async def test_what_waits_is_read(desk: Desk) -> None:
    (short,) = (await desk.call("GET")).json()["approvals"]
    whole = (await desk.call("GET", "/RUN")).json()
    assert short == {
        "run": desk.run,
        "state": "pending",
        "mailbox": BOX,
        "rule": "ask",
        "to": ["ann@x.example"],
        "subject": "Thank you",
        "asked": "2026-01-01T00:00:01+00:00",
        "expires": "2026-01-04T00:00:01+00:00",
        "edition": 1,
    }
    assert whole.items() >= short.items()
    assert (whole["from"], whole["text"], whole["files"]) == (BOX, "Hello.\n", [])
    assert "<p>Hello.</p>" in whole["html"]


async def test_it_is_edited_and_approved_once(desk: Desk) -> None:
    edit = {"by": "cid", "edition": 1, "subject": "Closed", "text": "Not today."}
    edited = await desk.call("PUT", "/RUN", json=edit)
    assert (edited.status_code, edited.json()["edition"], edited.json()["subject"]) == (200, 2, "Closed")
    stale = await desk.call("POST", "/RUN/approve", json={"by": "ann", "edition": 1})
    assert (stale.status_code, stale.json()["error"]) == (409, "it was edited meanwhile: read it again")
    taken = await desk.call("POST", "/RUN/approve", json={"by": "ann", "edition": 2})
    assert (taken.status_code, taken.json()["state"]) == (200, "approved")
    await desk.world.execute_all()
    assert b"Not today." in desk.world.provider.sent[0]
    late = await desk.call("POST", "/RUN/reject", json={"by": "bob"})
    assert (late.status_code, late.json()["error"]) == (
        409,
        "it was approved by ann at 2026-01-01T00:00:01+00:00, edited by cid",
    )


async def test_it_is_rejected(desk: Desk) -> None:
    answer = await desk.call("POST", "/RUN/reject", json={"by": "bob", "reason": "no\nthanks"})
    assert (answer.status_code, answer.json()["state"]) == (200, "rejected")
    await desk.world.execute_all()
    receipt = (await desk.world.run()).receipts[0]
    assert (receipt["outcome"], receipt["by"], receipt["reason"]) == ("held", "bob", "no thanks")


@pytest.mark.parametrize(
    ("method", "path", "json", "status"),
    [
        pytest.param("GET", "/ffff", None, 404, id="no such run"),
        pytest.param("POST", "/ffff/approve", {"by": "ann"}, 404, id="nothing to approve"),
        pytest.param("POST", "/RUN/approve", {}, 422, id="nobody approves"),
        pytest.param("POST", "/RUN/approve", {"by": " \n"}, 422, id="a name of blanks"),
        pytest.param("POST", "/RUN/approve", {"by": "ann", "force": True}, 422, id="an unknown key"),
        pytest.param("POST", "/RUN/approve", ["ann"], 422, id="a list"),
        pytest.param("PUT", "/RUN", {"by": "ann", "text": "x"}, 422, id="an edit of an unknown edition"),
        pytest.param(
            "PUT", "/RUN", {"by": "ann", "edition": 1, "text": "x" * 300_001}, 422, id="a text without end"
        ),
        pytest.param(
            "PUT",
            "/RUN",
            {"by": "ann", "edition": 1, "subject": "x" * 9_999},
            422,
            id="a subject without end",
        ),
        pytest.param("GET", "/RUN/approve", None, 405, id="a wrong method"),
    ],
)
async def test_what_is_wrong_changes_nothing(
    desk: Desk, method: str, path: str, json: Any, status: int
) -> None:
    answer = await desk.call(method, path, json=json)
    assert answer.status_code == status
    (short,) = (await desk.call("GET")).json()["approvals"]
    assert (short["state"], short["edition"]) == ("pending", 1)


@pytest.mark.parametrize("token", [None, TOKEN], ids=["no API", "a wrong token"])
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("GET", "/RUN"), ("PUT", "/RUN"), ("POST", "/RUN/approve"), ("POST", "/RUN/reject")],
)
async def test_nobody_without_the_token_gets_anywhere(
    desk: Desk, token: str | None, method: str, path: str
) -> None:
    other = Desk(desk.world, desk.run, token)
    async with other.client:
        answer = await other.call(method, path, token="guessed", json={"by": "eve"})
    assert answer.status_code == 401
    assert desk.run not in answer.text
