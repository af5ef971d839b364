"""Conditions on what another condition captured."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from engine.errors import Missing
from engine.mail.message import Message
from engine.mail.needs import Need
from engine.rules.evaluation import Verdict
from engine.rules.reasons import reason_of
from engine.rules.view import View
from tests.rules.making import NOW, condition, holds, judge, judged, make_message, matched, rules
from tests.rules.test_memory import mail, told

LIST = "{header: {name: List-Id, regex: '<(?P<list>[^.>]+)(?P<below>[.]dev)?'}}"
DEV = make_message(("List-Id", "Developers <dev.lists.example>"))
OPS = make_message(("List-Id", "<ops.dev.lists.example>"))


@pytest.mark.parametrize(
    ("kinds", "message", "expected"),
    [
        pytest.param("name: list, is: [dev, docs]", DEV, True, id="the capture is one of these"),
        pytest.param("name: list, is: Dev", DEV, True, id="without regard to case"),
        pytest.param("name: list, is: [dev, docs]", OPS, False, id="the capture is another"),
        pytest.param("name: below, is: ''", DEV, True, id="a group that took part in nothing is empty"),
        pytest.param("name: below, is: ''", OPS, False, id="a group that did is not"),
        pytest.param("name: list, is: ''", make_message(), False, id="without a match there is no capture"),
    ],
)
def test_a_capture_is_compared(kinds: str, message: Message, expected: bool) -> None:
    assert holds(f"captured: {{of: {LIST}, {kinds}}}", message) is expected


def test_its_own_groups_are_captured_as_well() -> None:
    found = judged(f"captured: {{of: {LIST}, name: list, regex: '^(?P<first>.)'}}", DEV)
    assert found.captures == {"list": "dev", "below": "", "first": "d"}


def test_captures_lie_within_each_other() -> None:
    inner = f"{{captured: {{of: {LIST}, name: list, regex: '^(?P<first>.)'}}}}"
    assert holds(f"captured: {{of: {inner}, name: first, is: d}}", DEV)


def test_what_is_unknown_stays_unknown() -> None:
    unread = Message("k", "support@acme.example")
    found = judged(f"captured: {{of: {LIST}, name: list, is: dev}}", unread)
    assert (found.verdict, found.needs) == (Verdict.UNDECIDED, frozenset({Need.HEADERS}))
    with pytest.raises(Missing):
        condition(f"captured: {{of: {LIST}, name: list, is: dev}}").seen(View(unread, NOW))


def test_the_capture_is_told() -> None:
    asked = condition(f"captured: {{of: {LIST}, name: list, is: ops}}")
    assert asked.seen(View(DEV, NOW)) == '"dev"'
    assert "nothing was captured" in asked.seen(View(make_message(), NOW))
    assert json.loads(asked.wanted()) == {
        "of": {"header": {"name": "List-Id", "regex": ["<(?P<list>[^.>]+)(?P<below>[.]dev)?"]}},
        "name": "list",
        "is": ["ops"],
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(f"captured: {{of: {LIST}, name: lists, is: a}}", "has a group", id="a name of no group"),
        pytest.param(f"captured: {{of: {LIST}, name: list}}", "asks nothing", id="no kind"),
        pytest.param("captured: {of: {subject: a}, name: b, is: a}", "has a group", id="no pattern at all"),
    ],
)
def test_mistakes_are_named(text: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        condition(text)


def test_a_condition_within_it_is_one_of_the_rule() -> None:
    """Its memory is the rule's own, and mail in spam reaches the rule that names it."""
    words = "{{subject: {{regex: '(?P<word>[a-z]+)'}}}}"
    several = f"{{{{captured: {{{{of: {{{{all: [{{0}}, {words}]}}}}, name: word, is: alert}}}}}}}}"
    twice = several.format("{duplicate: message_id}")
    one, other = (f"- {{id: {rule}, when: {twice}, then: [{{archive: true}}]}}" for rule in "ab")
    assert told(rules(f"rules: \n{one}\n{other}"), [mail(0), mail(1)]) == [[], ["a", "b"]]
    spam = f"rules: [{{id: s, when: {several.format('{label: SPAM}')}, then: [{{archive: true}}]}}]"
    assert matched(judge(rules(spam), make_message(("Subject", "alert"), labels=["SPAM"]))) == ["s"]


@pytest.mark.parametrize("kind", ["all", "any"])
def test_what_several_conditions_captured_is_explained(kind: str) -> None:
    asked = condition(f"captured: {{of: {{{kind}: [{LIST}, {{size: {{gt: 1KB}}}}]}}, name: list, is: dev}}")
    reason = reason_of(asked, View(make_message(), NOW), "when")
    assert reason.text.startswith("found nothing; 1000 bytes, of which nothing was captured; asked for ")
