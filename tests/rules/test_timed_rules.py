"""Rules on time: what their keys take, how cron lines are read, and what a search is narrowed by."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from engine.rules.findings import RuleErrors
from engine.rules.lints.run import lint
from engine.rules.loader import load_rules
from engine.rules.narrowing import Narrow, narrow
from engine.rules.ruleset import RuleSet
from engine.rules.schedule import Schedule
from engine.rules.testing import run_tests

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def load(*rules: str) -> RuleSet:
    return load_rules(
        {"r.yaml": "rules:\n" + "".join(f"  - {rule}\n" for rule in rules)}, {"hi": frozenset()}
    )


THEN = "when: {label: X}, then: [{label: Y}]"


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        pytest.param(
            f"{{id: a, event: message.unanswered, {THEN}}}",
            "write after: 48h",
            id="no time",
        ),
        pytest.param(
            f"{{id: a, after: 2h, {THEN}}}",
            "'after' goes with event: message.unanswered; for an action that waits, write it in the action",
            id="after belongs to unanswered, or into an action",
        ),
        pytest.param(f"{{id: a, event: schedule, {THEN}}}", "write schedule: '0 9", id="schedule says when"),
        pytest.param(
            f"{{id: a, schedule: '0 9 * * *', {THEN}}}",
            "goes with event: schedule",
            id="no event",
        ),
        pytest.param(
            f"{{id: a, event: schedule, schedule: daily, {THEN}}}",
            "does not have 5 fields",
            id="no cron",
        ),
        pytest.param(
            f"{{id: a, event: schedule, schedule: '0 25 * * *', {THEN}}}",
            "bad hour",
            id="an hour of 25",
        ),
        pytest.param(
            f"{{id: a, event: schedule, schedule: {{cron: '0 9 * * *', timezone: Berlin}}, {THEN}}}",
            "Berlin",
            id="a time zone there is not",
        ),
        pytest.param(
            f"{{id: a, event: schedule, schedule: {{cron: '0 9 * * *', search: x}}, {THEN}}}",
            "when: {query: ...}",
            id="what is looked for stands in when",
        ),
        pytest.param(
            "{id: a, when: {label: X}, then: [{label: {add: Y, after: 91d}}]}",
            "at most 90 days",
            id="long",
        ),
    ],
)
def test_a_mistake_is_named_with_what_to_write(rule: str, said: str) -> None:
    with pytest.raises(RuleErrors) as found:
        load(rule)
    (error,) = found.value.errors
    assert said in str(error)
    assert error.place.line == 2


def test_each_time_and_each_schedule_is_a_kind_of_its_own() -> None:
    rules = load(
        f"{{id: a, event: message.unanswered, after: 48h, {THEN}}}",
        f"{{id: b, event: message.unanswered, after: 2d, state: off, {THEN}}}",
        f"{{id: c, event: schedule, schedule: '0 9 * * *', {THEN}}}",
    )
    assert [rule.event for rule in rules.rules] == [
        "message.unanswered.172800",
        "message.unanswered.172800",
        "schedule.c",
    ]
    assert rules.unanswered("any@x.example") == ("message.unanswered.172800",)
    assert list(rules.schedules) == ["schedule.c"]


def test_tests_of_an_unanswered_rule_say_whether_it_was_answered() -> None:
    rules = load(
        "{id: a, event: message.unanswered, after: 48h, when: {from: '@x.example'}, then: [{label: Y}],"
        " tests: [{name: open, given: {from: ann@x.example}, expect: {actions: [label]}},"
        "{name: answered, given: {from: ann@x.example}, state: {thread: {replied_by_us: true}},"
        " expect: {matched: false}},"
        "{name: spam, given: {from: ann@x.example, labels: [SPAM]}, expect: {matched: false}}]}"
    )
    assert [one.problems for one in run_tests(rules)] == [(), (), ()]


@pytest.mark.parametrize(
    ("then", "flawed"),
    [
        ("[{label: {add: A, after: 1h}}, {archive: true}]", True),
        ("[{label: {add: A, after: 2h}}, {archive: {after: 1h}}]", True),
        ("[{archive: true}, {label: {add: A, after: 1h}}, {mark: {read: true, after: 1h}}]", False),
    ],
    ids=["without after behind one that waits", "less than before it", "as long as before it"],
)
def test_what_waits_for_longer_than_it_says_is_named(then: str, *, flawed: bool) -> None:
    flaws = [
        one for one in lint(load(f"{{id: a, when: {{label: X}}, then: {then}}}")) if one.check == "waits"
    ]
    assert bool(flaws) is flawed


@pytest.mark.parametrize(
    ("cron", "since", "until", "due"),
    [
        ("30 2 * * *", (2026, 3, 29, 0, 0), (2026, 3, 29, 12, 0), "2026-03-29T01:00:00+00:00"),
        ("30 2 * * *", (2026, 10, 25, 0, 0), (2026, 10, 25, 12, 0), "2026-10-25T00:30:00+00:00"),
        ("0 9 * * *", (2026, 3, 28, 12, 0), (2026, 3, 29, 12, 0), "2026-03-29T07:00:00+00:00"),
        ("0 9 * * mon-fri", (2026, 11, 20, 10, 0), (2026, 11, 22, 23, 0), None),
        ("*/10 * * * *", (2026, 11, 20, 9, 0), (2026, 11, 20, 9, 59), "2026-11-20T08:50:00+00:00"),
    ],
    ids=["a time that is skipped", "a time that comes twice", "summer time", "a weekend", "the last of many"],
)
def test_times_follow_the_clocks(
    cron: str, since: tuple[int, ...], until: tuple[int, ...], due: str | None
) -> None:
    first, last = (datetime(*parts, tzinfo=BERLIN).astimezone(UTC) for parts in (since, until))  # type: ignore[misc,arg-type]
    found = Schedule(cron=cron).latest(BERLIN, first, last)
    assert (found.isoformat() if found else None) == due


def test_a_time_that_comes_twice_comes_once() -> None:
    schedule, at = Schedule(cron="30 2 * * *"), datetime(2026, 10, 24, 12, tzinfo=UTC)
    first = schedule.upcoming(BERLIN, at)
    assert schedule.upcoming(BERLIN, first) - first == timedelta(days=1, hours=1)


@pytest.mark.parametrize(
    ("when", "bounds"),
    [
        ("{label: Waiting}", Narrow(frozenset({"waiting"}))),
        ("{label: [A, B]}", Narrow()),
        ("{not: {label: A}}", Narrow()),
        ("{query: 'label:to-do older_than:2d'}", Narrow(frozenset({"to-do"}), None, NOW - timedelta(days=2))),
        ("{any: [{label: A}, {label: B}]}", Narrow()),
        (
            "{all: [{received: {newer_than: 7d}}, {received: {after: 2026-02-25}}, {label: INBOX}]}",
            Narrow(frozenset({"inbox"}), datetime(2026, 2, 24, 23, tzinfo=UTC)),
        ),
    ],
    ids=["a label", "any of labels", "no label", "a search line", "any", "the later of two times"],
)
def test_a_search_is_narrowed_by_what_surely_holds(when: str, bounds: Narrow) -> None:
    rules = load(f"{{id: a, event: schedule, schedule: '0 9 * * *', when: {when}, then: [{{label: Y}}]}}")
    assert narrow([rules.rules[0].when], NOW, BERLIN) == bounds


def test_several_rules_of_a_schedule_leave_the_widest_bounds() -> None:
    rules = load(
        "{group: {id: g, event: schedule, schedule: '0 9 * * *', when: {label: A}, rules: ["
        "{id: a, when: {received: {older_than: 2d}}, then: [{label: Y}]},"
        "{id: b, when: {all: [{label: B}, {received: {older_than: 1d}}]}, then: [{label: Z}]}]}}"
    )
    found = narrow([rule.when for rule in rules.rules], NOW, BERLIN)
    assert found == Narrow(frozenset({"a"}), None, NOW - timedelta(days=1))


@pytest.mark.parametrize(
    ("when", "flawed"),
    [("{from: '@x.example'}", True), ("{all: [{from: '@x.example'}, {label: Waiting}]}", False)],
    ids=["nothing narrows it", "a label narrows it"],
)
def test_a_search_of_the_whole_mailbox_is_named(when: str, *, flawed: bool) -> None:
    rules = load(f"{{id: a, event: schedule, schedule: '0 9 * * *', when: {when}, then: [{{label: Y}}]}}")
    assert ("searches" in {one.check for one in lint(rules)}) is flawed
