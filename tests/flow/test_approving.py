"""`mode: approve`: what waits, who decides, and that exactly what was approved is sent, once."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime

import pytest

from engine.errors import OutcomeUnknown, Rejected
from engine.flow.approvals import Answer, Decision, Letter, Standing
from engine.flow.stores import Claim
from engine.mail.mime import from_raw
from engine.store.approvals import RedisApprovals
from engine.store.journal import RedisJournal
from tests.flow.conftest import World
from tests.flow.fakes import FakeProvider, mail
from tests.flow.test_dying import Killed, mine

RULE = (
    "{id: ask, when: {subject: order},"
    " then: [reply: {template: hi, mode: approve, expires: 1d}, label: Answered]}"
)
DAY_MS = 86_400_000
ANN = Decision(Standing.APPROVED, "ann")
BOB = Decision(Standing.REJECTED, "bob", "we do not sell that")


@pytest.fixture
async def asked(world: World) -> World:
    """One message that waits for a person."""
    await world.rules(RULE)
    world.provider.deliver("1", mail("order"))
    await world.read_and_drain()
    await world.execute_all()
    return world


def kept(world: World) -> RedisApprovals:
    return RedisApprovals(world.base)


async def letter(world: World) -> Letter:
    (only,) = await kept(world).waiting()
    found = await kept(world).get(only.run)
    assert found is not None
    return found


async def decide(world: World, decision: Decision) -> Answer:
    return await kept(world).decide((await world.run()).run.id, decision, world.clock())


def at(world: World) -> str:
    return datetime.fromtimestamp(world.clock() / 1000, UTC).isoformat(timespec="seconds")


async def due(world: World) -> dict[str, float]:
    return dict(await world.base.redis.zrange(world.base.key("due"), 0, -1, withscores=True))


async def left_over(world: World) -> int:
    """What is still kept of any message that waited."""
    keys = [key async for key in world.base.redis.scan_iter(world.base.key("approval*"))]
    return len(keys)


async def test_it_waits_and_is_not_due_before_it_expires(asked: World) -> None:
    run, waits = await asked.run(), await letter(asked)
    assert (run.state, run.why, run.receipts) == ("open", "it waits for approval", {})
    assert asked.provider.sent == []
    assert (waits.about.to, waits.about.subject, waits.about.rule) == (("ann@x.example",), "Thank you", "ask")
    assert waits.expires - waits.asked == DAY_MS
    assert await due(asked) == {run.run.id: waits.expires}


async def test_what_was_approved_is_sent_to_the_byte_and_the_run_goes_on(asked: World) -> None:
    waits = await letter(asked)
    await asked.rules(RULE, templates={"hi.md": "---\nsubject: Other\n---\nOther.\n"})
    assert await decide(asked, ANN) is Answer.DONE
    assert await due(asked) == {waits.run: asked.clock()}
    await asked.execute_all()
    assert asked.provider.sent == [waits.raw]
    run = await asked.run()
    assert (run.state, run.why) == ("done", "")
    told = {name: run.receipts[0][name] for name in ("outcome", "approval", "by", "at")}
    assert told == {"outcome": "done", "approval": "approved", "by": "ann", "at": at(asked)}
    assert run.receipts[1]["outcome"] == "done"
    assert await left_over(asked) == 0


async def test_what_was_edited_is_sent_as_edited_and_the_receipt_says_by_whom(asked: World) -> None:
    waits = await letter(asked)
    assert await kept(asked).edit(waits, "Sorry", "Not today.\n", "cid", asked.clock()) is Answer.DONE
    await decide(asked, ANN)
    await asked.execute_all()
    sent = from_raw(asked.provider.sent[0], key="s")
    assert (sent.subject, sent.text, sent.message_id) == (
        "Sorry",
        "Not today.\n",
        from_raw(waits.raw, key="w").message_id,
    )
    receipt = (await asked.run()).receipts[0]
    assert (receipt["by"], receipt["edited_by"]) == ("ann", "cid")
    assert "today" not in str(receipt)


@pytest.mark.parametrize(
    ("decision", "wait", "told"),
    [
        pytest.param(
            BOB,
            0,
            {"why": "a person rejected it", "approval": "rejected", "by": "bob", "reason": BOB.reason},
            id="a person rejects it",
        ),
        pytest.param(
            None, DAY_MS, {"why": "nobody approved it in time", "approval": "expired"}, id="its time is over"
        ),
    ],
)
async def test_what_is_not_approved_is_held_with_all_that_follows(
    asked: World, decision: Decision | None, wait: int, told: dict[str, str]
) -> None:
    if decision:
        await decide(asked, decision)
    asked.clock.forward(wait)
    await asked.execute_all()
    run = await asked.run()
    assert (run.state, asked.provider.sent) == ("done", [])
    assert run.receipts[0] == {"outcome": "held", "at": at(asked), **told}
    assert run.receipts[1] == {"outcome": "held", "why": f"step 0 was not done: {told['why']}"}
    assert asked.provider.labels("1") == {"INBOX", "UNREAD"}
    assert await left_over(asked) == 0


@pytest.mark.parametrize(
    ("first", "second", "stands"),
    [
        pytest.param(ANN, BOB, "approved", id="approved first"),
        pytest.param(BOB, ANN, "rejected", id="rejected first"),
        pytest.param(ANN, ANN, "approved", id="approved twice"),
    ],
)
async def test_the_first_decision_stands(
    asked: World, first: Decision, second: Decision, stands: str
) -> None:
    assert await decide(asked, first) is Answer.DONE
    assert await decide(asked, second) is Answer.SETTLED
    await asked.execute_all()
    assert await decide(asked, second) is Answer.GONE
    assert (await asked.run()).receipts[0]["approval"] == stands


async def test_of_many_who_decide_at_once_one_wins(asked: World) -> None:
    answers = await asyncio.gather(*(decide(asked, one) for one in (ANN, BOB) * 10))
    assert sorted(answers) == [Answer.DONE] + [Answer.SETTLED] * 19
    await asked.execute_all()
    won = "approved" if answers.index(Answer.DONE) % 2 == 0 else "rejected"
    assert (await asked.run()).receipts[0]["approval"] == won
    assert len(asked.provider.sent) == (won == "approved")


async def test_a_decision_after_its_time_comes_too_late_though_nobody_looked(asked: World) -> None:
    asked.clock.forward(DAY_MS)
    assert await decide(asked, ANN) is Answer.LATE
    await asked.execute_all()
    assert (await asked.run()).receipts[0]["approval"] == "expired"


async def test_nobody_approves_a_text_that_was_edited_since_it_was_read(asked: World) -> None:
    waits = await letter(asked)
    await kept(asked).edit(waits, None, "Other.", "cid", asked.clock())
    assert await kept(asked).edit(waits, None, "Mine.", "dan", asked.clock()) is Answer.CHANGED
    assert await decide(asked, Decision(Standing.APPROVED, "ann", edition=1)) is Answer.CHANGED
    assert await decide(asked, Decision(Standing.APPROVED, "ann", edition=2)) is Answer.DONE


async def test_whoever_looks_too_soon_gives_the_run_back_and_forgets_no_decision(asked: World) -> None:
    run = (await asked.run()).run.id
    before = await due(asked)
    await asked.execute(run)
    assert await due(asked) == before

    async def meanwhile() -> None:
        await decide(asked, ANN)

    ask, approving = RedisApprovals.ask, kept(asked)
    claim = await asked.journal.claim(run, asked.clock(), asked.clock() + 1_000, 60_000)
    waits = await letter(asked)
    await meanwhile()
    assert isinstance(claim, Claim)
    assert await ask(approving, claim, waits)
    assert (await due(asked))[run] <= asked.clock()
    await asked.execute_all()
    assert len(asked.provider.sent) == 1


async def test_with_very_many_waiting_no_more_are_asked_about(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.store.approvals.MAX_WAITING", 1)
    await world.rules(RULE)
    for key in "12":
        world.provider.deliver(key, mail("order"))
    await world.read_and_drain()
    await world.execute_all()
    first = await letter(world)
    await kept(world).decide(first.run, ANN, world.clock())
    world.clock.forward(60_000)
    await world.execute_all()
    assert len(world.provider.sent) == 1
    assert (await letter(world)).run != first.run


async def test_what_is_too_large_to_wait_needs_a_person(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.flow.approving.MAX_SIZE", 10)
    await world.rules(RULE)
    world.provider.deliver("1", mail("order"))
    await world.read_and_drain()
    await world.execute_all()
    assert (await world.run()).state == "dead"


async def test_a_lost_answer_is_looked_up_and_the_same_bytes_are_sent(asked: World) -> None:
    raw = (await letter(asked)).raw
    await decide(asked, ANN)
    asked.provider.failures["send"] = [OutcomeUnknown("lost before it came")]
    for _ in range(4):
        await asked.execute_all()
        asked.clock.forward(asked.timeout + asked.margin)
    assert asked.provider.sent == [raw]
    assert (asked.provider.calls["find"], (await asked.run()).state) == (2, "done")


async def test_a_refused_message_stays_approved_for_a_second_try(asked: World) -> None:
    await decide(asked, ANN)
    asked.provider.failures["send"] = [Rejected("no")]
    await asked.execute_all()
    run = await asked.run()
    assert run.state == "dead"
    assert await asked.journal.reopen(run.run.id, asked.clock())
    for _ in range(3):
        await asked.execute_all()
        asked.clock.forward(10_000)
    assert len(asked.provider.sent) == 1
    assert await left_over(asked) == 0


async def test_dismissing_a_dead_run_erases_its_text(asked: World) -> None:
    await decide(asked, ANN)
    asked.provider.failures["send"] = [Rejected("no")]
    await asked.execute_all()
    await asked.journal.dismiss((await asked.run()).run.id, asked.clock())
    assert await left_over(asked) == 0


POINTS: list[tuple[type, str, Decision | None]] = [
    (RedisApprovals, "ask", ANN),
    (RedisApprovals, "get", ANN),
    (RedisApprovals, "decide", ANN),
    (RedisApprovals, "decide", None),
    (FakeProvider, "send", ANN),
    (RedisJournal, "settle", ANN),
    (RedisJournal, "settle", BOB),
    (RedisJournal, "settle", None),
]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("owner", "name", "verdict"),
    POINTS,
    ids=[f"{name}, {verdict.standing if verdict else 'expired'}" for _, name, verdict in POINTS],
)
async def test_whatever_call_it_dies_at(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    owner: type,
    name: str,
    verdict: Decision | None,
    when: str,
) -> None:
    await world.rules(RULE)
    world.provider.deliver("1", mail("order"))
    await world.read_and_drain()
    died = mine(monkeypatch, owner, name, when)
    run = (await world.run()).run.id
    for life in range(8):
        with contextlib.suppress(Killed):
            await world.execute(run)
        with contextlib.suppress(Killed):
            if verdict and life:
                await decide(world, verdict)
        world.clock.forward(DAY_MS // 5)
    settled = await world.run()
    assert (died, settled.state) == ([name], "done")
    assert len(world.provider.sent) == (verdict is ANN)
    assert settled.receipts[1]["outcome"] == ("done" if verdict is ANN else "held")
    assert await left_over(world) == 0
