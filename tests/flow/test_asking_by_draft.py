"""`mode: approve, in: draft`: what becomes of the draft in the mailbox decides."""

from __future__ import annotations

import contextlib

import pytest

from engine.errors import OutcomeUnknown
from engine.flow.approvals import Answer, Decision, Letter, Standing
from engine.flow.drafting import EDITED, OLDER
from engine.mail.events import EventKind
from engine.mail.mime import from_raw
from engine.store.approvals import RedisApprovals
from engine.store.drafts import RedisDrafts
from engine.store.journal import RedisJournal
from tests.flow.conftest import World
from tests.flow.fakes import FakeProvider, mail
from tests.flow.test_doubt import recover
from tests.flow.test_drafting import HI, arrive, lying
from tests.flow.test_dying import Killed, mine

RULE = (
    "{id: ask, when: {subject: {contains: order}},"
    " then: [reply: {template: hi, mode: approve, in: draft, expires: 1d}, label: Answered]}"
)
FIXED = RULE.replace("reply: {", "send: {to: bo@x.example, ")
DAY_MS = 86_400_000
GAP_MS = 60_000


async def letters(world: World) -> list[Letter]:
    return await RedisApprovals(world.base).waiting()


@pytest.fixture
async def asked(world: World) -> World:
    """A draft that waits to be sent."""
    await world.rules(RULE, templates=HI)
    await arrive(world, "1", "order 1")
    await world.execute_all()
    assert lying(world) == {"draft-1": "About order 1"}
    return world


def send_draft(world: World, draft: str = "draft-1") -> None:
    """A person sends it: the draft goes, and a copy comes."""
    world.provider.sent.append(world.provider.lying.pop(draft))
    world.provider.report(EventKind.MESSAGE_DELETED, draft)


def delete_draft(world: World, draft: str = "draft-1") -> None:
    del world.provider.lying[draft]
    world.provider.report(EventKind.MESSAGE_DELETED, draft)


async def heard(world: World) -> None:
    """The history is read, and the ticks that follow look at what is due, and once more."""
    await world.read_and_drain()
    for _ in range(2):
        due = await world.base.redis.zrangebyscore(world.base.key("due"), "-inf", world.clock())
        for run in due:
            with contextlib.suppress(Killed):
                await world.execute(run)
        world.clock.forward(GAP_MS)


async def left_over(world: World) -> list[str]:
    keys = [key async for key in world.base.redis.scan_iter(world.base.key("a*"))]
    return [key for key in keys if "approval" in key or "asking" in key]


async def test_it_waits_as_a_draft_that_a_person_would_send(asked: World) -> None:
    (waits,) = await letters(asked)
    assert (waits.draft, waits.about.subject, waits.about.to) == (
        "draft-1",
        "About order 1",
        ("ann@x.example",),
    )
    assert from_raw(asked.provider.lying["draft-1"], key="").headers.all("Auto-Submitted") == ()
    run = await asked.run()
    assert (run.state, run.receipts, asked.provider.sent) == ("open", {}, [])


async def test_sending_it_approves_and_the_run_goes_on(asked: World) -> None:
    send_draft(asked)
    await heard(asked)
    run = await asked.run()
    assert run.state == "done"
    assert run.receipts[0].items() >= {"outcome": "done", "approval": "approved"}.items()
    assert "Answered" in asked.provider.labels("1")
    assert len(asked.provider.sent) == 1
    assert await left_over(asked) == []


async def test_deleting_it_rejects_and_what_follows_is_held(asked: World) -> None:
    delete_draft(asked)
    await heard(asked)
    run = await asked.run()
    told = {"outcome": "held", "approval": "rejected", "reason": "the draft was deleted"}
    assert run.receipts[0].items() >= told.items()
    assert run.receipts[1]["outcome"] == "held"
    assert await left_over(asked) == []


async def test_that_it_was_deleted_is_believed_at_the_second_look(asked: World) -> None:
    delete_draft(asked)
    await asked.read_and_drain()
    run = (await asked.run()).run.id
    again = await asked.execute(run)
    assert again == asked.clock() + GAP_MS
    assert (await asked.run()).state == "open"
    asked.clock.forward(GAP_MS)
    await asked.execute(run)
    assert (await asked.run()).state == "done"


async def test_a_person_may_edit_it_before_sending(asked: World) -> None:
    raw = asked.provider.lying["draft-1"]
    asked.provider.lying["draft-1"] = raw.replace(b"Hello.", b"Hello, dear Ann.")
    asked.provider.report(EventKind.MESSAGE_UPDATED, "draft-1")
    await heard(asked)
    assert (await asked.run()).state == "open"
    send_draft(asked)
    await heard(asked)
    assert (await asked.run()).receipts[0]["approval"] == "approved"


async def test_nobody_sends_it_in_time(asked: World) -> None:
    asked.clock.forward(DAY_MS)
    await asked.execute_all()
    run = await asked.run()
    assert run.receipts[0].items() >= {"outcome": "held", "approval": "expired"}.items()
    assert lying(asked) == {"draft-1": "About order 1"}


