"""Writes that were lost: what was done meanwhile is looked up, and nothing is done twice."""

from __future__ import annotations

import pytest

from engine.errors import LeaseLost, RateLimited, Unauthorized, Unavailable
from engine.flow.doubt import FOUND, NOTHING, UNKNOWN, Recovering, Report, look_up
from engine.flow.doubt_answers import find_answers
from engine.flow.scheduling import see_to_schedules
from engine.flow.stores import Commit
from engine.mail.events import EventKind
from engine.store.doubts import RedisDoubts
from tests.flow.conftest import World
from tests.flow.fakes import BOX, START_MS, mail
from tests.flow.losing import copy, put_back

HOUR_MS = 3_600_000
REPLY = "{id: answer, when: {subject: {contains: order}}, then: [reply: hi]}"
FILE_AND_REPLY = "{id: answer, when: {subject: {contains: order}}, then: [label: Seen, reply: hi]}"
TWO = (
    "{id: two, when: {subject: {contains: order}},"
    " then: [reply: hi, send: {template: hi, to: boss@x.example}]}"
)
DRAFT = "{id: d, when: {subject: {contains: order}}, then: [draft: {template: hi, reply: true}]}"
ONCE_IN_INBOX = (
    "{id: once, when: {all: [{subject: {contains: order}}, {label: INBOX}]},"
    " then: [archive: true, reply: {template: hi, once_per: {sender: 7d}}]}"
)


