"""`undo`, as a person calls it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import Result

from engine.cli.undo_text import Counts, as_lines
from engine.flow.giving_up import BRAKED
from engine.flow.touches import Change
from engine.flow.undoing import Restored
from tests.cli.conftest import Console
from tests.flow.fakes import mail

FILE = "{id: file, when: {subject: {contains: order}}, then: [label: {add: [Orders], remove: [INBOX]}]}"
THANK = "{id: thank, when: {subject: {contains: first}}, then: [label: Thanked, reply: hi]}"


@pytest.fixture
async def filed(console: Console) -> Console:
    """Three filed messages, one of which was answered and one of which a person has touched."""
    world = console.world
    await world.rules(FILE, THANK)
    for key, subject in {"m1": "first order", "m2": "order 2", "m3": "order 3"}.items():
        world.provider.deliver(key, mail(subject))
    await world.read_and_drain()
    await world.execute_all()
    world.provider.relabel("m2", ["TRASH"], ["Orders"])
    return console


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


async def test_a_preview_gives_counts_samples_and_all_that_is_left(filed: Console) -> None:
    result = await filed.call("undo", "--rule", "file", "--since", "2025-12-01")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "3 runs over 3 messages would be undone; 2 would change",
        "what would be done",
        "        2  label +INBOX",
        "        2  label -Orders",
        "for example",
        "  m1  file: label +INBOX, label -Orders",
        "  m3  file: label +INBOX, label -Orders",
        "left as it is (1)",
        "  m2  file: a person has put it into the trash",
    ]
    assert "--yes does it" in result.stderr
    assert "Orders" in filed.world.provider.labels("m1")


def test_what_calls_set_off_is_told_of_together_and_each_thing_once() -> None:
    counts = Counts(acts=False, runs=3)
    counts.add(Restored("n@acme.example", "", ("(send)",), Change(), (BRAKED,) * 3), samples=1)
    said = list(as_lines(counts))
    assert said[-1] == "  (calls)  (send): take back the message that waits while sends are paused"


async def test_one_run_is_undone_as_far_as_there_is_a_way_back(filed: Console) -> None:
    (thanked,) = [one.run.id for one in await filed.world.runs() if one.run.rule == "thank"]
    result = await filed.call("undo", thanked[:12], "--yes", "--json")
    assert result.exit_code == 0, result.output
    message, counts = lines(result)
    assert message == {
        "message": "m1",
        "mailbox": "support@acme.example",
        "rules": ["thank"],
        "labels": {"add": [], "remove": ["Thanked"]},
        "files": [],
        "left": [],
        "already": [],
    }
    assert counts["no_way_back"] == {"what was sent cannot be called back": 1}
    assert (counts["done"], counts["runs"], counts["changed"]) == (True, 1, 1)
    again = await filed.call("undo", thanked[:12], "--yes")
    assert again.stdout.splitlines()[:3] == [
        "0 runs over 0 messages were undone; 0 changed",
        "runs left alone",
        "        1  it is undone already",
    ]
    (shown,) = lines(await filed.call("runs", thanked, "--json"))
    assert shown["undone"]["left"] == []
    (line,) = (await filed.call("runs", "--rule", "thank")).stdout.splitlines()
    assert line.split()[1] == "undone"
    assert "undone by " in (await filed.call("runs", thanked)).stdout


async def test_a_refusal_is_told_and_ends_with_1(filed: Console) -> None:
    filed.world.provider.poison = frozenset({"m3"})
    result = await filed.call("undo", "--rule", "file", "--since", "2025-12-01", "--yes")
    assert result.exit_code == 1
    assert "  m3  file: refused: a message is refused" in result.stdout.splitlines()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param([], "name one RUN, or --rule with --since", id="nothing"),
        pytest.param(["abc", "--rule", "file"], "name one RUN, or --rule with --since", id="both"),
        pytest.param(["--rule", "file"], "name one RUN, or --rule with --since", id="no time"),
        pytest.param(["fff0"], "there is no run fff0", id="a run that is not there"),
        pytest.param(
            ["--rule", "fill", "--since", "2h"],
            "the rule fill has no runs since then",
            id="a rule that is not",
        ),
    ],
)
async def test_what_cannot_be_meant_is_refused(filed: Console, words: list[str], said: str) -> None:
    result = await filed.call("undo", *words)
    assert result.exit_code in (1, 2)
    assert said in result.output or said in str(result.exception)
