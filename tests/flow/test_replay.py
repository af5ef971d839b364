"""Doing a dead run again, with the rules and templates that it was decided with."""

from __future__ import annotations

import pytest

from engine.errors import Rejected
from engine.flow.rulebook import Sources
from engine.flow.writing import LOOKS
from engine.mail.mime import from_raw
from tests.flow.conftest import World
from tests.flow.fakes import mail

TWO_SENDS = (
    "{when: {label: INBOX}, then: [label: A, reply: hi, send: {template: hi, to: boss@x.example}, label: B]}"
)


async def refuse_next(world: World) -> None:
    async def refuse() -> None:
        raise Rejected("no")

    world.provider.meanwhile["send"] = refuse


async def test_replay_does_the_failed_step_again_and_no_other(world: World) -> None:
    await world.rules(TWO_SENDS)
    world.provider.deliver("1")
    await world.read_and_drain()
    run = (await world.run()).run.id
    world.provider.meanwhile["send"] = lambda: refuse_next(world)
    await world.execute(run)
    dead = await world.run()
    assert dead.state == "dead"
    assert {step: one["outcome"] for step, one in dead.receipts.items()} == {
        0: "done",
        1: "done",
        2: "failed",
    }
    assert await world.journal.reopen(run, world.clock())
    for _ in range(LOOKS):
        again = await world.execute(run)
        assert again is not None
        world.clock.forward(again - world.clock())
    assert await world.execute(run) is None
    done = await world.run()
    assert done.state == "done"
    assert {one["outcome"] for one in done.receipts.values()} == {"done"}
    assert [from_raw(raw, key="").addresses("To")[0].address for raw in world.provider.sent] == [
        "ann@x.example",
        "boss@x.example",
    ]
    assert not await world.journal.reopen(run, world.clock())


async def test_replay_does_a_refused_label_again(world: World) -> None:
    await world.rules("{when: {label: INBOX}, then: [label: A, reply: hi]}")
    world.provider.deliver("1")
    world.provider.poison = frozenset({"1"})
    await world.read_and_drain()
    await world.execute_all()
    run = await world.run()
    assert run.state == "dead"
    world.provider.poison = frozenset()
    assert await world.journal.reopen(run.run.id, world.clock())
    await world.execute(run.run.id)
    assert (await world.run()).state == "done"
    assert "A" in world.provider.labels("1")
    assert len(world.provider.sent) == 1


async def test_a_replay_waits_in_the_list_of_what_is_due(world: World) -> None:
    await world.rules("{when: {label: INBOX}, then: [reply: hi]}")
    world.provider.deliver("1")
    await world.read_and_drain()
    run = (await world.run()).run.id
    world.provider.failures["send"] = [Rejected("no")]
    await world.execute(run)
    assert await world.waking.runs(world.clock() + 10**9) == 0
    await world.journal.reopen(run, world.clock())
    assert await world.waking.runs(world.clock()) == 1


async def test_a_run_that_could_not_be_judged_has_nothing_to_do_again(world: World) -> None:
    await world.rules("{when: {size: {gte: 0}}, then: [label: A]}")
    world.provider.deliver("1")
    world.provider.failures["fetch"] = [Rejected("never")]
    await world.read_and_drain()
    assert not await world.journal.reopen((await world.run()).run.id, world.clock())


@pytest.mark.parametrize(
    "restarted", [False, True], ids=["in the same worker", "in a worker that was restarted"]
)
async def test_a_run_is_carried_out_with_the_template_that_it_was_decided_with(
    world: World, restarted: bool
) -> None:
    await world.rules("{when: {label: INBOX}, then: [reply: hi]}")
    world.provider.deliver("1", mail("order"))
    await world.read_and_drain()
    world.sources = Sources({}, {"hi.md": "---\nsubject: New\n---\nNew.\n"})
    if restarted:
        world.__post_init__()
    await world.keeper.reload()
    await world.execute_all()
    assert from_raw(world.provider.sent[0], key="").subject == "Thank you"


async def test_without_the_kept_sources_a_run_needs_a_person(world: World) -> None:
    await world.rules("{when: {label: INBOX}, then: [reply: hi]}")
    world.provider.deliver("1")
    await world.read_and_drain()
    await world.base.redis.delete(world.base.key("blob", (await world.run()).run.digest))
    world.__post_init__()
    await world.execute_all()
    recorded = await world.run()
    assert recorded.state == "dead"
    assert "no longer kept" in recorded.why


async def test_replay_looks_for_a_send_also_behind_a_label_that_failed(world: World) -> None:
    await world.rules("{when: {label: INBOX}, then: [label: A, reply: hi]}")
    world.provider.deliver("1")
    world.provider.poison = frozenset({"1"})
    await world.read_and_drain()
    run = (await world.run()).run.id
    world.provider.failures["find"] = [Rejected("no")]
    world.provider.lost_answers = 1
    again = await world.execute(run)
    assert again is not None
    world.clock.forward(again - world.clock())
    await world.execute(run)
    assert (await world.run()).state == "dead"
    world.provider.poison = frozenset()
    assert await world.journal.reopen(run, world.clock())
    for _ in range(LOOKS):
        if again := await world.execute(run):
            world.clock.forward(again - world.clock())
    assert len(world.provider.sent) == 1
    assert (await world.run()).state == "done"