async def recover(world: World, *, dry_run: bool = False) -> Report:
    """What the command does for one mailbox."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    recovering = Recovering(RedisDoubts(world.base), dry_run, world.clock, sleep)
    report = Report(BOX)
    await look_up(recovering, world.provider, report, await recovering.doubts.unsettled())
    cursor, book = await world.mailboxes.cursor(BOX), world.keeper.current()
    assert cursor is not None
    assert book is not None
    if report.clear:
        await find_answers(recovering, world.provider, book.rules, report, cursor.history)
    return report


async def finish(world: World) -> None:
    """Decide and carry out all that is left, looks included."""
    await world.read_and_drain()
    for _ in range(10):
        world.clock.forward(6_000)
        await world.execute_all()
    assert {one.state for one in await world.runs()} == {"done"}


def done(world: World) -> int:
    return len(world.provider.sent) + len(world.provider.drafts)


@pytest.mark.parametrize(
    ("rule", "steps"),
    [
        pytest.param(REPLY, 1, id="a reply"),
        pytest.param(FILE_AND_REPLY, 1, id="a reply behind a label change"),
        pytest.param(TWO, 2, id="two sends in one run"),
        pytest.param(DRAFT, 1, id="a draft"),
    ],
)
@pytest.mark.parametrize("lost", ["all of it", "the decision", "the receipts"])
@pytest.mark.parametrize("lag", [0, 1], ids=["no lag", "a search that lags"])
async def test_what_was_done_is_not_done_again(
    world: World, rule: str, steps: int, lost: str, lag: int
) -> None:
    await world.rules(rule)
    world.provider.deliver("1", mail("order"))
    kept = await copy(world.base)
    world.clock.forward(1_000)
    await world.poll()
    if lost == "the decision":
        kept = await copy(world.base)
    await world.drain()
    if lost == "the receipts":
        kept = await copy(world.base)
    await finish(world)
    assert done(world) == steps
    await put_back(world.base, kept)
    world.provider.search_lag = lag
    report = await recover(world)
    assert report.clear
    await finish(world)
    assert done(world) == steps


@pytest.mark.parametrize("rule", [REPLY, FILE_AND_REPLY, TWO, DRAFT])
@pytest.mark.parametrize("decided", [False, True])
async def test_what_was_not_done_is_done_once(world: World, rule: str, decided: bool) -> None:
    await world.rules(rule)
    world.provider.deliver("1", mail("order"))
    if decided:
        await world.read_and_drain()
    await recover(world)
    await finish(world)
    assert done(world) == (2 if rule == TWO else 1)
    world.provider.deliver("2", mail("order", sender="bob@x.example"))
    looks = world.provider.calls["find"]
    await finish(world)
    assert done(world) == (4 if rule == TWO else 2)
    assert world.provider.calls["find"] == looks, "what came later is in no doubt"


@pytest.mark.parametrize("lag", [0, 1], ids=["no lag", "a search that lags"])
async def test_a_thread_keeps_its_one_draft(world: World, lag: int) -> None:
    await world.rules(DRAFT)
    kept = await copy(world.base)
    world.clock.forward(1_000)
    for key in ("1", "2"):
        world.provider.threads[key] = "t"
        world.provider.deliver(key, mail(f"order{key} order"))
        await finish(world)
    assert list(world.provider.lying) == ["draft-1"]
    await put_back(world.base, kept)
    world.provider.search_lag = lag
    assert (await recover(world)).clear
    await finish(world)
    assert list(world.provider.lying) == ["draft-1"]
    assert {one.receipts[0]["id"] for one in await world.runs()} == {"draft-1"}


EVERY_DAY = "{id: chase, event: schedule, schedule: '0 9 * * *', when: {label: INBOX}, then: [reply: hi]}"
LATE = "{id: late, event: message.unanswered, after: 9h, when: {label: INBOX}, then: [reply: hi]}"


@pytest.mark.parametrize("rule", [EVERY_DAY, LATE], ids=["a schedule", "an unanswered message"])
@pytest.mark.parametrize("lost", [True, False], ids=["that came before", "that comes later"])
async def test_what_time_sets_off_is_in_doubt_by_its_own_time(world: World, rule: str, lost: bool) -> None:
    async def let_time_pass() -> None:
        world.clock.now = START_MS + 9 * HOUR_MS
        await see_to_schedules(world.scheduling, world.clock())
        await world.waking.timers(world.clock())
        await finish(world)

    await world.rules(rule)
    world.provider.deliver("1", mail("order"))
    await world.read_and_drain()
    await see_to_schedules(world.scheduling, world.clock())
    kept = await copy(world.base)
    if lost:
        await let_time_pass()
        await put_back(world.base, kept)
    await recover(world)
    await let_time_pass()
    assert done(world) == 1
    assert bool(world.provider.calls["find"]) is lost


async def test_a_step_whose_time_has_not_come_is_in_no_doubt(world: World) -> None:
    await world.rules(REPLY.replace("reply: hi", "reply: {template: hi, after: 2h}"))
    world.provider.deliver("1", mail("order"))
    await world.read_and_drain()
    await world.execute_all()
    assert (await recover(world)).looks == []
    world.clock.forward(2 * HOUR_MS)
    await finish(world)
    assert (done(world), world.provider.calls["find"]) == (1, 0)


async def test_each_step_is_told(world: World) -> None:
    await world.rules(TWO)
    world.provider.deliver("1", mail("order"))
    await world.read_and_drain()
    kept = await copy(world.base)
    (run,) = await world.runs()
    await world.execute(run.run.id)
    await put_back(world.base, kept)
    world.provider.sent.pop()
    report = await recover(world)
    assert [(look.run, look.step, look.state) for look in report.looks] == [
        (run.run.id, 0, FOUND),
        (run.run.id, 1, NOTHING),
    ]


async def test_a_dead_run_that_was_replayed_meanwhile_sends_nothing_twice(world: World) -> None:
    await world.rules(TWO)
    world.provider.deliver("1", mail("order"))
    await world.read_and_drain()
    (run,) = await world.runs()
    await world.base.scripts("bury", [], [run.run.id, "a test", world.clock()])
    kept = await copy(world.base)
    await world.journal.reopen(run.run.id, world.clock())
    await finish(world)
    await put_back(world.base, kept)
    world.provider.search_lag = 1
    await recover(world)
    await world.journal.reopen(run.run.id, world.clock())
    await finish(world)
    assert done(world) == 2


async def test_a_dry_run_writes_nothing(world: World) -> None:
    await world.rules(REPLY, ONCE_IN_INBOX)
    world.provider.deliver("1", mail("order"))
    await world.read_and_drain()
    before = await copy(world.base)
    report = await recover(world, dry_run=True)
    assert len(report.looks) == 2
    after = await copy(world.base)
    assert [(one.key, one.values) for one in after] == [(one.key, one.values) for one in before]


@pytest.mark.parametrize("failing", ["profile", "find", "history"])
async def test_a_mailbox_that_cannot_be_read_is_for_a_person(world: World, failing: str) -> None:
    await world.rules(REPLY, ONCE_IN_INBOX)
    world.provider.deliver("1", mail("order"))
    await world.read_and_drain()
    world.provider.failures[failing] = [Unauthorized("no"), Unauthorized("no")]
    report = await recover(world)
    assert not report.clear
    assert {look.state for look in report.looks} <= {UNKNOWN, NOTHING}


async def test_what_passes_by_itself_is_waited_for(world: World) -> None:
    await world.rules(REPLY)
    world.provider.deliver("1", mail("order"))
    await world.read_and_drain()
    soon = world.clock() / 1000 + 20
    world.provider.failures["profile"] = [Unavailable("later"), RateLimited("later", until=soon)]
    assert (await recover(world)).clear
    world.provider.failures["profile"] = [RateLimited("tomorrow", until=soon + 86_400)]
    assert not (await recover(world)).clear


async def answer_and_forget(world: World) -> None:
    """The first message is answered and archived, and then all that is forgotten."""
    await world.rules(ONCE_IN_INBOX)
    world.provider.deliver("1", mail("order"))
    kept = await copy(world.base)
    await finish(world)
    (answer,) = world.provider.sent
    world.provider.deliver("sent-1", answer, ("SENT",), kind=EventKind.MESSAGE_SENT)
    await put_back(world.base, kept)


async def test_whom_a_lost_answer_went_to_is_remembered(world: World) -> None:
    await answer_and_forget(world)
    await world.rules(ONCE_IN_INBOX.replace("contains: order", "contains: other"))
    assert (await recover(world)).answers == 1
    world.provider.deliver("2", mail("other"))
    world.provider.deliver("3", mail("other", sender="bob@x.example"))
    await finish(world)
    assert done(world) == 2
    assert {one.run.key: one.receipts[1]["outcome"] for one in await world.runs()} == {
        "2": "held",
        "3": "done",
    }


async def test_an_answer_is_no_bar_to_the_run_that_sent_it(world: World) -> None:
    await answer_and_forget(world)
    await recover(world)
    await finish(world)
    (run,) = await world.runs()
    assert run.receipts[1]["how"] == "found"
    assert done(world) == 1


async def test_an_answer_whose_window_is_over_is_forgotten(world: World) -> None:
    await answer_and_forget(world)
    world.clock.forward(8 * 86_400_000)
    assert (await recover(world)).answers == 0


async def test_an_answer_that_was_deleted_cannot_be_told(world: World) -> None:
    await answer_and_forget(world)
    world.provider.delete_message("sent-1")
    assert (await recover(world)).answers == 0


async def test_a_history_that_is_gone_is_noted(world: World) -> None:
    await answer_and_forget(world)
    world.provider.expired = world.provider.newest
    report = await recover(world)
    assert report.clear
    assert "once_per may answer somebody again" in report.notes[0]


ARCHIVE_OR_REPLY = (
    "{id: first, when: {label: INBOX}, then: [archive: true, reply: hi], stop: true}",
    "{id: second, when: {subject: {exists: true}}, then: [reply: hi]}",
    "{id: echo, event: label.removed, when: {not: {label: INBOX}},"
    " then: [send: {template: hi, to: e@x.example}]}",
)


@pytest.mark.parametrize("messages", [1, 3])
async def test_what_was_acted_upon_is_judged_as_it_arrived(world: World, messages: int) -> None:
    await world.rules(*ARCHIVE_OR_REPLY)
    kept = await copy(world.base)
    for number in range(messages):
        world.provider.deliver(str(number), mail(f"order {number}", sender=f"ann{number}@x.example"))
    await finish(world)
    await finish(world)
    once = await world.matched()
    assert {rule for _, rule in once} == {"first"}
    await put_back(world.base, kept)
    await world.rules(*ARCHIVE_OR_REPLY)
    await recover(world)
    await finish(world)
    await finish(world)
    assert await world.matched() == once
    assert done(world) == messages


async def test_what_a_person_did_meanwhile_is_heard_like_before(world: World) -> None:
    await world.rules(*ARCHIVE_OR_REPLY)
    kept = await copy(world.base)
    world.provider.deliver("1", mail("order"))
    await finish(world)
    world.provider.relabel("1", add=["INBOX"])
    world.provider.relabel("1", remove=["INBOX"])
    await finish(world)
    once = await world.matched()
    assert once == [("1", "echo"), ("1", "first")]
    await put_back(world.base, kept)
    await world.rules(*ARCHIVE_OR_REPLY)
    await recover(world)
    await finish(world)
    assert await world.matched() == once
    assert done(world) == 2


async def test_a_ring_that_was_lost_is_made_good(world: World) -> None:
    await world.rules(REPLY)
    await world.mailboxes.ring([BOX], world.clock())
    await world.poll()
    kept = await copy(world.base)
    world.provider.deliver("1", mail("order"))
    await world.mailboxes.ring([BOX], world.clock())
    await put_back(world.base, kept)
    by_webhook_alone = {BOX: 0}
    assert await world.waking.polls(by_webhook_alone, world.clock()) == 0
    await recover(world)
    assert await world.waking.polls(by_webhook_alone, world.clock()) == 1
    await finish(world)
    assert done(world) == 1
    assert await world.waking.polls(by_webhook_alone, world.clock()) == 0


async def test_a_drain_that_began_before_decides_nothing_afterwards(world: World) -> None:
    await world.rules(REPLY)
    world.provider.deliver("1", mail("order"))
    await world.poll()
    async with world.lanes.lease(BOX) as lease:
        assert lease is not None
        queued = tuple(await world.lanes.read(BOX, 9, world.clock()))
        await recover(world)
        with pytest.raises(LeaseLost):
            await world.lanes.commit(BOX, lease, Commit(queued, digest="d"), world.clock())
    await finish(world)
    assert done(world) == 1
