"""How many automatic mails one address can get: what is printed is never less than what can happen."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.cli.bound import bound_as_line
from engine.rules.bound import Bound, bounds
from engine.rules.budgets import DAY_MS, DEFAULTS, Budgets, Window, window_of
from engine.rules.loader import load_rules
from engine.rules.reach import recipients

BOXES = ("support@acme.example", "sales@acme.example")
TEAM, ANN = "team@acme.example", "ann@x.example"
BUDGETS = replace(DEFAULTS, ours=recipients(BOXES, ()), exchanges=())
FIVE_HOURS = "reply: {template: hi, once_per: {sender: 5h}}"
ONCE = "reply: {template: hi, once_per: {sender: 7d}}"
TO_TEAM = f"send: {{template: hi, to: {TEAM}}}"
TO_ANN = f"send: {{template: hi, to: {ANN}, throttle: {{at_most: 1, per: 1d}}}}"
OFF = "guard: {off: budget, reason: the customer asked for it}"


def bound(
    *actions: str, kind: str = "recipient", budgets: Budgets = BUDGETS, boxes: tuple[str, ...] = BOXES
) -> Bound:
    when = "when: {subject: {regex: '(?P<x>.+)'}}"
    rules = "".join(f"  - {{id: r{n}, {when}, then: [{one}]}}\n" for n, one in enumerate(actions, 1))
    found = bounds(load_rules({"r.yaml": f"version: 1\nrules:\n{rules}"}, None), budgets, boxes)
    return next(each for each in found if each.name == f"outbound.budgets.{kind}")


@pytest.mark.parametrize(
    ("actions", "by_rules", "at_most", "why"),
    [
        pytest.param(("archive: true",), 0, 20, "no rule sends any", id="no rule sends"),
        pytest.param((ONCE,), 2, 20, "'r1' 2", id="an answer a week, from each mailbox"),
        pytest.param(
            (ONCE, FIVE_HOURS),
            12,
            20,
            "'r1' 2, 'r2' 10",
            id="rules add up",
        ),
        pytest.param(("reply: hi",), 20, 20, "outbound.budgets.recipient: 20/1d", id="the budget caps"),
        pytest.param(
            ("reply: {template: hi, all: true, once_per: {sender: 7d}}",),
            20,
            20,
            "outbound.budgets.recipient: 20/1d",
            id="who gets a copy is counted by no once_per",
        ),
        pytest.param(
            ("reply: {template: hi, throttle: {at_most: 3, per: 12h}}",), 6, 20, "'r1' 6", id="a throttle"
        ),
        pytest.param(
            ("reply: {template: hi, throttle: {at_most: 3, per: 12h, key: '{{ captures.x | lower }}'}}",),
            20,
            20,
            "outbound.budgets.recipient: 20/1d",
            id="a throttle by what a message says",
        ),
        pytest.param((TO_TEAM,), 0, 20, "no rule sends any", id="to others"),
        pytest.param(
            (f"send: {{template: hi, to: {ANN}, throttle: {{at_most: 1, per: 1d}}}}",),
            1,
            20,
            "'r1' 1",
            id="by name",
        ),
        pytest.param(
            (ONCE, f"reply: {{template: hi, throttle: {{at_most: 5, per: 1d}}, {OFF}}}"),
            7,
            25,
            "'r1' 2; `budget` switched off: 'r2' 5",
            id="beyond the budget",
        ),
        pytest.param(
            (f"reply: {{template: hi, {OFF}}}",),
            inf,
            inf,
            "no rule sends any; `budget` switched off: 'r1' without bound",
            id="no bound at all",
        ),
    ],
)
def test_the_bound_follows_from_rules_and_budgets(
    actions: tuple[str, ...], by_rules: float, at_most: float, why: str
) -> None:
    found = bound(*actions)
    assert (found.by_rules, found.at_most, found.why) == (by_rules, at_most, why)


def test_rules_that_do_not_act_send_nothing() -> None:
    text = "rules: [{id: a, state: shadow, when: {subject: x}, then: [reply: hi]}]\n"
    assert bounds(load_rules({"r.yaml": text}, None), BUDGETS, BOXES)[0].by_rules == 0


def test_addresses_of_our_own_and_named_ones_have_bounds_of_their_own() -> None:
    send = f"send: {{template: hi, to: [{TEAM}, {ANN}]}}"
    assert bound(send, kind="own").by_rules == 500
    named = replace(BUDGETS, named=((ANN, recipients((), [ANN]), (window_of(3, 60),)),))
    assert bound(send, kind=f"named.{ANN}", budgets=named).by_rules == 3 * 1_440


def test_an_answer_is_bounded_by_exchanges() -> None:
    usual = replace(BUDGETS, exchanges=DEFAULTS.exchanges)
    assert bound("reply: hi", FIVE_HOURS, budgets=usual).why == "'r1' 2, 'r2' 2"
    assert bound("reply: {template: hi, all: true}", budgets=usual).by_rules == 20, "copies go to others"
    assert bound("reply: {template: hi, mode: approve}", budgets=usual).by_rules == 20, (
        "a person stands between"
    )


def test_a_mailbox_budget_bounds_what_no_recipient_budget_does() -> None:
    budgets = replace(BUDGETS, recipient=())
    found = bound("reply: hi", budgets=budgets)
    assert (found.by_rules, found.why) == (20_000, "outbound.budgets.mailbox: 10000/1d, in each")


def test_without_mailboxes_the_budget_of_the_address_alone_counts() -> None:
    assert bound(ONCE, boxes=()).by_rules == 20


def test_it_is_said_in_one_line() -> None:
    assert bound_as_line(bound(ONCE)) == (
        "one address can get at most 2 automatic mails in 24 hours ('r1' 2); "
        "20 with what API and command line ask for (outbound.budgets.recipient: 20/1d)"
    )
    assert bound_as_line(bound(f"reply: {{template: hi, {OFF}}}")).startswith(
        "there is no bound to what one address can get in 24 hours"
    )


@settings(max_examples=60)
@given(
    most=st.integers(1, 5),
    part=st.integers(DAY_MS // 40, 3 * DAY_MS),
    gaps=st.lists(st.integers(0, 200), max_size=150),
)
def test_no_day_holds_more_than_its_windows_do(most: int, part: int, gaps: list[int]) -> None:
    """The greediest sender: it sends whenever the window, both ends included, has room."""
    window, sent, now = Window(most, part, ""), list[int](), 0
    for gap in [0, *gaps]:
        now += gap * part // 100
        if sum(at >= now - part for at in sent) < most:
            sent.append(now)
        elif gap == 0:
            now = sent[-most] + part + 1
            sent.append(now)
    for start in sent:
        assert sum(start <= at <= start + DAY_MS for at in sent) <= window.within(DAY_MS)
