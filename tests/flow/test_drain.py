"""Draining: each message is judged once, by the rules that may see it, and nothing stops a lane."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from typing import Any

import pytest

from engine.errors import LeaseLost, MessageGone, RateLimited, Rejected, Unauthorized, Unavailable
from engine.flow import judging
from engine.flow.drain import BATCH, SLICE_MS
from engine.mail.events import EventKind
from engine.rules.evaluate import evaluate
from tests.flow.conftest import World
from tests.flow.fakes import BOX, mail

LABEL_ALL = "{when: {size: {gte: 0}}, then: [label: Seen]}"


async def test_a_message_reported_twice_in_one_batch_is_judged_once(world: World) -> None:
    await world.rules(LABEL_ALL)
    world.provider.deliver("1")
    world.provider.report(EventKind.MESSAGE_RECEIVED, "1")
    await world.read_and_drain()
    assert await world.matched() == [("1", "r1")]
    assert world.provider.calls["fetch"] == 1


async def test_a_message_reported_again_later_is_not_judged_again(world: World) -> None:
    await world.rules(LABEL_ALL)
    world.provider.deliver("1")
    await world.read_and_drain()
    await world.rules("{id: new, when: {size: {gte: 0}}, then: [label: Other]}")
    world.provider.report(EventKind.MESSAGE_RECEIVED, "1")
    await world.read_and_drain()
    assert await world.matched() == [("1", "r1")]
    assert world.provider.labels("1") == {"INBOX", "UNREAD", "Seen"}


async def test_a_message_that_no_rule_wanted_is_known_to_be_judged(world: World) -> None:
    await world.rules("{when: {subject: never}, then: [label: A]}")
    world.provider.deliver("1")
    await world.read_and_drain()
    assert await world.lanes.judged(BOX, ["1", "2"]) == {"1"}
    assert await world.runs() == []


async def test_a_message_that_no_rule_listens_to_is_judged_without_a_call(world: World) -> None:
    await world.rules("{event: message.deleted, when: {label: X}, then: [label: A]}")
    world.provider.deliver("1")
    await world.read_and_drain()
    assert await world.lanes.judged(BOX, ["1"]) == {"1"}
    assert world.provider.calls["fetch"] == 0


async def test_what_rules_ask_of_labels_alone_needs_no_call(world: World) -> None:
    await world.rules("{when: {label: INBOX}, then: [label: A]}")
    world.provider.deliver("1")
    await world.read_and_drain()
    assert world.provider.calls["fetch"] == 0
    assert "A" in world.provider.labels("1")


@pytest.mark.parametrize("labels", [("SENT",), ("DRAFT",), ("SCHEDULED",)])
async def test_outbound_mail_is_passed_over(world: World, labels: tuple[str, ...]) -> None:
    await world.rules(LABEL_ALL)
    world.provider.deliver("1", labels=labels)
    await world.read_and_drain()
    assert await world.runs() == []
    assert world.provider.labels("1") == set(labels)


async def test_mail_to_ourselves_that_arrived_is_judged(world: World) -> None:
    await world.rules(LABEL_ALL)
    world.provider.deliver("1", labels=("SENT", "INBOX"))
    await world.read_and_drain()
    assert await world.matched() == [("1", "r1")]


async def test_our_own_answer_that_arrives_at_us_is_passed_over(world: World) -> None:
    await world.rules("{when: {label: INBOX}, then: [label: A]}")
    ours = mail("answer", Message_ID="<0123.0.postroom@acme.example>")
    world.provider.deliver("1", ours, labels=("SENT", "INBOX"))
    await world.read_and_drain()
    assert await world.runs() == []
    assert await world.queued() == []


async def test_a_copy_that_went_out_does_not_hide_the_one_that_arrived(world: World) -> None:
    await world.rules(LABEL_ALL)
    world.provider.deliver("1", labels=("SENT",))
    world.provider.messages["1"].labels = frozenset({"SENT", "INBOX"})
    world.provider.report(EventKind.MESSAGE_RECEIVED, "1")
    await world.read_and_drain()
    assert await world.matched() == [("1", "r1")]


async def test_spam_reaches_only_rules_that_name_it(world: World) -> None:
    await world.rules(LABEL_ALL, "{when: {label: SPAM}, then: [label: Junk, reply: hi]}")
    world.provider.deliver("1", labels=("SPAM",))
    await world.read_and_drain()
    assert await world.matched() == [("1", "r2")]
    assert (await world.run()).receipts[1] == {"outcome": "held", "why": "spam is never answered"}


async def test_imported_mail_reaches_only_rules_that_ask_for_it_and_is_never_answered(world: World) -> None:
    await world.rules(
        LABEL_ALL, "{event: message.imported, when: {size: {gte: 0}}, then: [label: Old, reply: hi]}"
    )
    world.provider.deliver("1", kind=EventKind.MESSAGE_IMPORTED)
    await world.read_and_drain()
    assert await world.matched() == [("1", "r2")]
    assert (await world.run()).receipts[1]["why"] == "imported mail is never answered"


@pytest.mark.parametrize("kind", list(EventKind))
async def test_every_kind_of_event_reaches_the_rules_that_listen_to_it_and_no_other(
    world: World, kind: EventKind
) -> None:
    await world.rules(
        *(
            f"{{id: {each.value}, event: {each.value}, when: {{not: {{label: X}}}}, then: [label: A]}}"
            for each in EventKind
        )
    )
    world.provider.deliver("0", kind=EventKind.MESSAGE_SENT, labels=("SENT",))
    await world.read_and_drain()
    world.provider.report(kind, "0", ("B",) if kind.value.startswith("label") else ())
    await world.read_and_drain()
    heard = [rule for _, rule in await world.matched()]
    outbound = {EventKind.MESSAGE_RECEIVED, EventKind.MESSAGE_IMPORTED}
    assert sorted(heard) == sorted(["message.sent", *({kind.value} if kind not in outbound else set())])


async def test_later_events_of_a_message_see_the_labels_planned_before(world: World) -> None:
    await world.rules(
        "{when: {label: INBOX}, then: [label: Planned, archive: true]}",
        "{event: message.updated, when: {all: [label: Planned, not: {label: INBOX}]}, then: [label: Both]}",
    )
    world.provider.deliver("1")
    world.provider.report(EventKind.MESSAGE_UPDATED, "1")
    await world.read_and_drain()
    assert await world.matched() == [("1", "r1"), ("1", "r2")]
    assert world.provider.labels("1") == {"UNREAD", "Planned", "Both"}
    assert len(world.provider.changes) == 1


async def test_a_message_that_is_gone_is_judged_and_leaves_no_run(world: World) -> None:
    await world.rules(LABEL_ALL)
    world.provider.deliver("1")
    world.provider.failures["fetch 1"] = [MessageGone("deleted")]
    await world.read_and_drain()
    assert await world.runs() == []
    assert await world.lanes.judged(BOX, ["1"]) == {"1"}
    assert await world.queued() == []


async def test_a_rate_limit_cuts_the_batch_where_it_strikes(world: World) -> None:
    await world.rules(LABEL_ALL)
    for key in "1234":
        world.provider.deliver(key)
    until = world.clock() / 1000 + 30
    world.provider.failures["fetch 3"] = [RateLimited("slow down", until=until)]
    assert await world.read_and_drain() == int(until * 1000)
    assert await world.matched() == [("1", "r1"), ("2", "r1")]
    assert await world.queued() == ["3", "4"]
    await world.drain()
    assert [run.run.key for run in await world.runs()] == ["1", "2", "3", "4"]


async def test_refused_credentials_keep_the_lane_waiting(world: World) -> None:
    await world.rules(LABEL_ALL)
    for key in "12":
        world.provider.deliver(key)
    world.provider.failures["fetch"] = [Unauthorized("no"), Unauthorized("no")]
    again = await world.read_and_drain()
    assert again is not None
    assert again > world.clock() + 10_000
    assert await world.queued() == ["1", "2"]


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(Unauthorized("no"), id="a message that is refused"),
        pytest.param(RateLimited("slow", until=9e9), id="a message that is always busy"),
    ],
)
async def test_one_message_that_cannot_be_had_keeps_no_other_waiting(world: World, error: Exception) -> None:
    await world.rules(LABEL_ALL)
    for key in "12":
        world.provider.deliver(key)
    world.provider.failures["fetch 1"] = [error] * 9
    await world.read_and_drain()
    assert (await world.queued(), await world.waiting()) == ([], 1)
    assert await world.matched() == [("2", "r1")]


async def test_an_outage_leaves_the_lane_untouched(world: World) -> None:
    await world.rules(LABEL_ALL)
    for key in "12":
        world.provider.deliver(key)
    await world.poll()
    world.provider.failures = {"fetch": [Unavailable("down")] * 2, "profile": [Unavailable("down")]}
    again = await world.drain()
    assert again is not None
    assert world.clock() < again < world.clock() + 10_000
    assert (await world.queued(), await world.waiting()) == (["1", "2"], 0)
    await world.drain()
    assert await world.queued() == []
    assert len(await world.runs()) == 2


async def test_a_defect_in_judging_becomes_a_dead_letter_and_the_lane_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = evaluate

    def judge_badly(ruleset: Any, event: Any, *args: Any, **options: Any) -> Any:
        if event.key == "1":
            raise ZeroDivisionError
        return judge(ruleset, event, *args, **options)

    monkeypatch.setattr(judging, "evaluate", judge_badly)
    await world.rules(LABEL_ALL)
    for key in "12":
        world.provider.deliver(key)
    await world.read_and_drain()
    dead, done = await world.runs()
    assert (dead.run.key, dead.state, dead.why) == ("1", "dead", "judging failed: ZeroDivisionError")
    assert (done.run.key, done.state) == ("2", "done")


async def test_a_worker_that_lost_the_lease_commits_nothing(world: World) -> None:
    await world.rules(LABEL_ALL)
    world.provider.deliver("1")
    await world.poll()

    async def taken_over() -> None:
        await world.base.redis.set(world.base.key("lease", BOX), "somebody else")

    world.provider.meanwhile["fetch"] = taken_over
    with pytest.raises(LeaseLost):
        await world.drain()
    assert await world.runs() == []
    assert await world.queued() == ["1"]
    assert world.provider.changes == []


async def test_without_rules_the_lane_waits(world: World) -> None:
    world.provider.deliver("1")
    again = await world.read_and_drain()
    assert again is not None
    assert await world.queued() == ["1"]
    await world.rules(LABEL_ALL)
    await world.drain()
    assert await world.matched() == [("1", "r1")]


async def test_a_lane_longer_than_a_batch_is_drained_in_order(world: World) -> None:
    await world.rules("{when: {label: INBOX}, then: [label: A]}")
    keys = [f"{number:03}" for number in range(BATCH + 20)]
    for key in keys:
        world.provider.deliver(key)
    assert await world.read_and_drain() is None
    assert [change[0] for change in world.provider.changes] == [tuple(keys[:BATCH]), tuple(keys[BATCH:])]


async def test_a_part_that_is_refused_for_good_leaves_a_dead_letter_at_once(world: World) -> None:
    await world.rules("{when: {size: {gte: 0}}, then: [label: A], stop: true}")
    for key in "12":
        world.provider.deliver(key)
    world.provider.failures["fetch 1"] = [Rejected("never")]
    await world.read_and_drain()
    dead, done = await world.runs()
    assert (dead.run.key, dead.state) == ("1", "dead")
    assert (done.run.key, done.state) == ("2", "done")


async def test_the_next_batch_is_read_while_labels_of_the_one_before_are_changed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.flow.drain.BATCH", 1)
    await world.rules("{when: {subject: hello}, then: [label: A]}")
    reading = asyncio.Event()

    async def first_fetch() -> None:
        world.provider.meanwhile["fetch"] = second_fetch

    async def second_fetch() -> None:
        reading.set()

    world.provider.meanwhile |= {"fetch": first_fetch, "change_labels": reading.wait}
    for key in ("1", "2"):
        world.provider.deliver(key, mail("hello"))
    async with asyncio.timeout(10):
        assert await world.read_and_drain() is None
    assert [world.provider.labels(key) >= {"A"} for key in "12"] == [True, True]
    assert len(world.provider.changes) == 2


@pytest.mark.parametrize("error", [None, RateLimited("slow down", until=0)], ids=["slow", "limiting"])
async def test_a_service_that_grants_few_calls_a_turn_has_those_messages_done(
    world: World, monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    """Each is read twice, and the calls do not suffice for reading all of them once."""
    digest = sha256(b"hi\r\n").hexdigest()
    await world.rules(f"{{when: {{attachment: {{sha256: '{digest}'}}}}, then: [label: A]}}")
    pdf = mail(Content_Type="application/pdf", Content_Disposition="attachment; filename=a.pdf")
    for number in range(60):
        world.provider.deliver(str(number), pdf)
    fetch, granted = world.provider.fetch, 40

    async def fetch_a_while(*wanted: Any) -> Any:
        nonlocal granted
        granted -= 1
        if error and granted < 0:
            raise error
        if granted == 0 and not error:
            world.clock.forward(SLICE_MS)
        await asyncio.sleep(0)
        return await fetch(*wanted)

    monkeypatch.setattr(world.provider, "fetch", fetch_a_while)
    await world.read_and_drain()
    assert len(await world.matched()) >= 10