async def test_it_is_decided_in_the_mailbox_alone(asked: World) -> None:
    run = (await asked.run()).run.id
    decision = Decision(Standing.APPROVED, "ann")
    kept = RedisApprovals(asked.base)
    assert await kept.decide(run, decision, asked.clock()) is Answer.ELSEWHERE
    letter = await kept.get(run)
    assert letter
    assert letter.raw == b""


async def test_a_newer_message_takes_the_draft_over(asked: World) -> None:
    await arrive(asked, "2", "order 2")
    await asked.execute_all()
    assert lying(asked) == {"draft-1": "About order 2"}
    await heard(asked)
    older, newer = await asked.runs()
    assert older.receipts[0].items() >= {"approval": "rejected", "reason": OLDER}.items()
    assert newer.state == "open"
    send_draft(asked)
    await heard(asked)
    assert (await asked.runs())[1].receipts[0]["approval"] == "approved"


async def test_what_a_person_edited_is_not_taken_over(asked: World) -> None:
    raw = asked.provider.lying["draft-1"]
    asked.provider.lying["draft-1"] = raw.replace(b"Hello.", b"Hello, dear Ann.")
    await arrive(asked, "2", "order 2")
    await asked.execute_all()
    older, newer = await asked.runs()
    assert older.state == "open"
    assert newer.receipts[0].items() >= {"outcome": "held", "why": EDITED}.items()
    assert newer.receipts[1]["outcome"] == "held"


async def test_a_persons_own_answer_withdraws_it(asked: World) -> None:
    asked.provider.threads["answer"] = "t"
    asked.provider.deliver("answer", mail("Re"), ["SENT"], kind=EventKind.MESSAGE_SENT)
    for _ in range(2):
        await heard(asked)
    assert lying(asked) == {}
    asked.provider.report(EventKind.MESSAGE_DELETED, "draft-1")
    await heard(asked)
    assert (await asked.runs())[0].receipts[0]["approval"] == "rejected"


async def test_what_happens_while_it_is_looked_at_is_looked_at_once_more(asked: World) -> None:
    asked.provider.report(EventKind.MESSAGE_UPDATED, "draft-1")
    await asked.read_and_drain()

    async def meanwhile() -> None:
        await RedisDrafts(asked.base).stir("support@acme.example", ["draft-1"], asked.clock())

    asked.provider.meanwhile["read_draft"] = meanwhile
    run = (await asked.run()).run.id
    await asked.execute(run)
    due = await asked.base.redis.zscore(asked.base.key("due"), run)
    assert due <= asked.clock()


POINTS: list[tuple[type, str, str]] = [
    *((FakeProvider, name, "sent") for name in ("save_draft", "read_draft", "find")),
    (RedisApprovals, "ask", "sent"),
    (RedisDrafts, "stir", "sent"),
    (RedisJournal, "note", "deleted"),
    (RedisJournal, "settle", "sent"),
    (RedisJournal, "settle", "deleted"),
]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("owner", "name", "fate"), POINTS, ids=[f"{name}, {fate}" for _, name, fate in POINTS]
)
@pytest.mark.parametrize("rule", [RULE, FIXED], ids=["an answer", "to fixed addresses"])
async def test_whatever_call_it_dies_at(
    world: World, monkeypatch: pytest.MonkeyPatch, owner: type, name: str, fate: str, when: str, rule: str
) -> None:
    await world.rules(rule, templates=HI)
    await arrive(world, "1", "order 1")
    died = mine(monkeypatch, owner, name, when)

    async def live_on() -> None:
        for _ in range(5):
            with contextlib.suppress(Killed):
                await heard(world)
            world.clock.forward(world.timeout + world.margin)

    await live_on()
    assert len(world.provider.drafts) == 1
    world.provider.report(EventKind.MESSAGE_UPDATED, "draft-1")
    await live_on()
    (send_draft if fate == "sent" else delete_draft)(world)
    await live_on()
    run = await world.run()
    assert (died, run.state) == ([name], "done")
    assert run.receipts[0]["approval"] == ("approved" if fate == "sent" else "rejected")
    assert (len(world.provider.drafts), len(world.provider.sent)) == (1, fate == "sent")
    assert await left_over(world) == []


async def test_a_draft_whose_answer_was_lost_is_found(world: World) -> None:
    await world.rules(FIXED, templates=HI)
    world.provider.failures["save_draft"] = [OutcomeUnknown("lost before it came")]
    world.provider.lost_answers = 1
    await arrive(world, "1", "order 1")
    for _ in range(5):
        await heard(world)
        world.clock.forward(world.timeout + world.margin)
    assert len(world.provider.drafts) == 1
    assert [one.draft for one in await letters(world)] == ["draft-1"]


async def test_a_draft_that_still_lies_there_is_not_taken_for_sent_after_writes_were_lost(
    asked: World,
) -> None:
    await recover(asked)
    await heard(asked)
    assert (await asked.run()).receipts == {}
    send_draft(asked)
    await heard(asked)
    assert (await asked.run()).receipts[0]["approval"] == "approved"
