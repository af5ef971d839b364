"""An expired cursor: a window is listed, what was judged is skipped, nothing is lost."""

from __future__ import annotations

import pytest

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
