"""Saving what came with a message, whatever is killed, once."""

from __future__ import annotations

import json
from pathlib import Path

from engine.errors import Unavailable
from engine.flow.plan import Run
from engine.services.folders import LocalFolders
from tests.flow.conftest import World
from tests.flow.fakes import mail

RULE = (
    "{when: {subject: {regex: '(?P<order>[0-9]+)'}}, then: [save: {folder: f, only: '*.pdf',"
    " name: '{{ message.year }}/{{ captures.order }}/{{ file.name }}'}]}"
)


def _part(kind: str, name: str, content: str) -> str:
    disposition = f'Content-Disposition: attachment; filename="{name}"'
    return f"--b\r\nContent-Type: {kind}\r\n{disposition}\r\n\r\n{content}\r\n"


FILES = (
    "From: ann@x.example\r\nSubject: Order 48211\r\nMessage-ID: <o@x.example>\r\nMIME-Version: 1.0\r\n"
    "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhi\r\n"
    + _part("application/pdf", "../../a.PDF", "one")
    + _part("application/pdf", "../../a.PDF", "two")
    + _part("image/png", "b.png", "x")
    + "--b--\r\n"
).encode()
SAVED = {"2026/48211/a.PDF": b"one", "2026/48211/a (2).PDF": b"two"}


def lying(folder: Path) -> dict[str, bytes]:
    return {
        one.relative_to(folder).as_posix(): one.read_bytes() for one in folder.rglob("*") if one.is_file()
    }


async def opened(world: World, folder: Path, rule: str = RULE, raw: bytes = FILES) -> Run:
    world.folders["f"] = folder
    await world.rules(rule)
    world.provider.deliver("1", raw)
    await world.read_and_drain()
    return (await world.run()).run


async def test_files_whose_name_fits_are_saved_and_the_receipt_says_where(
    world: World, tmp_path: Path
) -> None:
    run = await opened(world, tmp_path)
    assert await world.execute(run.id) is None
    assert lying(tmp_path) == SAVED
    receipt = (await world.run()).receipts[0]
    assert receipt["path"] == "2026/48211/a.PDF"
    assert json.loads(receipt["paths"]) == list(SAVED)
    undo = json.loads(receipt["undo"])["files"]
    assert [(one["folder"], one["path"], len(one["sha256"])) for one in undo] == [
        ("f", path, 64) for path in SAVED
    ]


async def test_an_attempt_that_died_is_gone_on_with(world: World, tmp_path: Path) -> None:
    run = await opened(world, tmp_path)
    real, calls = LocalFolders.store, 0

    async def dies(self: LocalFolders, folder: str, path: list[str], content: bytes) -> str:
        nonlocal calls
        calls += 1
        stored = await real(self, folder, path, content)
        if calls == 1:
            raise Unavailable("the worker died")
        return stored

    LocalFolders.store = dies  # type: ignore[method-assign, assignment]
    try:
        again = await world.execute(run.id)
    finally:
        LocalFolders.store = real  # type: ignore[method-assign]
    assert again is not None
    world.clock.now = again
    assert await world.execute(run.id) is None
    assert lying(tmp_path) == SAVED
    assert len(json.loads((await world.run()).receipts[0]["undo"])["files"]) == 2


async def test_what_lay_there_before_is_not_ours_to_take_back(world: World, tmp_path: Path) -> None:
    (tmp_path / "2026" / "48211").mkdir(parents=True)
    (tmp_path / "2026" / "48211" / "a.PDF").write_bytes(b"one")
    run = await opened(world, tmp_path)
    await world.execute(run.id)
    undo = json.loads((await world.run()).receipts[0]["undo"])["files"]
    assert [one["path"] for one in undo] == ["2026/48211/a (2).PDF"]
    assert lying(tmp_path) == SAVED


async def test_a_whole_message_is_saved_as_it_was_received(world: World, tmp_path: Path) -> None:
    rule = "{when: {label: INBOX}, then: [save: {folder: f, what: message}]}"
    run = await opened(world, tmp_path, rule, mail("a/b: c"))
    await world.execute(run.id)
    assert lying(tmp_path) == {"a b c.eml": mail("a/b: c")}


async def test_a_full_disk_is_waited_for(world: World, tmp_path: Path) -> None:
    run = await opened(world, tmp_path / "missing")
    assert await world.execute(run.id) is not None
    (tmp_path / "missing").mkdir()
    world.clock.forward(60_000)
    assert await world.execute(run.id) is None
    assert lying(tmp_path / "missing") == SAVED
