"""An expired cursor: a window is listed, what was judged is skipped, nothing is lost."""

from __future__ import annotations

import time
from datetime import datetime

import pytest

from engine.errors import RateLimited
from engine.flow.poll import RECOVERING, RETRY_MS
from engine.flow.ports import ListPage
from engine.flow.recovery import SAFETY_MS
from tests.flow.conftest import RETENTION_MS, World
from tests.flow.fakes import BOX, mail

LABEL_ALL = "{when: {subject: {contains: m}}, then: [label: Seen]}"


@pytest.fixture
async def expired(world: World) -> World:
    """A mailbox with one judged message, whose cursor then expires."""
    await world.rules(LABEL_ALL)
    world.provider.deliver("judged")
    await world.read_and_drain()
    world.provider.base += 9_000
    world.provider.expired = world.provider.newest
    return world


def seen(world: World) -> list[str]:
    return sorted(key for key, one in world.provider.messages.items() if "Seen" in one.labels)


async def test_what_arrived_meanwhile_is_found_and_what_was_judged_is_skipped(expired: World) -> None:
    expired.provider.deliver("new")
    expired.provider.page_size = 1
    fetches = expired.provider.calls["fetch"]
    await expired.read_and_drain()
    assert await expired.matched() == [("judged", "r1"), ("new", "r1")]
    assert expired.provider.calls["fetch"] == fetches + 1
    cursor = await expired.mailboxes.cursor(BOX)
    assert cursor is not None
    assert cursor.history == expired.provider.expired + 1


async def test_the_found_messages_are_judged_in_the_order_of_their_arrival(expired: World) -> None:
    for key in "abc":
        expired.provider.deliver(key)
    await expired.poll()
    assert await expired.queued() == ["a", "b", "c"]


async def test_a_window_is_listed_and_read_behind_new_mail(expired: World) -> None:
    expired.provider.deliver("missed")
    expired.provider.page_size = 1
    await expired.read_and_drain()
    assert expired.provider.unhurried == {"list_messages": 2, "fetch": 1}
    expired.provider.deliver("new")
    await expired.read_and_drain()
    assert seen(expired) == ["judged", "missed", "new"]
    assert expired.provider.unhurried["fetch"] == 1


async def test_what_is_older_than_our_service_stays_untouched(expired: World) -> None:
    cursor = await expired.mailboxes.cursor(BOX)
    assert cursor is not None
    expired.provider.deliver("older", received=cursor.started - 1_000)
    await expired.read_and_drain()
    assert seen(expired) == ["judged"]


async def test_older_mail_in_a_listing_that_knows_days_alone_stays_untouched(expired: World) -> None:
    original = expired.provider.list_messages

    async def list_all(mailbox: str, page: str = "", since: object = None) -> object:
        return await original(mailbox, page)

    expired.provider.list_messages = list_all  # type: ignore[method-assign, assignment]
    cursor = await expired.mailboxes.cursor(BOX)
    assert cursor is not None
    expired.provider.deliver("older", received=cursor.started - 1_000)
    await expired.read_and_drain()
    assert seen(expired) == ["judged"]
    assert await expired.queued() == []


@pytest.mark.parametrize("labels", [("SENT",), ("DRAFT",)])
async def test_what_went_out_from_here_stays_untouched(expired: World, labels: tuple[str, ...]) -> None:
    expired.provider.deliver("out", mail("mine", sender=BOX), labels=labels)
    await expired.read_and_drain()
    assert seen(expired) == ["judged"]
    assert await expired.lanes.judged(BOX, ["out"]) == set()


async def test_nothing_is_lost_that_arrives_while_the_window_is_listed(expired: World) -> None:
    async def arrive_before() -> None:
        expired.provider.deliver("before the listing")

        async def arrive_after() -> None:
            expired.provider.deliver("after the listing")

        expired.provider.meanwhile["history"] = arrive_after

    expired.provider.meanwhile["list_messages"] = arrive_before
    await expired.read_and_drain()
    expired.provider.expired = 0
    await expired.read_and_drain()
    assert seen(expired) == ["after the listing", "before the listing", "judged"]
    assert len(await expired.runs()) == 3


async def test_one_mailbox_after_another_is_recovered(expired: World) -> None:
    expired.provider.deliver("new")
    async with expired.mailboxes.lease(RECOVERING) as other:
        assert other is not None
        assert await expired.poll() == expired.clock() + RETRY_MS
    assert expired.provider.calls["list_messages"] == 0
    assert "another's is recovered first" in (await expired.mailboxes.paused())[BOX][1]
    await expired.read_and_drain()
    assert seen(expired) == ["judged", "new"]


