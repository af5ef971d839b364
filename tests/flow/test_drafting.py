"""A draft belongs to its thread and rule: newer messages update it, a person's words are never touched."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.errors import OutcomeUnknown, Unavailable
from engine.flow.drafting import EDITED, OLDER, PEN_MS
from engine.flow.drafts import digest_of
from engine.mail.events import EventKind
from engine.mail.mime import from_raw
from engine.store.drafts import RedisDrafts
from engine.store.journal import RedisJournal
from tests.flow.conftest import World
from tests.flow.fakes import FakeProvider, mail
from tests.flow.test_dying import mine, one_life

RULE = "{id: quote, when: {subject: {contains: quote}}, then: [draft: hi]}"
HI = {"hi.md": "---\nsubject: About {{ message.subject }}\n---\nHello.\n"}


async def arrive(world: World, key: str, subject: str) -> None:
    world.provider.threads[key] = "t"
    world.provider.deliver(key, mail(subject))
    await world.read_and_drain()


async def drafted(world: World, key: str, subject: str) -> None:
    """Take in a message of the thread and carry out what it sets off."""
    await arrive(world, key, subject)
    await world.execute_all()


async def answered(world: World, key: str = "answer", **headers: str) -> None:
    """Somebody sends a message in the thread."""
    world.provider.threads[key] = "t"
    world.provider.deliver(key, mail("Re", **headers), ["SENT"], kind=EventKind.MESSAGE_SENT)
    await world.read_and_drain()
    await world.execute_all()


def lying(world: World) -> dict[str, str]:
    """The subjects of drafts as they are."""
    return {draft: from_raw(raw, key="").subject for draft, raw in world.provider.lying.items()}


def edit(world: World, draft: str = "draft-1") -> None:
    raw = world.provider.lying[draft]
    world.provider.lying[draft] = raw.replace(b"Hello.", b"Hello, dear Ann.")


@pytest.fixture
async def begun(world: World) -> World:
    """A thread with a draft in it."""
    await world.rules(RULE, templates=HI)
    await drafted(world, "1", "quote 1")
    assert lying(world) == {"draft-1": "About quote 1"}
    return world


async def receipts(world: World) -> list[dict[str, str]]:
    shown = ("outcome", "how", "why", "id")
    return [
        {name: one.receipts[0][name] for name in shown if name in one.receipts[0]}
        for one in await world.runs()
    ]


async def test_a_newer_message_updates_the_draft_instead_of_leaving_a_second(begun: World) -> None:
    await drafted(begun, "2", "quote 2")
    await drafted(begun, "3", "quote 3")
    assert lying(begun) == {"draft-1": "About quote 3"}
    assert (await receipts(begun))[1:] == [{"outcome": "done", "how": "updated", "id": "draft-1"}] * 2


async def test_what_a_person_edited_is_left_alone_and_no_second_draft_is_made(begun: World) -> None:
    edit(begun)
    await drafted(begun, "2", "quote 2")
    assert lying(begun) == {"draft-1": "About quote 1"}
    assert (await receipts(begun))[1] == {"outcome": "held", "why": EDITED, "id": "draft-1"}


async def test_each_rule_and_each_thread_has_a_draft_of_its_own(begun: World) -> None:
    other = "{id: other, when: {subject: {contains: quote}}, then: [draft: hi, draft: hi]}"
    await begun.rules(RULE, other, templates=HI)
    await drafted(begun, "2", "quote 2")
    begun.provider.deliver("3", mail("quote 3"))
    await begun.read_and_drain()
    await begun.execute_all()
    assert sorted(lying(begun).values()) == ["About quote 2"] * 3 + ["About quote 3"] * 3


async def test_where_the_draft_was_sent_or_deleted_a_new_one_is_left(begun: World) -> None:
    del begun.provider.lying["draft-1"]
    await drafted(begun, "2", "quote 2")
    assert lying(begun) == {"draft-2": "About quote 2"}


async def test_of_two_messages_the_newer_has_the_draft_whoever_comes_first(world: World) -> None:
    await world.rules(RULE, templates=HI)
    for key in "12":
        await arrive(world, key, f"quote {key}")
    older, newer = await world.runs()
    await world.execute(newer.run.id)
    await world.execute(older.run.id)
    assert lying(world) == {"draft-1": "About quote 2"}
    assert (await receipts(world))[0] == {"outcome": "held", "why": OLDER}


async def test_two_workers_leave_one_draft(world: World) -> None:
    await world.rules(RULE, templates=HI)
    for key in "12":
        await arrive(world, key, f"quote {key}")
    first, second = await world.runs()
    again: list[int | None] = []

    async def meanwhile() -> None:
        again.append(await world.execute(second.run.id))

    world.provider.meanwhile["save_draft"] = meanwhile
    await world.execute(first.run.id)
    assert lying(world) == {"draft-1": "About quote 1"}
    assert again[0]
    assert again[0] - world.clock() <= PEN_MS, "somebody waits for the draft"
    world.clock.forward(again[0] - world.clock())
    await world.execute(second.run.id)
    assert lying(world) == {"draft-1": "About quote 2"}


async def test_a_persons_own_answer_withdraws_the_draft(begun: World) -> None:
    await answered(begun)
    assert lying(begun) == {}
    run = (await begun.runs())[-1]
    assert (run.run.rule, run.run.kind, run.receipts[0]["outcome"]) == ("quote", "message.sent", "done")
    assert "withdrawn" in run.receipts[0]["undo"]
    await answered(begun, "once-more")
    assert len(await begun.runs()) == 2


def nothing(world: World) -> None:
    """Nobody touched it."""


@pytest.mark.parametrize(
    ("touch", "headers", "receipt", "left"),
    [
        pytest.param(edit, {}, {"outcome": "held", "why": EDITED, "id": "draft-1"}, 1, id="it was edited"),
        pytest.param(
            lambda world: world.provider.lying.clear(),
            {},
            {"outcome": "unchanged", "why": "the draft was sent, or deleted"},
            0,
            id="the draft itself was sent",
        ),
        pytest.param(
            nothing,
            {"Message_ID": "<1.0.postroom@acme.example>"},
            {"outcome": "unchanged", "why": "a rule sent the answer"},
            1,
            id="a rule answered",
        ),
        pytest.param(
            lambda world: world.provider.lying.clear(),
            {"Message_ID": "<1.0.postroom@acme.example>"},
            {"outcome": "unchanged", "why": "a rule sent the answer"},
            0,
            id="a rule answered after it was deleted",
        ),
    ],
)
async def test_a_draft_is_not_withdrawn_when(
    begun: World,
    touch: Callable[[World], None],
    headers: dict[str, str],
    receipt: dict[str, str],
    left: int,
) -> None:
    touch(begun)
    await answered(begun, **headers)
    assert (await receipts(begun))[-1] == receipt
    assert len(begun.provider.lying) == left


async def test_once_a_person_has_answered_no_older_message_gets_a_draft(begun: World) -> None:
    await arrive(begun, "2", "quote 2")
    begun.clock.forward(1_000)
    begun.provider.threads["answer"] = "t"
    begun.provider.deliver("answer", mail("Re"), ["SENT"], kind=EventKind.MESSAGE_SENT)
    await begun.read_and_drain()
    late = next(one for one in await begun.runs() if one.run.key == "2")
    for one in await begun.runs():
        if one.run.id != late.run.id:
            await begun.execute(one.run.id)
    await begun.execute(late.run.id)
    assert lying(begun) == {}
    assert {"outcome": "held", "why": OLDER} in await receipts(begun)
    begun.clock.forward(1_000)
    await drafted(begun, "3", "quote 3")
    assert lying(begun) == {"draft-2": "About quote 3"}


async def test_an_answer_to_an_older_draft_does_not_withdraw_a_newer_one(begun: World) -> None:
    begun.provider.threads["answer"] = "t"
    begun.provider.deliver("answer", mail("Re"), ["SENT"], kind=EventKind.MESSAGE_SENT)
    await begun.read_and_drain()
    await arrive(begun, "2", "quote 2")
    withdrawing = next(one for one in await begun.runs() if one.run.kind == "message.sent")
    newer = next(one for one in await begun.runs() if one.run.key == "2")
    await begun.execute(newer.run.id)
    await begun.execute(withdrawing.run.id)
    assert lying(begun) == {"draft-1": "About quote 2"}


@pytest.mark.parametrize("edited", [False, True], ids=["as it was written", "edited meanwhile"])
async def test_a_draft_whose_answer_was_lost_is_found(world: World, edited: bool) -> None:
    await world.rules(RULE, templates=HI)
    world.provider.lost_answers = 1
    await drafted(world, "1", "quote 1")
    if edited:
        edit(world)
    world.clock.forward(world.timeout + world.margin)
    await world.execute_all()
    assert (await receipts(world))[0] == {"outcome": "done", "how": "found", "id": "draft-1"}
    await drafted(world, "2", "quote 2")
    assert lying(world) == {"draft-1": "About quote 1" if edited else "About quote 2"}


@pytest.mark.parametrize("error", [Unavailable("503"), OutcomeUnknown("lost")], ids=["refused", "lost"])
async def test_a_draft_that_cannot_be_read_back_is_known_by_what_was_written(
    world: World, error: Exception
) -> None:
    await world.rules(RULE, templates=HI)
    world.provider.failures["read_draft"] = [error]
    await drafted(world, "1", "quote 1")
    await drafted(world, "2", "quote 2")
    assert lying(world) == {"draft-1": "About quote 2"}


@pytest.mark.parametrize(
    ("change", "same"),
    [
        pytest.param((b"Hello.", b"Hello.\r\n "), True, id="white space at an end"),
        pytest.param((b"Message-ID: <a@b>", b"Message-ID: <c@d>"), True, id="another Message-ID"),
        pytest.param((b"Hello.", b"Hello!"), False, id="a sign"),
        pytest.param((b"To: ann@", b"To: bob@"), False, id="a recipient"),
        pytest.param((b"Subject: x", b"Subject: y"), False, id="the subject"),
    ],
)
def test_what_counts_as_an_edit(change: tuple[bytes, bytes], same: bool) -> None:
    raw = b"To: ann@x.example\r\nSubject: x\r\nMessage-ID: <a@b>\r\n\r\nHello.\r\n"
    assert change[0] in raw
    assert (digest_of(raw.replace(*change)) == digest_of(raw)) is same


POINTS: list[tuple[type, str]] = [
    (FakeProvider, "save_draft"),
    (FakeProvider, "update_draft"),
    (FakeProvider, "delete_draft"),
    (FakeProvider, "read_draft"),
    (RedisDrafts, "take"),
    (RedisDrafts, "record"),
    (RedisDrafts, "forget"),
    (RedisJournal, "settle"),
]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("owner", "name"), POINTS, ids=[name for _, name in POINTS])
async def test_whatever_call_it_dies_at(
    world: World, monkeypatch: pytest.MonkeyPatch, owner: type, name: str, when: str
) -> None:
    await world.rules(RULE, templates=HI)
    died = mine(monkeypatch, owner, name, when)

    async def live_on() -> None:
        for _ in range(5):
            await one_life(world)

    await arrive(world, "1", "quote 1")
    await live_on()
    assert len(world.provider.drafts) == 1
    await arrive(world, "2", "quote 2")
    await live_on()
    assert len(world.provider.drafts) == 1
    world.provider.threads["answer"] = "t"
    world.provider.deliver("answer", mail("Re"), ["SENT"], kind=EventKind.MESSAGE_SENT)
    await world.read_and_drain()
    await live_on()
    assert died == [name]
    assert [one.state for one in await world.runs()] == ["done"] * 3
    found = any(one.receipts[0].get("how") == "found" for one in await world.runs())
    assert lying(world) == {} or found


async def test_what_a_person_writes_while_the_update_is_composed_stays(begun: World) -> None:
    await arrive(begun, "2", "quote 2")

    async def meanwhile() -> None:
        edit(begun)

    begun.provider.meanwhile["fetch"] = meanwhile
    await begun.execute_all()
    assert lying(begun) == {"draft-1": "About quote 1"}
    assert (await receipts(begun))[1] == {"outcome": "held", "why": EDITED, "id": "draft-1"}


async def test_a_run_that_waits_for_its_next_step_keeps_no_draft_from_others(world: World) -> None:
    await world.rules(RULE.replace("draft: hi", "draft: hi, label: {add: X, after: 7d}"), templates=HI)
    for key in "12":
        await arrive(world, key, f"quote {key}")
    world.provider.delete_message("1")
    await world.execute_all()
    assert lying(world) == {"draft-1": "About quote 2"}
