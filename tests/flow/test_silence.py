"""When a silence is an alarm, and when it is a weekend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.flow.silence import DAY_MS, HOUR_MS, Alarm, Hooked, Kind, Watched, alarms, patience

NOW = 20_400 * DAY_MS + 9 * HOUR_MS
TODAY = NOW // DAY_MS
MINUTE_MS = 60_000
NIGHTS = {TODAY - day: 10 * HOUR_MS for day in range(8)}
BOX = Watched(
    "a@x.example",
    "acme",
    interval=MINUTE_MS,
    hooked=True,
    polled=NOW - 1_000,
    moved=NOW - 1_000,
    habit=NIGHTS,
)
HOOK = Hooked("acme", signed=NOW - MINUTE_MS, validated=NOW - DAY_MS)


def kinds(box: Watched = BOX, hook: Hooked = HOOK) -> list[Kind]:
    return [alarm.kind for alarm in alarms([box], [hook], NOW)]


def test_a_mailbox_that_moves_and_rings_alarms_nobody() -> None:
    assert kinds() == []


@pytest.mark.parametrize(
    ("moved", "habit", "expected"),
    [
        pytest.param(21, NIGHTS, [Kind.QUIET], id="more than twice the longest night"),
        pytest.param(19, NIGHTS, [], id="less than twice the longest night"),
        pytest.param(21, NIGHTS | {TODAY - 3: 60 * HOUR_MS}, [], id="a weekend is part of the habit"),
        pytest.param(900, {TODAY - day: HOUR_MS for day in range(6)}, [], id="six days are no habit yet"),
        pytest.param(900, {TODAY - 9: HOUR_MS, TODAY: HOUR_MS}, [], id="two movements are no habit"),
        pytest.param(2, dict.fromkeys(NIGHTS, 1_000), [Kind.QUIET], id="a busy mailbox, after an hour"),
        pytest.param(0.9, dict.fromkeys(NIGHTS, 1_000), [], id="a busy mailbox, before an hour is over"),
    ],
)
def test_silence_is_held_against_the_mailboxes_own_habit(
    moved: float, habit: Mapping[int, int], expected: list[Kind]
) -> None:
    assert kinds(replace(BOX, moved=int(NOW - moved * HOUR_MS), habit=habit)) == expected


def test_a_mailbox_that_nobody_reads_is_unread_and_not_quiet() -> None:
    away = replace(BOX, polled=NOW - 3 * DAY_MS, moved=NOW - 3 * DAY_MS - MINUTE_MS)
    assert alarms([away], [HOOK], NOW) == [
        Alarm(Kind.UNREAD, "a@x.example", "its history has not been read for 3 days")
    ]


@pytest.mark.parametrize(
    ("polled", "interval", "expected"),
    [
        pytest.param(11 * MINUTE_MS, MINUTE_MS, [Kind.UNREAD], id="ten minutes are patience enough"),
        pytest.param(9 * MINUTE_MS, MINUTE_MS, [], id="nine are not"),
        pytest.param(2 * HOUR_MS, HOUR_MS, [], id="one that is polled each hour may miss two"),
        pytest.param(9 * HOUR_MS, 0, [], id="one that is not polled is read when it rings"),
    ],
)
def test_a_mailbox_is_unread_after_three_polls_and_ten_minutes(
    polled: int, interval: int, expected: list[Kind]
) -> None:
    assert kinds(replace(BOX, polled=NOW - polled, moved=NOW - polled, interval=interval)) == expected


def test_one_that_was_never_in_service_alarms_nobody() -> None:
    assert kinds(Watched("a@x.example", "acme", MINUTE_MS, True)) == []


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        pytest.param(replace(BOX, unrung=5), [Kind.WEBHOOKS], id="five arrivals in a row with no ring"),
        pytest.param(replace(BOX, unrung=4), [], id="four may be chance"),
        pytest.param(replace(BOX, unrung=9, hooked=False), [], id="an account without webhooks"),
    ],
)
def test_webhooks_have_stopped_when_polling_finds_what_nobody_rang_for(
    box: Watched, expected: list[Kind]
) -> None:
    assert kinds(box) == expected


@pytest.mark.parametrize(
    ("hook", "expected"),
    [
        pytest.param(Hooked("acme"), [], id="nothing was ever seen"),
        pytest.param(Hooked("acme", validated=NOW - 5 * DAY_MS), [Kind.VALIDATION], id="none for five days"),
        pytest.param(Hooked("acme", validated=NOW - 3 * DAY_MS), [], id="due just now"),
        pytest.param(Hooked("acme", refused=NOW - DAY_MS), [Kind.VALIDATION], id="the only one was refused"),
        pytest.param(
            Hooked("acme", validated=NOW - DAY_MS, refused=NOW - 2 * DAY_MS), [], id="refused, then answered"
        ),
    ],
)
def test_a_subscription_must_be_validated_again_and_again(hook: Hooked, expected: list[Kind]) -> None:
    assert kinds(hook=hook) == expected


@pytest.mark.parametrize(
    ("box", "hook", "expected"),
    [
        pytest.param(
            replace(BOX, unrung=1), Hooked("acme", signed=NOW - 9, unsigned=NOW - 5), [Kind.SIGNATURE],
            id="wrong signatures after good ones, while mail comes that nobody rings for",
        ),
        pytest.param(
            BOX, Hooked("acme", signed=NOW - 9, unsigned=NOW - 5), [],
            id="somebody tries his luck while the true ones go on",
        ),
        pytest.param(
            replace(BOX, unrung=1), Hooked("acme", signed=NOW - 5, unsigned=NOW - 9), [],
            id="good ones came since",
        ),
        pytest.param(
            replace(BOX, unrung=1), Hooked("acme", unsigned=NOW - 5), [],
            id="there never was a good one",
        ),
        pytest.param(
            replace(BOX, interval=0), Hooked("acme", signed=NOW - 9, unsigned=NOW - 5), [Kind.SIGNATURE],
            id="where nobody polls, wrong ones are all the evidence there is",
        ),
    ],
)  # fmt: skip
def test_a_secret_that_was_changed_is_told_from_noise(
    box: Watched, hook: Hooked, expected: list[Kind]
) -> None:
    assert kinds(box, hook) == expected


def test_an_alarm_of_webhooks_names_the_account_once() -> None:
    boxes = [replace(BOX, mailbox=f"{n}@x.example") for n in range(3)]
    found = alarms(boxes, [Hooked("acme", validated=NOW - 9 * DAY_MS), Hooked("other")], NOW)
    assert [(alarm.kind, alarm.about) for alarm in found] == [(Kind.VALIDATION, "acme")]


days = st.dictionaries(st.integers(TODAY - 27, TODAY), st.integers(0, 9 * DAY_MS), max_size=28)


@settings(max_examples=100)
@given(days, st.integers(0, 60 * DAY_MS))
def test_no_silence_alarms_that_was_seen_before_or_is_shorter_than_an_hour(
    habit: dict[int, int], silence: int
) -> None:
    limit = patience(habit, NOW)
    assert limit is None or (limit >= HOUR_MS and limit >= 2 * max(habit.values()))
    found = kinds(replace(BOX, polled=NOW, moved=NOW - silence, habit=habit))
    assert (Kind.QUIET in found) == (limit is not None and silence > limit)
