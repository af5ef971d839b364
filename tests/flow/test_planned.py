"""Sends at a time: kept by the service where it can, else by us; once, and never before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from engine.errors import OutcomeUnknown
from engine.flow.undoing import undo
from engine.mail.headers import parse_headers
from tests.flow.conftest import World
from tests.flow.fakes import START_MS, FakeProvider
from tests.flow.test_calls_flow import SEND, TEMPLATES, asked, take
from tests.flow.test_dying import live_on, mine
from tests.flow.test_execute import again, opened
from tests.flow.test_undoing import undoing

AT_EIGHT = "{when: {label: INBOX}, then: [reply: {template: hi, at: '08:00'}]}"
START = datetime.fromtimestamp(START_MS / 1000, UTC)
"""Midnight."""
EIGHT = START + timedelta(hours=8)
HOUR_MS = 3_600_000


def date(raw: bytes) -> str:
    return parse_headers(raw).text("Date")


async def test_the_service_keeps_it_until_then(world: World) -> None:
    run = await opened(world, AT_EIGHT)
    assert await world.execute(run) is None
    assert world.provider.kept_until == [EIGHT]
    assert date(world.provider.sent[0]) == "Thu, 01 Jan 2026 08:00:00 +0000"
    assert (await world.run()).receipts[0]["at"] == "2026-01-01T08:00:00+00:00"


async def test_where_the_service_cannot_we_keep_it_ourselves(world: World) -> None:
    world.provider.schedules = False
    run = await opened(world, AT_EIGHT)
    assert await world.execute(run) == int(EIGHT.timestamp() * 1000)
    assert await world.base.redis.zrange(world.base.key("delayed"), 0, -1) == [run]
    world.clock.now = int(EIGHT.timestamp() * 1000) - 1
    assert await world.waking.runs(world.clock()) == 0
    world.clock.forward(1)
    assert await world.waking.runs(world.clock()) == 1
    assert await world.execute(run) is None
    assert (len(world.provider.sent), world.provider.kept_until) == (1, [None])
    assert date(world.provider.sent[0]) == "Thu, 01 Jan 2026 08:00:00 +0000"


@pytest.mark.parametrize(
    ("ms", "waits", "kept"),
    [(8 * HOUR_MS - 30_000, True, None), (9 * HOUR_MS, False, None)],
    ids=["so near a time is waited for", "a time that is past is now, not tomorrow's"],
)
async def test_what_is_begun_late(world: World, ms: int, waits: bool, kept: None) -> None:
    run = await opened(world, AT_EIGHT)
    world.clock.now = START_MS + ms
    assert (await world.execute(run) is not None) is waits
    await again(world, run)
    assert world.provider.kept_until == [kept]


async def test_a_lost_answer_is_looked_up_among_what_is_scheduled(world: World) -> None:
    run = await opened(world, AT_EIGHT)
    world.provider.lost_answers = 1
    recorded = await again(world, run)
    assert (recorded.state, recorded.receipts[0]["how"]) == ("done", "found")
    assert len(world.provider.sent) == 1


async def test_what_was_never_taken_is_scheduled_for_the_same_time_once_more(world: World) -> None:
    run = await opened(world, AT_EIGHT)
    world.provider.failures["send"] = [OutcomeUnknown("the answer was lost")]
    await again(world, run)
    assert world.provider.kept_until == [EIGHT]


@pytest.mark.parametrize(
    ("then", "left"),
    [
        pytest.param(("", ""), "", id="what the service still keeps is cancelled"),
        pytest.param(("SENT", "SCHEDULED"), "it is sent already", id="what it has sent is not"),
        pytest.param(("TRASH", ""), "it is cancelled already", id="nor what a person cancelled"),
    ],
)
async def test_a_message_that_is_kept_can_be_undone(world: World, then: tuple[str, str], left: str) -> None:
    await world.execute(await opened(world, AT_EIGHT))
    world.provider.relabel("sent-1", *({name} - {""} for name in then))
    labels = world.provider.labels("sent-1")
    for acts in (False, True):
        assert world.provider.labels("sent-1") == labels
        (one,) = [one async for one in undo(undoing(world), await world.runs(), acts=acts)]
        assert [taken.left for taken in one.others] == [left]
    assert ("TRASH" in world.provider.labels("sent-1")) is (left != "it is sent already")
    assert (await world.run()).undone


@pytest.mark.parametrize("schedules", [True, False], ids=["the service keeps it", "we keep it"])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_worker_that_dies_at_the_send_sends_once(
    world: World, monkeypatch: pytest.MonkeyPatch, schedules: bool, when: str
) -> None:
    world.provider.schedules = schedules
    await opened(world, AT_EIGHT)
    died = mine(monkeypatch, FakeProvider, "send", when)
    await live_on(world)
    world.clock.now = max(world.clock.now, int(EIGHT.timestamp() * 1000))
    await live_on(world)
    assert died == ["send"]
    assert ((await world.run()).state, len(world.provider.sent)) == ("done", 1)


@pytest.mark.parametrize(
    ("at", "wanted"),
    [
        pytest.param("08:00", EIGHT, id="the next such time"),
        pytest.param("2026-01-02T09:30+01:00", START + timedelta(days=1, hours=8, minutes=30), id="a moment"),
        pytest.param("2025-12-31T09:30+01:00", None, id="a moment that is past"),
    ],
)
async def test_one_message_that_is_asked_for_goes_at_its_time(
    world: World, at: str, wanted: datetime | None
) -> None:
    await world.rules("{when: {subject: x}, then: [archive: true]}", templates=TEMPLATES)
    await take(world, asked(at=at), SEND)
    await world.execute_all()
    assert world.provider.kept_until == [wanted]
