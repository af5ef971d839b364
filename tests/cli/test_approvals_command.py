"""`postroom approvals`, as a person calls it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.conftest import Console
from tests.flow.fakes import BOX, Clock, mail

RULE = "{id: ask, when: {subject: order}, then: [reply: {template: hi, mode: approve}]}"


@dataclass
class Synced:
    """The test's clock in the place of the server's."""

    clock: Clock

    async def sync(self) -> None:
        return None

    def __call__(self) -> int:
        return self.clock()


@pytest.fixture
async def desk(console: Console, monkeypatch: pytest.MonkeyPatch) -> Console:
    """One message that waits, at a clock that commands share."""
    world = console.world
    monkeypatch.setattr("engine.wiring.ServerClock", lambda _: Synced(world.clock))
    monkeypatch.setattr("getpass.getuser", lambda: "ann")
    await world.rules(RULE)
    world.provider.deliver("1", mail("order"))
    await world.read_and_drain()
    await world.execute_all()
    return console


async def run_of(desk: Console) -> str:
    return (await desk.world.run()).run.id


async def test_what_waits_is_listed(desk: Console) -> None:
    run = await run_of(desk)
    head, line = (await desk.call("approvals")).stdout.splitlines()
    assert head.split()[:2] == ["run", "asked"]
    assert line.split()[0] == run[:12]
    (told,) = map(json.loads, (await desk.call("approvals", "--json")).stdout.splitlines())
    assert (told["run"], told["mailbox"], told["rule"], told["to"], told["subject"], told["state"]) == (
        *(run, BOX, "ask", ["ann@x.example"], "Thank you", "pending"),
    )
    assert told["expires"] == "2026-01-04T00:00:01+00:00"


async def test_the_whole_message_is_shown(desk: Console) -> None:
    run = await run_of(desk)
    shown = (await desk.call("approvals", run[:8])).stdout
    assert shown.splitlines()[0] == f"run {run} of ask in {BOX}: pending"
    assert f"From: {BOX}\nTo: ann@x.example\nSubject: Thank you\n\nHello." in shown
    told = json.loads((await desk.call("approvals", run, "--json")).stdout)
    assert told["text"] == "Hello.\n"


async def test_it_is_edited_approved_and_sent(
    desk: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await run_of(desk)
    text = tmp_path / "answer.txt"
    text.write_text("Dear Ann,\n")
    monkeypatch.setattr("click.edit", lambda text, **_: text + "we are closed.\n")
    words = ("--edit", "--text", str(text), "--subject", "Closed", "--approve", "--by", "Bo")
    result = await desk.call("approvals", run, *words)
    assert (result.exit_code, result.stdout.splitlines()) == (
        0,
        [f"{run} is edited, and waits as edition 2", f"{run} is approved by Bo"],
    )
    await desk.world.execute_all()
    (sent,) = desk.world.provider.sent
    assert b"Subject: Closed\r\n" in sent
    assert b"Dear Ann,\r\nwe are closed.\r\n" in sent
    again = await desk.call("approvals", run, "--reject")
    assert again.exit_code == 1
    assert again.stderr == "it was approved by Bo at 2026-01-01T00:00:01+00:00, edited by Bo\n"
    assert "nothing waits" in (await desk.call("approvals")).stdout


async def test_it_is_rejected_and_the_journal_says_why(desk: Console) -> None:
    run = await run_of(desk)
    result = await desk.call("approvals", run, "--reject", "--reason", "we do\nnot sell that")
    assert result.stdout == f"{run} is rejected by ann\n"
    await desk.world.execute_all()
    assert desk.world.provider.sent == []
    shown = (await desk.call("runs", run)).stdout
    assert "held (why a person rejected it, approval rejected, by ann" in shown
    assert "reason we do not sell that" in shown


async def test_both_decisions_at_once_are_none(desk: Console) -> None:
    result = await desk.call("approvals", await run_of(desk), "--approve", "--reject")
    assert (result.exit_code, "not both" in result.output) == (2, True)
    assert "ask" in (await desk.call("approvals")).stdout


async def test_machines_are_told_what_was_decided(desk: Console) -> None:
    run = await run_of(desk)
    result = await desk.call("approvals", run, "--subject", "Closed", "--approve", "--json")
    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        {"run": run, "state": "pending", "edition": 2},
        {"run": run, "state": "approved", "by": "ann"},
    ]


async def test_what_an_editor_leaves_as_it_is_stays_unedited(
    desk: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("click.edit", lambda *_, **__: None)
    result = await desk.call("approvals", await run_of(desk), "--edit")
    assert result.stdout == "nothing was changed\n"


async def test_who_has_no_name_is_told_by_number(desk: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr("getpass.getuser", nameless)
    monkeypatch.setattr("os.getuid", lambda: 1234)
    result = await desk.call("approvals", await run_of(desk), "--approve")
    assert result.stdout.endswith("is approved by uid 1234\n")


async def test_a_text_that_is_none_is_refused(desk: Console, tmp_path: Path) -> None:
    file = tmp_path / "answer.txt"
    file.write_bytes(b"\xff\xfe")
    result = await desk.call("approvals", await run_of(desk), "--text", str(file))
    assert (result.exit_code, "cannot be read as UTF-8" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        pytest.param(["--approve"], 2, "write which", id="no run is named"),
        pytest.param(["RUN", "--reason", "x"], 2, "--reason goes with --reject", id="a reason alone"),
        pytest.param(["ffff", "--approve"], 1, "there is no run ffff", id="a run that there is not"),
        pytest.param(["RUN", "--approve", "--edition", "2"], 1, "read it again", id="another edition"),
    ],
)
async def test_what_cannot_be_done_is_said(desk: Console, words: list[str], code: int, said: str) -> None:
    run = await run_of(desk)
    result = await desk.call("approvals", *(run if word == "RUN" else word for word in words))
    assert (result.exit_code, said in result.stderr) == (code, True)
    assert desk.world.provider.sent == []
