"""Carrying runs out: what failed is tried again, what may have worked is looked up, never guessed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from engine.errors import (
    MessageGone,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    SettingsError,
    Unauthorized,
    Unavailable,
)
from engine.flow.execute import FIRST_WAIT_MS, LONGEST_WAIT_MS, PAUSE_MS, execute
from engine.flow.patience import GIVE_UP_MS, SHUT_OUT_MS
from engine.flow.recorded import Recorded
from engine.flow.stores import Claim, Settled
from engine.mail.headers import parse_headers
from tests.flow.conftest import World
from tests.flow.fakes import FakeProvider, mail

REPLY = "{when: {label: INBOX}, then: [reply: hi]}"
DRAFT = "{when: {label: INBOX}, then: [draft: {template: hi, reply: true}]}"
LOOK_GAP = 5_000


async def opened(world: World, *rules: str, raw: bytes | None = None) -> str:
    """One open run of the rules; its id."""
    await world.rules(*rules)
    world.provider.deliver("1", raw or mail("order"))
    await world.read_and_drain()
    return (await world.run()).run.id


async def again(world: World, run: str) -> Recorded:
    """Carry the run on as often as it says, each time when it says, to its end."""
    for _ in range(20):
        at = await world.execute(run)
        if at is None:
            return await world.run()
        world.clock.now = at
    raise AssertionError("it never ends")


def message_ids(world: World) -> list[str]:
    return [parse_headers(raw).text("Message-ID") for raw in (*world.provider.sent, *world.provider.drafts)]


@pytest.mark.parametrize("rule", [REPLY, DRAFT], ids=["a reply", "a draft"])
async def test_a_run_is_carried_out_and_its_receipt_kept(world: World, rule: str) -> None:
    run = await opened(world, rule)
    assert await world.execute(run) is None
    recorded = await world.run()
    (message_id,) = message_ids(world)
    assert recorded.state == "done"
    assert recorded.receipts[0]["outcome"] == "done"
    assert recorded.receipts[0]["message_id"] == message_id == f"<{run}.0.postroom@acme.example>"
    assert await world.execute(run) is None
    assert len(message_ids(world)) == 1


async def test_a_known_failure_is_tried_again_ever_later(world: World) -> None:
    run = await opened(world, REPLY)
    world.provider.failures["send"] = [Unavailable("down") for _ in range(20)]
    waits = []
    for _ in range(20):
        at = await world.execute(run)
        assert at is not None
        waits.append(at - world.clock())
        world.clock.now = at
    assert waits[:6] == [2_000, 2_000, 2_000, 3_000, 4_500, 6_750]
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_WAIT_MS
    assert world.provider.calls["find"] == 0
    assert await world.execute(run) is None
    assert len(world.provider.sent) == 1


async def test_tries_that_waited_for_their_turn_do_not_make_a_failure_wait(world: World) -> None:
    run = await opened(world, REPLY)
    world.provider.failures["send"] = [
        *(RateLimited("slow", until=0) for _ in range(40)),
        Unavailable("down"),
    ]
    for _ in range(40):
        at = await world.execute(run)
        assert at is not None
        world.clock.now = at
    assert await world.execute(run) == world.clock() + FIRST_WAIT_MS


async def test_before_its_time_nobody_else_tries(world: World) -> None:
    run = await opened(world, REPLY)
    claim = await world.journal.claim(run, world.clock(), world.clock() + world.timeout, world.margin)
    assert claim is not None
    assert await world.execute(run) == world.clock() + world.timeout + world.margin
    assert world.provider.sent == []


@pytest.mark.parametrize(
    ("error", "wait"),
    [
        pytest.param(Unauthorized("no"), PAUSE_MS, id="refused credentials"),
        pytest.param(RateLimited("slow", until=0), 50, id="a rate limit that is over"),
        pytest.param(RateLimited("slow", until=2_000_000_000), None, id="a rate limit"),
    ],
)
async def test_what_will_pass_is_waited_for(world: World, error: Exception, wait: int | None) -> None:
    run = await opened(world, REPLY)
    world.provider.failures["send"] = [error]
    assert await world.execute(run) == (2_000_000_000_000 if wait is None else world.clock() + wait)
    assert (await world.run()).state == "open"


@pytest.mark.parametrize("rule", [REPLY, DRAFT], ids=["a reply", "a draft"])
async def test_a_lost_answer_is_looked_up_after_deadline_and_margin_and_found(
    world: World, rule: str
) -> None:
    run = await opened(world, rule)
    world.provider.lost_answers = 1
    began = world.clock()
    assert await world.execute(run) == began + world.timeout + world.margin
    assert world.provider.calls["find"] == 0
    world.clock.now = began + world.timeout + world.margin
    assert await world.execute(run) is None
    assert len(message_ids(world)) == 1
    assert (await world.run()).receipts[0]["how"] == "found"


async def test_a_search_that_lags_is_asked_twice(world: World) -> None:
    run = await opened(world, REPLY)
    world.provider.lost_answers = world.provider.search_lag = 1
    recorded = await again(world, run)
    assert recorded.receipts[0]["how"] == "found"
    assert (world.provider.calls["find"], len(world.provider.sent)) == (2, 1)


async def test_a_look_goes_back_to_before_the_run_began(world: World) -> None:
    run = await opened(world, REPLY)
    began = world.clock()
    world.provider.lost_answers = 1
    await again(world, run)
    assert world.provider.looked_back_to == datetime.fromtimestamp(began / 1000 - 60, UTC)


async def test_of_a_run_that_is_opened_again_a_look_goes_an_hour_further_back(world: World) -> None:
    run = await opened(world, REPLY)
    world.provider.failures["send"] = [Rejected("no such recipient")]
    await world.execute(run)
    world.clock.forward(GIVE_UP_MS)
    assert await world.journal.reopen(run, world.clock())
    await world.execute(run)
    assert world.provider.looked_back_to == datetime.fromtimestamp(world.clock() / 1000 - 3660, UTC)


async def test_only_after_two_looks_in_vain_is_it_tried_again(world: World) -> None:
    run = await opened(world, REPLY)
    world.provider.failures["send"] = [OutcomeUnknown("cut off")]
    began = world.clock()
    first = began + world.timeout + world.margin
    assert await world.execute(run) == first
    world.clock.now = first
    assert await world.execute(run) == first + LOOK_GAP
    world.clock.now = first + LOOK_GAP
    assert await world.execute(run) == first + 2 * LOOK_GAP
    assert (world.provider.calls["send"], world.provider.calls["find"]) == (1, 2)
    world.clock.now = first + 2 * LOOK_GAP
    assert await world.execute(run) is None
    assert (len(world.provider.sent), world.provider.calls["find"]) == (1, 2)


async def test_a_second_try_whose_answer_is_lost_as_well_is_looked_up_anew(world: World) -> None:
    run = await opened(world, REPLY)
    world.provider.failures["send"] = [OutcomeUnknown("cut off")]
    while world.provider.calls["find"] < 2:
        at = await world.execute(run)
        assert at is not None
        world.clock.now = at
    world.provider.lost_answers = 1
    recorded = await again(world, run)
    assert recorded.receipts[0]["how"] == "found"
    assert len(world.provider.sent) == 1


async def test_a_look_that_fails_is_no_look(world: World) -> None:
    run = await opened(world, REPLY)
    world.provider.lost_answers = 1
    world.provider.failures["find"] = [Unavailable("down"), Unavailable("down")]
    recorded = await again(world, run)
    assert recorded.receipts[0]["how"] == "found"
    assert len(world.provider.sent) == 1


async def test_a_look_that_its_deadline_ended_goes_on_soon_whatever_a_clock_rounds(world: World) -> None:
    run = await opened(world, REPLY)
    world.provider.lost_answers = 1
    world.clock.now = await world.execute(run) or 0

    async def almost() -> None:
        world.clock.forward(world.timeout - 1)

    world.provider.meanwhile["find"] = almost
    world.provider.failures["find"] = [Unavailable("the deadline passed before the call was begun")]
    assert await world.execute(run) == world.clock() + world.executing.look_gap


async def test_a_worker_that_died_after_its_send_does_not_send_again(world: World) -> None:
    run = await opened(world, REPLY)
    settle = world.journal.settle

    async def die(*args: object) -> bool:
        raise ConnectionError("killed")

    world.journal.settle = die  # type: ignore[method-assign, assignment]
    with pytest.raises(ConnectionError):
        await world.execute(run)
    world.journal.settle = settle  # type: ignore[method-assign]
    recorded = await again(world, run)
    assert recorded.receipts[0]["how"] == "found"
    assert len(world.provider.sent) == 1


async def test_a_call_that_outlasts_its_deadline_may_have_worked(world: World) -> None:
    world.timeout = 50
    run = await opened(world, REPLY)

    async def hang() -> None:
        await asyncio.Event().wait()

    world.provider.meanwhile["send"] = hang
    assert await world.execute(run) == world.clock() + world.timeout + world.margin
    world.timeout = 2_000
    world.clock.forward(61_000)
    await again(world, run)
    assert (world.provider.calls["find"], len(world.provider.sent)) == (2, 1)


async def test_a_refusal_needs_a_person(world: World) -> None:
    run = await opened(world, REPLY)
    world.provider.failures["send"] = [Rejected("no such recipient")]
    assert await world.execute(run) is None
    recorded = await world.run()
    assert (recorded.state, recorded.why) == ("dead", "no such recipient")
    assert recorded.receipts[0] == {"outcome": "failed", "why": "no such recipient"}
    assert await world.journal.newest(9, dead=True) == [run]


@pytest.mark.parametrize(
    ("call", "error"),
    [
        pytest.param("send", Unavailable("down"), id="a failure"),
        pytest.param("send", OutcomeUnknown("cut off"), id="an answer that is lost each time"),
        pytest.param("fetch", Unavailable("down"), id="a message that cannot be had"),
    ],
)
async def test_what_fails_for_a_day_needs_a_person(world: World, call: str, error: Exception) -> None:
    run = await opened(world, REPLY)
    began = world.clock()
    world.provider.failures[call] = [error] * 2_000
    while (at := await world.execute(run)) is not None:
        assert at > world.clock()
        world.clock.now = at
    assert (await world.run()).state == "dead"
    assert 0 <= world.clock() - began - GIVE_UP_MS <= LONGEST_WAIT_MS
    assert await world.journal.reopen(run, world.clock())
    assert await world.execute(run) is not None, "a person's word gives it another day"
    assert (await world.run()).state == "open"


async def test_credentials_are_waited_for_over_a_weekend_and_not_for_ever(world: World) -> None:
    run = await opened(world, REPLY)
    world.provider.failures["send"] = [Unauthorized("the client secret is refused")] * 3
    assert await world.execute(run) is not None
    world.clock.forward(3 * GIVE_UP_MS)
    assert await world.execute(run) is not None
    world.clock.forward(SHUT_OUT_MS)
    assert await world.execute(run) is None
    assert (await world.run()).state == "dead"


async def test_the_day_begins_with_the_first_failure_of_a_step(world: World) -> None:
    run = await opened(
        world, "{when: {label: INBOX}, then: [reply: hi, send: {template: hi, to: b@x.example}]}"
    )
    for _ in range(2):
        world.clock.forward(GIVE_UP_MS + 1_000)
        world.provider.failures["send"] = [Unavailable("down")]
        at = await world.execute(run)
        assert at is not None, "where all stood still for days, one failure is no reason to give up"
        world.clock.now = at
        # The second step fails as well, and has a day of its own.
        world.provider.failures["send"] = []
        claim = await world.journal.claim(run, at, at + world.timeout, world.margin)
        assert isinstance(claim, Claim)
        await world.journal.settle(Settled(run, claim.step or 0, {"outcome": "done"}), at, claim)
    assert (await world.run()).state == "done"


async def test_a_mailbox_that_is_not_configured_here_is_waited_for(world: World) -> None:
    run = await opened(world, REPLY)

    def unknown(_mailbox: str) -> FakeProvider:
        raise SettingsError("there is no such mailbox")

    stranger = replace(world.executing, provider=unknown)
    for _ in range(2):
        with pytest.raises(SettingsError):
            await execute(stranger, run)
        recorded = await world.run()
        assert (recorded.state, recorded.why) == ("open", "there is no such mailbox")
        world.clock.forward(GIVE_UP_MS + 1_000)
    assert await world.execute(run) is None
    assert len(world.provider.sent) == 1


async def test_a_message_that_is_gone_is_not_answered(world: World) -> None:
    run = await opened(world, REPLY)
    world.provider.failures["fetch"] = [MessageGone("deleted")]
    assert await world.execute(run) is None
    recorded = await world.run()
    assert (recorded.state, recorded.receipts[0]["outcome"]) == ("done", "skipped")
    assert world.provider.sent == []


async def test_runs_do_not_wait_for_each_other(world: World) -> None:
    await world.rules(REPLY)
    for key in "12":
        world.provider.deliver(key)
    await world.read_and_drain()
    world.provider.failures["send"] = [Unavailable("down")]
    await world.execute_all()
    assert [one.state for one in await world.runs()] == ["open", "done"]


async def test_a_step_that_failed_ends_its_run_in_the_same_moment(world: World) -> None:
    await opened(world, "{when: {label: INBOX}, then: [reply: hi, label: Answered]}")
    world.provider.failures["send"] = [Rejected("no such recipient")]
    await world.execute_all()
    recorded = await world.run()
    assert (recorded.state, recorded.why) == ("dead", "no such recipient")
    assert list(recorded.receipts) == [0]
    assert world.provider.changes == []
