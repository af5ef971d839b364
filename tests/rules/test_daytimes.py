"""Times of day: the next one, on the clocks of a place."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.rules.daytimes import At, next_time
from engine.rules.effects import DayTimes
from engine.rules.findings import RuleErrors
from engine.rules.loader import load_rules

BERLIN = ZoneInfo("Europe/Berlin")
WORKDAYS = ["mon", "tue", "wed", "thu", "fri"]


@pytest.mark.parametrize(
    ("at", "after", "wanted"),
    [
        pytest.param("08:00", "2026-11-21T06:59:59Z", "2026-11-21T07:00Z", id="today"),
        pytest.param(
            "08:00", "2026-11-21T07:00:00Z", "2026-11-22T07:00Z", id="a time that is now is tomorrow's"
        ),
        pytest.param(["16:30", "8:00"], "2026-11-21T08:00Z", "2026-11-21T15:30Z", id="the next of several"),
        pytest.param(
            {"time": "08:00", "weekday": WORKDAYS}, "2026-11-20T08:00Z", "2026-11-23T07:00Z", id="a workday"
        ),
        pytest.param(
            {"time": "08:00", "weekday": "sat"}, "2026-11-21T08:00Z", "2026-11-28T07:00Z", id="in a week"
        ),
        pytest.param(
            "02:30", "2026-03-28T12:00Z", "2026-03-29T01:30Z", id="one that the clocks skip is after the gap"
        ),
        pytest.param(
            "02:30", "2026-10-24T12:00Z", "2026-10-25T00:30Z", id="one that comes twice is the first"
        ),
        pytest.param("02:30", "2026-10-25T00:30Z", "2026-10-26T01:30Z", id="and does not come again"),
        pytest.param("00:00", "2026-11-21T22:59Z", "2026-11-21T23:00Z", id="midnight"),
    ],
)
def test_the_next_time_is_that_of_the_clocks(at: object, after: str, wanted: str) -> None:
    times = At.model_validate(at).times
    found = next_time(times, datetime.fromisoformat(after), BERLIN)
    assert found == datetime.fromisoformat(wanted)


@settings(max_examples=60)
@given(
    minutes=st.sets(st.integers(0, 1439), min_size=1, max_size=3),
    weekdays=st.sets(st.integers(0, 6), max_size=3),
    after=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),
)
def test_it_lies_ahead_within_a_week_and_a_day(
    minutes: set[int], weekdays: set[int], after: datetime
) -> None:
    times = DayTimes(minutes=tuple(sorted(minutes)), weekdays=tuple(sorted(weekdays)))
    moment = after.replace(tzinfo=UTC)
    found = next_time(times, moment, BERLIN)
    assert 0 < (found - moment).total_seconds() <= 8 * 86_400 + 3_600
    assert not weekdays or found.astimezone(BERLIN).weekday() in weekdays


SEND = "send: {template: t, to: [team@acme.example], at: '8:00', %s}"
SUMMARY = "summary: {template: t, to: [team@acme.example], %s}"


@pytest.mark.parametrize(
    ("action", "said"),
    [
        pytest.param(SUMMARY % "key: a", "write either every: 1h or at: '08:00'", id="no time"),
        pytest.param(SUMMARY % "every: 1h, at: '08:00'", "write either", id="two"),
        pytest.param(SUMMARY % "every: 32d", "at most 31 days", id="a time that is too long"),
        pytest.param(
            SUMMARY % "at: '25:00'", "'25:00' is no time of day, such as 08:00", id="no time of day"
        ),
        pytest.param(SUMMARY % "at: {time: '8:00', weekday: [mo]}", "unknown weekday 'mo'", id="no day"),
        pytest.param(SUMMARY % "at: {time: '8:00', days: [mon]}", "write 'weekday'", id="another word"),
        pytest.param(SEND % "mode: draft", "'at' goes with mode: send only", id="a draft at a time"),
        pytest.param(SUMMARY % "every: 1h, by: x", "write 'key'", id="another word for the key"),
        pytest.param(
            SUMMARY % "every: 1h, key: '{{ captures.x }}'", "unknown capture 'x'", id="no such capture"
        ),
        pytest.param(
            "summary: {template: t, to: ['{{ captures.x }}'], every: 1h}", "a recipient is fixed", id="to"
        ),
    ],
)
def test_a_mistake_is_named_with_what_to_write(action: str, said: str) -> None:
    text = f"version: 1\nrules:\n  - {{id: a, when: {{subject: x}}, then: [{{{action}}}]}}\n"
    with pytest.raises(RuleErrors, match=r"rules\.yaml:3:") as found:
        load_rules({"rules.yaml": text}, None)
    assert said in str(found.value)
