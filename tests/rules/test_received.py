"""When a message was received: moments, ages, days and times of day, in whose time zone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.errors import Missing
from engine.mail.message import Message
from engine.rules.evaluation import Verdict
from engine.rules.home import Home
from engine.rules.reasons import reason_of
from engine.rules.view import View
from tests.rules.making import NOW, condition, make_message

BERLIN = Home(ZoneInfo("Europe/Berlin"))


def holds(asked: str, when: str, *, home: Home = BERLIN, now: datetime = NOW) -> bool:
    message = replace(make_message(), received=datetime.fromisoformat(when))
    judged = condition(f"received: {asked}").judge(View(message, now, home=home))
    assert judged.verdict is not Verdict.UNDECIDED
    return judged.verdict is Verdict.MATCHED


MOMENTS = [
    pytest.param("{after: 2026-03-01}", "2026-02-28T23:00+00:00", True, id="a day begins at local midnight"),
    pytest.param("{after: 2026-03-01}", "2026-02-28T22:59:59+00:00", False, id="a second before it"),
    pytest.param("{before: 2026-03-01}", "2026-02-28T22:59:59+00:00", True, id="before the day"),
    pytest.param("{before: 2026-03-01}", "2026-02-28T23:00+00:00", False, id="the day itself is not before"),
    pytest.param(
        "{after: 2026-03-01T09:30Z}", "2026-03-01T09:30+00:00", True, id="a moment with its own zone"
    ),
    pytest.param(
        "{after: 2026-03-01, timezone: UTC}", "2026-02-28T23:30+00:00", False, id="the condition's own zone"
    ),
    pytest.param(
        "{after: 2026-03-01, before: 2026-03-02}", "2026-03-01T12:00+00:00", True, id="between two days"
    ),
    pytest.param(
        "{before: 2026-03-29T02:30}",
        "2026-03-29T01:15+00:00",
        True,
        id="a time that the clocks skip comes later",
    ),
    pytest.param("{newer_than: 2d}", "2026-02-27T09:00:01+00:00", True, id="less than two days ago"),
    pytest.param("{newer_than: 2d}", "2026-02-27T09:00+00:00", False, id="just two days ago is not less"),
    pytest.param("{older_than: 2d}", "2026-02-27T09:00+00:00", False, id="nor is it more"),
    pytest.param("{older_than: 2d}", "2026-02-27T08:59:59+00:00", True, id="more than two days ago"),
    pytest.param("{older_than: 1h, newer_than: 3h}", "2026-03-01T07:00+00:00", True, id="between two ages"),
    pytest.param("{newer_than: 1h}", "2026-03-01T10:00+00:00", True, id="a clock that goes ahead"),
]

DAYS = [
    pytest.param("{weekday: sun}", "2026-03-01T12:00+00:00", True, id="a Sunday"),
    pytest.param("{weekday: [saturday, sunday]}", "2026-03-01T12:00+00:00", True, id="a day of several"),
    pytest.param("{weekday: sun}", "2026-02-28T23:30+00:00", True, id="Saturday in UTC, Sunday here"),
    pytest.param(
        "{weekday: sat, timezone: UTC}", "2026-02-28T23:30+00:00", True, id="Saturday by its own zone"
    ),
    pytest.param(
        "{between: 08:00-18:00}", "2026-03-02T07:00+00:00", True, id="eight in winter is seven in UTC"
    ),
    pytest.param("{between: 08:00-18:00}", "2026-07-01T06:00+00:00", True, id="and six in summer"),
    pytest.param("{between: 08:00-18:00}", "2026-07-01T05:59:59+00:00", False, id="a second too early"),
    pytest.param("{between: 08:00-18:00}", "2026-07-01T16:00+00:00", False, id="the end does not count"),
    pytest.param(
        "{between: 22:00-06:00}", "2026-03-01T22:30+00:00", True, id="over midnight, in the evening"
    ),
    pytest.param("{between: 22:00-06:00}", "2026-03-02T04:30+00:00", True, id="and in the morning"),
    pytest.param("{between: 22:00-06:00}", "2026-03-02T12:00+00:00", False, id="and not at noon"),
    pytest.param("{between: 00:00-24:00}", "2026-03-02T22:59:59+00:00", True, id="a whole day"),
    pytest.param("{between: [08:00-12:00, 13:00-17:00]}", "2026-03-02T11:30+00:00", False, id="the break"),
    pytest.param("{between: [08:00-12:00, '13:00 - 17:00']}", "2026-03-02T12:30+00:00", True, id="behind it"),
    pytest.param(
        "{between: 02:00-03:00}", "2026-03-29T00:30+00:00", False, id="an hour that the clocks skip"
    ),
    pytest.param(
        "{between: 02:00-03:00}", "2026-10-25T00:30+00:00", True, id="an hour that comes twice, first"
    ),
    pytest.param("{between: 02:00-03:00}", "2026-10-25T01:30+00:00", True, id="and a second time"),
]


@pytest.mark.parametrize(("asked", "when", "wanted"), MOMENTS + DAYS)
def test_received(asked: str, when: str, wanted: bool) -> None:
    assert holds(asked, when) is wanted


def test_a_mailbox_with_no_zone_of_its_own_goes_by_utc() -> None:
    assert holds("{between: 08:00-09:00}", "2026-03-02T08:30+00:00", home=Home())


def test_what_was_not_fetched_is_missing_and_what_is_not_there_is_false() -> None:
    asked = condition("received: {newer_than: 1d}")
    assert asked.judge(View(Message("k"), NOW)).needs == asked.needs
    assert asked.judge(View(replace(make_message(), received=None), NOW)).verdict is Verdict.NOT_MATCHED
    with pytest.raises(Missing):
        asked.check(View(Message("k"), NOW))


def test_a_reason_tells_the_local_time() -> None:
    asked = condition("received: {between: 08:00-18:00, older_than: 1h}")
    told = reason_of(asked, View(make_message(), NOW, home=BERLIN), "when").text
    assert told.startswith(
        "found Sun 2026-03-01 10:00:00+0100 in Europe/Berlin, judged at 2026-03-01 10:00:00"
    )


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        pytest.param("{timezone: UTC}", "asks nothing; write one of after, before", id="a zone alone"),
        pytest.param("{after: tomorrow}", "must be a day or time such as 2026-03-01", id="a word for a day"),
        pytest.param("{after: 1.3.2026}", "must be a day or time such as 2026-03-01", id="another order"),
        pytest.param("{after: 0001-01-01}", "in the years 2 to 9998", id="a day that no zone can shift"),
        pytest.param("{weekday: funday}", "unknown weekday 'funday'; did you mean 'sunday'?", id="a weekday"),
        pytest.param("{between: 8-18}", "must be two times of day, such as 08:00-18:00", id="bare hours"),
        pytest.param("{between: 08:00-25:00}", "names no time of day", id="an hour that no day has"),
        pytest.param("{between: 08:00-08:00}", "begins where it ends", id="no time at all"),
        pytest.param("{between: 08:60-09:00}", "names no time of day", id="a minute that no hour has"),
        pytest.param(
            "{between: 08:00-18:00, timezone: Berlin}", "did you mean 'Europe/Berlin'", id="a city is no zone"
        ),
        pytest.param(
            "{after: 2026-01-01, timezone: Europe/Berlni}",
            "did you mean 'Europe/Berlin'",
            id="a zone misspelt",
        ),
        pytest.param("{older_than: 2}", "no unit; write a number with one", id="an age without a unit"),
        pytest.param("{since: 2026-01-01}", "unknown key 'since'", id="a key misspelt"),
    ],
)
def test_a_mistake_is_named(asked: str, said: str) -> None:
    with pytest.raises(ValidationError) as wrong:
        condition(f"received: {asked}")
    assert said in str(wrong.value)


@settings(max_examples=100, deadline=None)
@given(
    zone=st.sampled_from(["Europe/Berlin", "America/St_Johns", "Pacific/Apia", "UTC"]),
    start=st.integers(0, 1439),
    length=st.integers(1, 1439),
    moment=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),
)
def test_a_part_of_the_day_and_the_rest_of_it_share_no_moment(
    zone: str, start: int, length: int, moment: datetime
) -> None:
    def clock(minute: int) -> str:
        return f"{minute % 1440 // 60:02}:{minute % 60:02}"

    one, other = clock(start), clock(start + length)
    home, when = Home(ZoneInfo(zone)), moment.isoformat()
    now = moment + timedelta(days=1)
    within = holds(f"{{between: '{one}-{other}'}}", when, home=home, now=now)
    outside = holds(f"{{between: '{other}-{one}'}}", when, home=home, now=now)
    assert within is not outside
