"""Audit: every message is untouched, acted on, pending or dead, or it is named."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine.errors import CursorExpired, Rejected, Unavailable
from engine.flow.audit import Report, audit
from engine.flow.ports import ListPage
from engine.mail.events import EventKind
from engine.store.records import RedisRecords
from tests.flow.conftest import World
from tests.flow.fakes import BOX, mail

RULES = (
    "{id: file, when: {subject: file}, then: [label: A]}",
    "{id: answer, when: {subject: answer}, then: [reply: hi]}",
)


async def audited(world: World, since: datetime | None = None) -> Report:
    return await audit(RedisRecords(world.base), world.provider, BOX, since)


def named(report: Report) -> list[tuple[str, str, str]]:
    return [(one.key, one.state, one.why) for one in report.findings]


@pytest.fixture
async def busy(world: World) -> World:
    """A mailbox with a message of each kind."""
    await world.rules(*RULES)
    world.clock.forward(1_000)
    world.provider.deliver("nothing", mail("nothing"))
    world.provider.deliver("file", mail("file"))
    await world.read_and_drain()
    return world


async def test_a_clean_mailbox(busy: World) -> None:
    report = await audited(busy)
    assert report.counts == {"untouched": 1, "acted on": 1}
    assert report.accounted_for
    assert named(report) == []


async def test_what_is_under_way_is_pending(busy: World) -> None:
    busy.provider.deliver("answer", mail("answer"))
    await busy.read_and_drain()
    busy.provider.deliver("stuck", mail("file"))
    busy.provider.failures["fetch stuck"] = [Unavailable("down")]
    await busy.read_and_drain()
    busy.provider.deliver("queued", mail("file"))
    await busy.poll()
    busy.clock.forward(1_000)
    busy.provider.deliver("not read yet", mail("file"))
    report = await audited(busy)
    assert report.counts == {"untouched": 1, "acted on": 1, "pending": 4}
    assert await busy.waiting() == 1
    assert report.accounted_for


async def test_what_needs_a_person_is_named(busy: World) -> None:
    busy.provider.deliver("answer", mail("answer"))
    busy.provider.failures["send"] = [Rejected("no")]
    await busy.read_and_drain()
    await busy.execute_all()
    report = await audited(busy)
    assert named(report) == [("answer", "dead", "a person has to look at the run of answer")]
    assert report.accounted_for


async def test_what_went_out_is_older_or_gone_is_told_apart(busy: World) -> None:
    cursor = await busy.mailboxes.cursor(BOX)
    assert cursor is not None
    busy.provider.deliver("out", mail("mine"), labels=("SENT",))
    busy.provider.deliver("imported", mail("old"), received=cursor.started - 10_000, labels=("X",))
    busy.provider.deliver("gone", mail("gone"))
    del busy.provider.messages["gone"]
    report = await audited(busy)
    assert report.counts == {"untouched": 1, "acted on": 1, "outbound": 1, "older": 1, "gone": 1}
    assert report.accounted_for


async def test_a_lost_judged_key_and_a_lost_run_are_both_named(busy: World) -> None:
    (run,) = await busy.runs()
    await busy.base.redis.hdel(busy.base.key("judged", BOX), "nothing")
    await busy.base.redis.delete(busy.base.key("run", run.run.id))
    report = await audited(busy)
    assert sorted(named(report)) == [
        ("file", "missed", "the journal has no run of file"),
        ("nothing", "missed", "it was never judged"),
    ]
    assert not report.accounted_for


async def test_a_message_that_the_listing_hides_is_found_in_the_history(busy: World) -> None:
    await busy.base.redis.hdel(busy.base.key("judged", BOX), "nothing")

    async def hide(*args: object, **options: object) -> ListPage:
        return ListPage((), "")

    busy.provider.list_messages = hide  # type: ignore[method-assign]
    assert [key for key, _, _ in named(await audited(busy))] == ["nothing"]


async def test_a_history_that_has_expired_leaves_the_listing(busy: World) -> None:
    busy.provider.failures["history"] = [CursorExpired("gone")]
    assert (await audited(busy)).counts == {"untouched": 1, "acted on": 1}


async def test_pages_are_followed_to_the_end(busy: World) -> None:
    busy.provider.page_size = 1
    assert (await audited(busy)).counts == {"untouched": 1, "acted on": 1}


async def test_a_window_leaves_out_what_arrived_before_it(busy: World) -> None:
    since = datetime.fromtimestamp(busy.clock() / 1000 + 10, UTC)
    busy.clock.forward(20_000)
    busy.provider.deliver("late", mail("late"))
    await busy.read_and_drain()
    busy.provider.failures["history"] = [CursorExpired("gone")]
    assert (await audited(busy, since)).counts == {"untouched": 1}


async def test_a_mailbox_that_was_never_polled_is_named(world: World) -> None:
    await world.base.redis.flushdb()
    assert named(await audited(world)) == [("", "missed", "the mailbox was never polled")]


async def test_an_imported_message_is_accounted_for(busy: World) -> None:
    await busy.rules(*RULES, "{id: imports, event: message.imported, when: {subject: old}, then: [label: O]}")
    busy.provider.deliver("import", mail("old"), kind=EventKind.MESSAGE_IMPORTED)
    await busy.read_and_drain()
    assert (await audited(busy)).counts == {"untouched": 1, "acted on": 2}
