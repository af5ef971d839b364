"""What the way of an event tells: one id from ring to receipt, figures, and never a message's text."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from engine import metrics, tracing
from engine.cli.logs import JsonFormatter, trace_of
from engine.errors import Rejected
from engine.metrics import DECIDED, DECISIONS, EFFECTS, EVENTS
from tests.flow.conftest import World
from tests.flow.fakes import BOX, mail

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
HEADER = f"00-{TRACE}-00f067aa0ba902b7-01"
RULES = (
    "{id: file, when: {subject: file}, then: [label: A]}",
    "{id: answer, when: {subject: {contains: hello}}, then: [label: B, reply: hi]}",
)


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    metrics.take()
    yield
    metrics.take()


class Lines(logging.Handler):
    """Keeps each line as (logger, level, trace, message)."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.kept: list[tuple[str, str, str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.kept.append((record.name, record.levelname, trace_of(record), record.getMessage()))
        assert json.loads(JsonFormatter().format(record))["message"] == record.getMessage()


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler, logger = Lines(), logging.getLogger("postroom")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(level)


async def ring_and_drain(world: World) -> None:
    await world.mailboxes.ring([BOX], world.clock(), {BOX: HEADER})
    await world.read_and_drain()


async def test_one_id_leads_from_the_ring_to_the_receipt(world: World, lines: Lines) -> None:
    await world.rules(*RULES)
    world.provider.deliver("m1", mail("hello there"))
    await ring_and_drain(world)
    await world.drain()
    await world.execute_all()
    run = await world.run()
    assert (run.state, run.run.trace) == ("done", HEADER)
    told = [(name, message) for name, _, trace, message in lines.kept if trace == TRACE]
    assert told == [
        ("postroom.poll", f"{BOX}: 1 events read"),
        ("postroom.drain", f"{BOX}: 1 decided, 1 runs, 0 put aside"),
        ("postroom.drain", f"{BOX} message.received m1: answer matched"),
        ("postroom.execute", f"run {run.run.id}, step 0: labels done"),
        ("postroom.execute", f"run {run.run.id} of answer, step 1: send done"),
    ]


async def test_mail_that_only_polling_found_has_an_id_of_its_own(world: World) -> None:
    await world.rules(*RULES)
    for key in ("m1", "m2"):
        world.provider.deliver(key, mail("hello"))
        await world.read_and_drain()
    traces = {recorded.run.trace for recorded in await world.runs()}
    assert len(traces) == 2
    assert all(tracing.read(trace) == trace for trace in traces)


async def test_no_line_holds_what_a_message_says_or_whom_it_is_from(world: World, lines: Lines) -> None:
    await world.rules(
        *RULES, "{id: order, when: {subject: {regex: '(?P<n>pl4nted)'}}, then: [label: 'O/{{ captures.n }}']}"
    )
    world.provider.deliver("m1", mail("hello pl4nted subject", "Pl4nted <pl4nted@secret.example>"))
    for _ in range(3):
        await ring_and_drain(world)
        await world.drain()
        await world.execute_all()
    assert any("label.added" in line[3] for line in lines.kept)
    assert not [line for line in lines.kept if "pl4nted" in line[3].lower() or "secret.example" in line[3]]


async def test_what_was_decided_and_done_is_counted(world: World) -> None:
    await world.rules(*RULES, "{id: never, when: {subject: never}, then: [label: C]}")
    world.provider.deliver("m1", mail("hello"))
    world.provider.deliver("m2", mail("hello again", Auto_Submitted="auto-replied"))
    world.provider.deliver("m3", mail("file"), labels=["INBOX", "A"])
    await ring_and_drain(world)
    await world.drain()
    await world.execute_all()
    counts = metrics.take().counts
    assert counts[EVENTS.name, BOX, "message.received"] == 3
    assert counts[DECIDED.name, BOX] == 3
    assert {series[1:]: by for series, by in counts.items() if series[0] == DECISIONS.name} == {
        ("answer", "matched"): 2,
        ("answer", "held"): 1,
        ("file", "matched"): 1,
    }
    assert {series[1:]: by for series, by in counts.items() if series[0] == EFFECTS.name} == {
        ("labels", "done"): 2,
        ("labels", "unchanged"): 1,
        ("send", "done"): 1,
        ("send", "held"): 1,
    }


async def test_a_rule_that_could_not_be_judged_is_counted(world: World) -> None:
    await world.rules("{id: big, when: {attachment: {type: pdf}}, then: [label: A], stop: true}")
    world.provider.deliver("m1", b"Content-Type: multipart/mixed\r\nSubject: x\r\n\r\nbroken")
    world.provider.failures["fetch m1 attachments"] = [Rejected("no")]
    await ring_and_drain(world)
    assert metrics.take().counts[DECISIONS.name, "big", "undecided"] == 1


async def test_a_batch_names_the_other_causes_it_was_for(world: World, lines: Lines) -> None:
    await world.rules(*RULES)
    for key in ("m1", "m2"):
        world.provider.deliver(key)
        world.clock.forward(1_000)
        await world.poll()
    await world.drain()
    first, second = [trace for name, _, trace, _ in lines.kept if name == "postroom.poll"]
    (batch,) = [
        (trace, message)
        for name, level, trace, message in lines.kept
        if (name, level) == ("postroom.drain", "INFO")
    ]
    assert batch == (first, f"{BOX}: 2 decided, 0 runs, 0 put aside; also for {second}")
