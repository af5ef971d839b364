"""Our own footsteps are not news: each label change of ours passes unheard once."""

from __future__ import annotations

import pytest

from engine.errors import Unavailable
from engine.flow.rulebook import Sources, compile_sources
from engine.flow.sift import footstep, sift
from engine.flow.stores import Queued
from engine.mail.events import Event, EventKind
from tests.flow.conftest import World
from tests.flow.fakes import BOX

RULES = (
    "{id: file, when: {label: INBOX}, then: [label: {add: [A, B], remove: INBOX}]}",
    "{id: added, event: label.added, when: {not: {label: Noted}}, then: [label: Heard]}",
    "{id: removed, event: label.removed, when: {not: {label: Noted}}, then: [label: Heard]}",
)


async def heard(world: World) -> list[str]:
    """What changes by others rules heard of, as `added A`."""
    parts = [one.run.event.split("/") for one in await world.runs() if one.run.rule != "file"]
    return sorted(f"{kind.removeprefix('label.')} {changed}" for _, _, kind, _, changed in parts)


async def test_our_changes_pass_unheard_and_the_same_by_a_person_later_is_heard(world: World) -> None:
    await world.rules(*RULES)
    world.provider.deliver("1")
    await world.read_and_drain()
    assert world.provider.labels("1") == {"UNREAD", "A", "B"}
    await world.read_and_drain()
    assert await heard(world) == []
    world.provider.relabel("1", remove=["A"])
    world.provider.relabel("1", add=["A"])
    await world.read_and_drain()
    assert await heard(world) == ["added A", "removed A"]


async def test_what_a_person_changed_in_the_same_record_is_heard(world: World) -> None:
    await world.rules(*RULES)
    world.provider.deliver("1")
    await world.read_and_drain()
    world.provider.records.pop()
    world.provider.records.pop()
    world.provider.report(EventKind.LABEL_ADDED, "1", ("A", "B", "Mine"))
    await world.read_and_drain()
    assert await heard(world) == ["added Mine"]


async def test_a_change_that_changed_nothing_leaves_no_footstep(world: World) -> None:
    await world.rules("{id: file, when: {label: INBOX}, then: [label: A]}", *RULES[1:])
    world.provider.deliver("1", labels=("INBOX", "A"))
    await world.read_and_drain()
    world.provider.relabel("1", remove=["A"])
    await world.read_and_drain()
    world.provider.relabel("1", add=["A"])
    await world.read_and_drain()
    assert await heard(world) == ["added A", "removed A"]


async def test_a_footstep_that_never_came_back_expires_after_a_complete_read(world: World) -> None:
    await world.rules(*RULES)
    world.provider.deliver("1")
    await world.read_and_drain()
    del world.provider.records[1:]
    for _ in range(2):  # The first read may have begun before the answer was known.
        await world.read_and_drain()
    world.provider.report(EventKind.LABEL_ADDED, "1", ("A",))
    await world.read_and_drain()
    assert await heard(world) == ["added A"]


async def test_a_change_under_way_passes_unheard_however_long_it_takes(world: World) -> None:
    await world.rules(*RULES)
    world.provider.deliver("1")
    world.provider.failures["change_labels"] = [Unavailable("the answer of the first call")]
    await world.read_and_drain()
    world.provider.relabel("1", add=["A", "B"], remove=["INBOX"])
    for _ in range(3):
        await world.read_and_drain()
    assert await heard(world) == []


async def test_stale_footsteps_are_forgotten_when_trimming(world: World) -> None:
    await world.rules(*RULES)
    world.provider.deliver("1")
    await world.read_and_drain()
    del world.provider.records[1:]
    for _ in range(2):
        await world.read_and_drain()
    await world.waking.trim(world.clock(), 86_400_000)
    assert await world.base.redis.hlen(world.base.key("footsteps", BOX)) == 0


ANSWERED = 5_000


@pytest.mark.parametrize(
    ("read", "kept"),
    [
        pytest.param(0, False, id="the first read ever"),
        pytest.param(ANSWERED - 1, False, id="the read before began ahead of the answer"),
        pytest.param(ANSWERED, False, id="the read before began with the answer"),
        pytest.param(ANSWERED + 1, True, id="the read before began after the answer"),
    ],
)
def test_a_footstep_counts_until_a_read_that_began_after_its_answer_is_over(read: int, kept: bool) -> None:
    rules = compile_sources(Sources({"r.yaml": f"version: 1\nrules:\n  - {RULES[1]}\n"}, {})).rules
    event = Event(EventKind.LABEL_ADDED, BOX, 7, "1", changed=("A",))
    sifted = sift([Queued("1-0", event, read)], frozenset(), {footstep("1", "+", "A"): ANSWERED}, rules)
    assert bool(sifted.look) is kept
    assert bool(sifted.heard) is not kept


def test_one_footstep_lets_one_record_pass() -> None:
    rules = compile_sources(Sources({"r.yaml": f"version: 1\nrules:\n  - {RULES[1]}\n"}, {})).rules
    batch = [
        Queued(f"{at}-0", Event(EventKind.LABEL_ADDED, BOX, at, "1", changed=("A",)), 0) for at in (1, 2)
    ]
    sifted = sift(batch, frozenset(), {footstep("1", "+", "A"): 0}, rules)
    assert [one.entry for one in sifted.look] == ["2-0"]
    assert [one.entry for one in sifted.passed] == ["1-0"]
