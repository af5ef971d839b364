"""`apply`: a preview, and, where somebody says so, the work itself."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from click.testing import Result

from tests.cli.conftest import Console
from tests.flow.fakes import BOX, START_MS, mail

DAY = 86_400_000
RULES = (
    "{id: file, when: {subject: {contains: order}}, then: [label: {add: [Orders], remove: [INBOX]}]}",
    "{id: thank, when: {subject: {contains: order}}, then: [reply: hi]}",
    "{id: notes, event: label.added, when: {label: X}, then: [label: Y]}",
    "{id: weekly, event: schedule, schedule: '0 7 * * 1', when: {label: X}, then: [label: Y]}",
    "{id: others, mailboxes: [else@acme.example], when: {subject: x}, then: [label: Y]}",
)
SINCE = ("--mailbox", BOX, "--since", "2025-12-01")


@pytest.fixture
async def old(console: Console) -> Console:
    """A mailbox with two messages of before it came into service."""
    world = console.world
    for number, subject in enumerate(["order 1", "hello"]):
        world.provider.deliver(f"m{number}", mail(subject), received=START_MS - (2 - number) * DAY)
    world.provider.records.clear()
    world.clock.forward(DAY)
    await world.rules(*RULES)
    await world.poll()
    return console


async def done(console: Console, *words: str) -> Result:
    """Call it while a worker is at work."""
    calling = asyncio.create_task(console.call("apply", *SINCE, *words))
    while not calling.done():
        await console.world.drain()
        await asyncio.wait({calling}, timeout=0.05)
    return calling.result()


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


async def test_a_preview_gives_counts_and_samples_and_does_nothing(old: Console) -> None:
    result = await old.call("apply", *SINCE)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "looked at 2 messages; 1 run of rules would be new",
        "rules",
        "        1  file",
        "what would be done",
        "        1  label +Orders",
        "        1  label -INBOX",
        "",
        'm0  2025-12-30 00:00  ann@x.example  "order 1"',
        "    file: label +Orders, label -INBOX",
    ]
    assert "--yes does it" in result.stderr
    assert await old.world.runs() == []


async def test_sends_are_shown_where_they_are_asked_for_with_why_the_guard_holds_them(old: Console) -> None:
    (told,) = lines(await old.call("apply", *SINCE, "--with-sends", "--json"))
    assert told["rules"] == {"file": 1, "thank": 1}
    why = "it arrived on 2025-12-30, longer ago than `answer_within`"
    assert told["held"] == {why: 1}
    assert told["samples"][0]["runs"][1] == {"rule": "thank", "steps": [f"reply hi (held: {why})"]}


async def test_yes_does_what_was_shown(old: Console) -> None:
    result = await done(old, "--yes", "--json")
    assert result.exit_code == 0, result.output
    told, did = lines(result)
    assert told["runs"] == 1
    assert (did["handed_over"], did["not_begun"], sum(did["runs"].values())) == (1, 0, 1)
    assert old.world.provider.labels("m0") == {"UNREAD", "Orders"}


async def test_doing_it_again_finds_nothing_to_do(old: Console) -> None:
    await done(old, "--yes")
    result = await done(old, "--yes")
    assert result.stdout.splitlines() == ["looked at 2 messages; 0 runs of rules would be new"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param((*SINCE, "--rule", "fyle"), "did you mean 'file'?", id="a misspelt rule"),
        pytest.param((*SINCE, "--rule", "notes"), "hears label.added", id="a rule of another event"),
        pytest.param((*SINCE, "--rule", "weekly"), "hears schedule: apply", id="a rule with a schedule"),
        pytest.param((*SINCE, "--rule", "others"), "does not concern", id="a rule of another mailbox"),
    ],
)
async def test_what_cannot_be_meant_is_refused(old: Console, words: tuple[str, ...], said: str) -> None:
    result = await old.call("apply", *words)
    assert said in str(result.exception)


async def test_one_rule_alone_can_be_applied(old: Console) -> None:
    (told,) = lines(await old.call("apply", *SINCE, "--with-sends", "--rule", "thank", "--json"))
    assert told["rules"] == {"thank": 1}
