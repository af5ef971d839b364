"""`runs`, `dead` and `replay`, as a person calls them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import Result

from engine.errors import Rejected
from tests.cli.conftest import Console
from tests.flow.fakes import BOX, mail

RULES = (
    "{id: file, when: {subject: {regex: 'file (?P<n>\\d+)'}}, then: [label: 'F/{{ captures.n }}']}",
    "{id: answer, when: {subject: answer}, then: [label: A, reply: hi]}",
)


@pytest.fixture
async def busy(console: Console) -> Console:
    """One run that is done and, later, one that is dead."""
    world = console.world
    await world.rules(*RULES)
    world.provider.deliver("1", mail("file 7"))
    await world.read_and_drain()
    world.provider.deliver("2", mail("answer"))
    world.provider.failures["send"] = [Rejected("the recipient is refused")]
    await world.read_and_drain()
    await world.execute_all()
    return console


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


async def test_runs_are_shown_newest_first(busy: Console) -> None:
    result = await busy.call("runs")
    assert result.exit_code == 0
    newest, oldest = result.stdout.splitlines()
    assert newest.split()[1:] == ["dead", "2026-01-01T00:00:02+00:00", BOX, "answer", "2"]
    assert oldest.split()[1:] == ["done", "2026-01-01T00:00:01+00:00", BOX, "file", "1"]


async def test_a_run_that_waits_for_its_time_says_so_and_one_without_a_message_what_it_is(
    console: Console,
) -> None:
    world = console.world
    templates = {"all.md": "---\nsubject: s\ninputs: {items: list}\n---\nx\n"}
    summary = "summary: {template: all, to: [team@acme.example], every: 1h}"
    await world.rules(f"{{id: all, when: {{label: INBOX}}, then: [{summary}]}}", templates=templates)
    world.provider.deliver("1", mail("one"))
    await world.read_and_drain()
    await world.execute_all()
    shown = (await console.call("runs", "--rule", "all")).stdout.splitlines()
    run, state, *_, kind = next(line.split() for line in shown if "summary.due" in line)
    assert (state, kind) == ("open", "summary.due")
    details = (await console.call("runs", run)).stdout.splitlines()
    assert details[1].strip() == "0: send not yet (not before 2026-01-01T01:00:01+00:00)"


@pytest.mark.parametrize(
    ("args", "rules"),
    [
        pytest.param(["--limit", "1"], ["answer"], id="as many as wanted"),
        pytest.param(["--rule", "file"], ["file"], id="of one rule"),
        pytest.param(["--mailbox", BOX], ["answer", "file"], id="of one mailbox"),
        pytest.param(["--mailbox", "other@x.example"], [], id="of a mailbox without any"),
        pytest.param(["--mailbox", BOX, "--rule", "file"], ["file"], id="of one rule and one mailbox"),
    ],
)
async def test_runs_are_chosen(busy: Console, args: list[str], rules: list[str]) -> None:
    assert [one["rule"] for one in lines(await busy.call("runs", "--json", *args))] == rules


async def test_one_run_is_shown_with_its_steps(busy: Console) -> None:
    run = (await busy.world.runs())[1].run.id
    result = await busy.call("runs", run[:8])
    assert result.stdout.splitlines()[1:] == [
        "    why: the recipient is refused",
        "    0: labels done",
        "    1: send failed (why the recipient is refused)",
    ]


async def test_a_run_as_json(busy: Console) -> None:
    run = (await busy.world.runs())[0].run
    (shown,) = lines(await busy.call("runs", run.id, "--json"))
    assert shown == {
        "run": run.id,
        "state": "done",
        "rule": "file",
        "mailbox": BOX,
        "event": "message.received",
        "message": "1",
        "created": "2026-01-01T00:00:01+00:00",
        "rules": run.digest,
        "attempts": 0,
        "why": "",
        "captures": {"n": "7"},
        "shadow": False,
        "undone": None,
        "steps": [
            {
                "effect": {"kind": "labels", "after": 0, "add": ["F/7"], "remove": [], "scope": "message"},
                "receipt": {
                    "outcome": "done",
                    "undo": '{"labels":[{"keys":["1"],"add":[],"remove":["F/7"]}]}',
                },
            }
        ],
    }


@pytest.mark.parametrize("run", ["ffff0000", "*", "?", "[0-9a-f]"])
@pytest.mark.parametrize("command", ["runs", "replay"])
async def test_a_run_that_there_is_not_is_named(busy: Console, command: str, run: str) -> None:
    result = await busy.call(command, run)
    assert result.exit_code != 0
    assert run in result.stderr
    assert (await busy.world.runs())[1].state == "dead"


async def test_dead_runs_are_shown_and_counted_by_the_exit_code(busy: Console) -> None:
    result = await busy.call("dead")
    assert result.exit_code == 1
    assert "answer" in result.stdout
    assert "why: the recipient is refused" in result.stdout
    assert [one["message"] for one in lines(await busy.call("dead", "--json"))] == ["2"]


async def test_a_dead_run_is_opened_again_once(busy: Console) -> None:
    run = (await busy.world.runs())[1].run.id
    result = await busy.call("replay", run[:8])
    assert (result.exit_code, result.stdout) == (0, f"{run} is open again\n")
    assert (await busy.world.runs())[1].state == "open"
    again = await busy.call("replay", run)
    assert again.exit_code != 0
    assert "is not dead" in again.stderr
    assert (await busy.call("dead")).exit_code == 0


async def test_signs_that_several_runs_begin_with_open_none(busy: Console) -> None:
    result = await busy.call("replay", "")
    assert "2 runs begin with" in result.stderr
    assert (await busy.world.runs())[1].state == "dead"


async def test_with_no_runs_it_says_so(console: Console) -> None:
    for command, code in (("runs", 0), ("dead", 0)):
        result = await console.call(command)
        assert (result.exit_code, result.stdout) == (code, "no runs\n")
        assert (await console.call(command, "--json")).stdout == ""
