"""A worker that dies before or after any of its calls: what is to be done is done, and once."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from engine.services.folders import LocalFolders
from engine.store.journal import RedisJournal
from tests.flow.conftest import World
from tests.flow.fakes import FakeProvider, mail

RULES = (
    "{id: a, when: {subject: last}, then: [{save: {folder: f, what: message}},"
    " {label: {add: Done, scope: thread}}, {forward: boss@acme.example}, {emit: x}]}",
    "{id: b, event: emitted.x, when: {label: Done}, then: [{delete: {permanent: true, scope: thread}}]}",
)
POINTS: list[tuple[type, str]] = [
    (RedisJournal, "note"),
    (RedisJournal, "settle"),
    (RedisJournal, "settle_emitted"),
    (RedisJournal, "in_use"),
    (FakeProvider, "thread"),
    (FakeProvider, "change_thread"),
    (FakeProvider, "raw"),
    (FakeProvider, "send"),
    (FakeProvider, "delete"),
    (LocalFolders, "choose"),
    (LocalFolders, "store"),
]


class Killed(BaseException):
    """No handler of ours takes it, as none takes a kill."""


def mine(monkeypatch: pytest.MonkeyPatch, owner: type, name: str, when: str) -> list[str]:
    """Die at the first call of a method; the list tells whether that happened."""
    method: Callable[..., Awaitable[Any]] = getattr(owner, name)
    died: list[str] = []

    async def mined(self: object, *args: Any, **options: Any) -> Any:
        first = not died
        if first and when == "before":
            died.append(name)
            raise Killed
        found = await method(self, *args, **options)
        if first:
            died.append(name)
            raise Killed
        return found

    monkeypatch.setattr(owner, name, mined)
    return died


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def one_life(world: World) -> None:
    """Carry out every open run, then pass the deadline of a call that a death may have cut off."""
    for one in await world.runs():
        if one.state == "open":
            with contextlib.suppress(Killed):
                await world.execute(one.run.id)
    world.clock.forward(world.timeout + world.margin + 1_000)


async def live_on(world: World) -> None:
    """Carry out and decide, life after life, until nothing is left to do."""
    for _ in range(12):
        await one_life(world)
        await world.read_and_drain()


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("owner", "name"), POINTS, ids=[name for _, name in POINTS])
async def test_whatever_call_it_dies_at(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: type, name: str, when: str
) -> None:
    world.folders["f"] = tmp_path
    await world.rules(*RULES)
    world.provider.threads = {"1": "t", "2": "t"}
    world.provider.deliver("1", mail("first"), ["Old"])
    world.provider.deliver("2", mail("last"))
    await world.read_and_drain()
    died = mine(monkeypatch, owner, name, when)
    await live_on(world)
    assert died == [name]
    first, second = sorted(await world.runs(), key=lambda one: one.run.rule)
    assert (first.state, second.state) == ("done", "done")
    assert names(tmp_path) == ["last.eml"]
    assert len(world.provider.sent) == 1
    assert world.provider.messages == {}
    assert len(json.loads(first.receipts[0]["undo"])["files"]) == 1
    changed = json.loads(first.receipts[1]["undo"])["labels"]
    assert sorted(key for one in changed for key in one["keys"]) == ["1", "2"]