async def test_a_listing_that_has_to_wait_for_its_turn_is_not_begun_anew(expired: World) -> None:
    for key in "abc":
        expired.provider.deliver(key)
    expired.provider.page_size = 1
    original, asked = expired.provider.list_messages, list[str]()

    async def by_turns(mailbox: str, page: str = "", since: datetime | None = None) -> ListPage:
        asked.append(page)
        if len(asked) % 2 == 0:
            raise RateLimited("the rate budget is used up", until=time.time())
        return await original(mailbox, page, since)

    expired.provider.list_messages = by_turns  # type: ignore[method-assign]
    assert await expired.poll() is None
    assert await expired.queued() == ["a", "b", "c"]
    assert asked.count("") == 1


async def test_a_listing_that_has_to_wait_for_long_is_put_off_with_its_reason(expired: World) -> None:
    expired.provider.failures["list_messages"] = [RateLimited("the day is spent", until=time.time() + 60)]
    assert await expired.poll() is not None
    assert (await expired.mailboxes.paused())[BOX][1] == "the day is spent"


async def test_the_window_is_shorter_than_what_is_remembered(expired: World) -> None:
    expired.clock.forward(2 * RETENTION_MS)
    cut = expired.clock() - RETENTION_MS + SAFETY_MS
    expired.provider.deliver("before", received=cut - 1_000)
    expired.provider.deliver("within", received=cut + 1_000)
    await expired.poll()
    assert await expired.queued() == ["within"]


async def test_a_recovery_that_was_cut_off_is_begun_again_and_judges_once(expired: World) -> None:
    expired.provider.deliver("new")
    cursor = await expired.mailboxes.cursor(BOX)
    assert cursor is not None
    original = expired.mailboxes.append

    async def die(*args: object, **options: object) -> bool:
        if not await original(*args, **options):  # type: ignore[arg-type]
            return False
        raise ConnectionError("killed")

    expired.mailboxes.append = die  # type: ignore[method-assign]
    with pytest.raises(ConnectionError):
        await expired.poll()
    expired.mailboxes.append = original  # type: ignore[method-assign]
    again = await expired.mailboxes.cursor(BOX)
    assert again is not None
    assert again.history == cursor.history
    await expired.read_and_drain()
    assert await expired.matched() == [("judged", "r1"), ("new", "r1")]


ANSWER_ALL = (
    "{when: {subject: {contains: m}}, then: [label: Seen, reply: hi, draft: {template: hi, reply: true}]}"
)
DAY_MS = 86_400_000


async def outcomes(world: World) -> dict[str, list[str]]:
    """By message, what became of each step."""
    return {
        one.run.key: [one.receipts.get(step, {"outcome": "open"})["outcome"] for step in range(3)]
        for one in await world.runs()
        if one.run.key
    }


async def test_a_mailbox_that_was_away_for_a_month(world: World) -> None:
    """What is lately come is answered, older mail is only filed, and what is older still is named."""
    await world.rules(ANSWER_ALL)
    world.provider.deliver("before")
    await world.read_and_drain()
    left = world.clock()
    for key, days in {"too old": 5, "old": 20, "late": 39}.items():
        world.provider.deliver(key, received=left + days * DAY_MS)
    world.provider.expired = world.provider.newest
    world.clock.forward(40 * DAY_MS)
    await world.read_and_drain()
    assert seen(world) == ["before", "late", "old"]
    found = await outcomes(world)
    assert found["old"] == ["done", "held", "open"]
    assert found["late"] == ["done", "open", "open"]
    (gap,) = [one for one in await world.runs() if one.state == "dead"]
    assert gap.run.rule == "*"
    assert gap.why == (
        "mail that arrived from 2026-01-01T00:00+00:00 to 2026-01-12T00:00+00:00 was not looked at:"
        " it is older than `retention`"
    )
    assert not await world.journal.reopen(gap.run.id, world.clock())
    assert await world.journal.dismiss(gap.run.id, world.clock())
    world.provider.expired = world.provider.newest
    await world.read_and_drain()
    assert not [one for one in await world.runs() if one.state == "dead"]


async def test_a_recovery_that_leaves_nothing_out_names_nothing(expired: World) -> None:
    await expired.read_and_drain()
    assert {one.state for one in await expired.runs()} == {"done"}


async def test_what_a_person_does_to_old_mail_is_answered(world: World) -> None:
    await world.rules("{event: label.added, when: {label: Ask}, then: [reply: hi]}")
    world.provider.deliver("1")
    await world.read_and_drain()
    world.clock.forward(20 * DAY_MS)
    world.provider.relabel("1", add=["Ask"])
    await world.read_and_drain()
    assert (await world.run()).state == "open"


async def test_mail_that_the_history_tells_of_late_is_filed_and_not_answered(world: World) -> None:
    await world.rules(ANSWER_ALL)
    world.provider.deliver("1")
    world.clock.forward(8 * DAY_MS)
    await world.read_and_drain()
    assert await outcomes(world) == {"1": ["done", "held", "open"]}
    assert "it arrived on 2026-01-01" in (await world.run()).receipts[1]["why"]
