"""Groups: a common condition, and of `mode: first` one member alone."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.mail.events import Event, EventKind
from engine.mail.headers import Headers
from engine.mail.message import Message
from engine.rules.condition import Judged
from engine.rules.evaluation import Reason, Verdict
from engine.rules.explain import explain
from engine.rules.findings import RuleErrors
from engine.rules.loader import load_rules
from engine.rules.ruleset import RuleSet
from engine.rules.testing import examine
from engine.rules.view import View
from engine.rules.yaml import parse_yaml, plain
from tests.rules.making import NOW, condition, indexed_from, judge, make_message, matched, rules

CHAIN = """rules:
  - group:
      id: desks
      mode: first
      rules:
        - {id: bills, when: {subject: {contains: invoice}}, then: [{label: Bills}]}
        - group:
            id: orders
            when: {subject: {regex: 'order (?P<n>\\d+)'}}
            rules:
              - {id: big, when: {size: {gt: 1MB}}, then: [{label: Big}]}
              - {id: small, when: {size: {lte: 1MB}}, then: [{label: 'Order/{{ captures.n }}'}]}
              - {id: every, then: [{label: Orders}]}
        - {id: rest, then: [{label: Rest}]}
  - {id: outside, when: {label: Bills}, then: [{archive: true}]}
"""


@pytest.mark.parametrize(
    ("subject", "size", "wanted"),
    [
        pytest.param("invoice", 1, ["bills", "outside"], id="the first that holds"),
        pytest.param("invoice for order 7", 1, ["bills", "outside"], id="only the first that holds"),
        pytest.param("order 7", 1, ["small", "every"], id="all of a group within"),
        pytest.param("order 7", 2_000_000, ["big", "every"], id="others of a group within"),
        pytest.param("hello", 1, ["rest"], id="else"),
    ],
)
def test_if_else_if_and_else(subject: str, size: int, wanted: list[str]) -> None:
    assert matched(judge(rules(CHAIN), make_message(("Subject", subject), size=size))) == wanted


def test_a_group_that_holds_takes_the_place_of_what_follows_even_if_none_of_its_rules_does() -> None:
    text = CHAIN.replace("              - {id: every, then: [{label: Orders}]}\n", "").replace("lte", "gt")
    assert matched(judge(rules(text), make_message(("Subject", "order 7")))) == []


def test_what_a_group_captures_fills_its_rules() -> None:
    assert judge(rules(CHAIN), make_message(("Subject", "order 7"))).labels.add == ("Order/7", "Orders")


def test_a_group_is_entered_by_the_labels_that_it_found() -> None:
    text = """rules:
  - {id: before, when: {size: {gte: 0}}, then: [{label: Work}]}
  - group:
      id: g
      when: {all: [{label: INBOX}, {label: Work}]}
      rules:
        - {id: away, when: {size: {gte: 0}}, then: [{archive: true}]}
        - {id: still, when: {size: {gte: 0}}, then: [{label: Seen}]}
        - {id: inside, when: {label: INBOX}, then: [{label: Never}]}
"""
    evaluation = judge(rules(text), make_message())
    assert matched(evaluation) == ["before", "away", "still"]
    reason = evaluation.matches[2].reason
    assert reason is not None
    entry = reason.children[0]
    assert (entry.path, entry.verdict) == ("when.all[0].group", Verdict.MATCHED)
    assert 'found "INBOX", "UNREAD", "Work"' in entry.children[0].children[0].text


def test_stop_in_a_group_ends_the_layer_and_a_group_stands_in_one_layer_as_a_whole() -> None:
    text = """rules:
  - {id: last, when: {size: {gte: 0}}, then: [{label: L}]}
  - group:
      id: g
      layer: before
      priority: 3
      mailboxes: ['*@acme.example']
      rules:
        - {id: one, then: [{label: A}], stop: true}
        - {id: two, then: [{label: B}]}
  - {id: sooner, layer: before, when: {size: {gte: 0}}, then: [{label: S}]}
"""
    ruleset = rules(text)
    assert [rule.id for rule in ruleset.rules] == ["sooner", "one", "two", "last"]
    assert matched(judge(ruleset, make_message())) == ["sooner", "one", "last"]
    assert matched(judge(ruleset, make_message(), mailbox="a@b.example")) == ["sooner", "last"]


def explained(text: str, subject: str) -> dict[str, Reason]:
    event = Event(EventKind.MESSAGE_RECEIVED, "support@acme.example", 1, "k")
    found = explain(rules(text), event, make_message(("Subject", subject)), NOW)
    return {reason.path: reason for reason in found}


def test_explain_says_which_member_applies_instead() -> None:
    told = explained(CHAIN, "invoice")
    assert told["every"].text.startswith("was not asked: of the group desks, bills applies")
    told = explained(CHAIN, "order 7")
    assert told["rest"].text.startswith("was not asked: of the group desks, small applies")
    text = CHAIN.replace("id: every, then", "id: every, when: {size: {gt: 1MB}}, then").replace("lte", "gt")
    told = explained(text, "order 7")
    assert told["rest"].children[0].text == 'found "orders"; asked for no group before it: orders'
    assert told["bills"].children[0].path == "when.subject"


def test_what_is_unknown_of_an_earlier_member_leaves_later_ones_alone() -> None:
    text = (
        CHAIN.replace("{size: {gt: 1MB}}", "{attachment: true}")
        .replace("invoice", "x")
        .replace("{subject: {regex: 'order (?P<n>\\d+)'}}", "{attachment: {name: {regex: '(?P<n>.)'}}}")
    )
    unknown = replace(make_message(("Subject", "hello")), _attachments=None)
    evaluation = judge(rules(text), unknown, final=True)
    assert matched(evaluation) == []
    assert [each.rule for each in evaluation.undecided] == ["big", "small", "every"]


def test_a_rule_in_a_group_has_tests_of_its_own() -> None:
    tested = CHAIN.replace(
        "then: [{label: Rest}]}",
        "then: [{label: Rest}], tests: [{name: t, given: {subject: order 7}, expect: {matched: %s}}]}",
    )
    assert examine({"a.yaml": tested % "false"}, None).errors == ()
    (error,) = examine({"a.yaml": tested % "true"}, None).errors
    assert (error.place.line, error.place.path) == (14, "rules[0].group.rules[2].tests[0]")


def test_ids_of_groups_and_rules_are_taken_once() -> None:
    with pytest.raises(RuleErrors) as caught:
        load_rules({"a.yaml": CHAIN, "b.yaml": "rules: [{id: desks, when: {subject: x}, stop: true}]"}, None)
    (error,) = caught.value.errors
    assert str(error).startswith("b.yaml:1:14 rules[0].id: the id 'desks' is taken by the group at a.yaml:3")


LEAVES = st.sampled_from(
    ["{label: A}", "{label: B}", "{not: {label: A}}", "{label: INBOX}", "{subject: x}", "{subject: y}"]
)
THEN = st.sampled_from(["{label: A}", "{label: B}", "{label: {remove: [A, INBOX]}}", "{archive: true}"])
RULE = st.fixed_dictionaries(
    {"when": st.none() | LEAVES, "then": THEN, "stop": st.sampled_from([False] * 5 + [True])}
)


def _group(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {
            "mode": st.sampled_from(["first", "all"]),
            "when": st.none() | LEAVES,
            "rules": st.lists(inner, min_size=1, max_size=4),
        }
    )


MEMBERS = st.recursive(RULE, _group, max_leaves=8)


def written(items: list[Mapping[str, Any]]) -> str:
    """Write items as YAML, numbered in order."""
    return f"rules: [{{group: {{id: g0, rules: [{', '.join(_written(items, iter(range(1, 999))))}]}}}}]"


def _written(items: list[Mapping[str, Any]], numbers: Iterator[int]) -> Iterator[str]:
    for item in items:
        number = next(numbers)
        when = f"when: {item['when']}, " if item["when"] else ""
        if "rules" in item:
            inner = ", ".join(_written(item["rules"], numbers))
            yield f"{{group: {{id: g{number}, mode: {item['mode']}, {when}rules: [{inner}]}}}}"
        else:
            yield f"{{id: r{number}, {when}then: [{item['then']}], stop: {str(item['stop']).lower()}}}"


class Ended(Exception):
    """A stop."""


class Plain:
    """Goes through the items as a person reads them."""

    def __init__(self, message: Message) -> None:
        self.message, self.found = message, list[str]()

    def holds(self, when: Any) -> bool:
        found: Judged = condition(_as_text(when)).judge(View(self.message, NOW))
        return found.verdict is Verdict.MATCHED

    def items(self, items: list[Any], mode: str = "all") -> None:
        for item in items:
            inner = item.get("group", item)
            if "when" in inner and not self.holds(inner["when"]):
                continue
            if "group" in item:
                self.items(inner["rules"], inner.get("mode", "all"))
            else:
                self.act(item)
            if mode == "first":
                return

    def act(self, item: Any) -> None:
        self.found.append(item["id"])
        labels = self.message.labels
        for action in item["then"]:
            change = action.get("label", {"remove": "INBOX"})
            change = {"add": change} if isinstance(change, str) else change
            removed = change.get("remove", [])
            labels = labels.difference([removed] if isinstance(removed, str) else removed)
            labels |= {change["add"]} if "add" in change else frozenset()
        self.message = self.message.relabelled(labels)
        if item["stop"] == "true":
            raise Ended


def _as_text(when: Any) -> str:
    if isinstance(when, str):
        return when
    return "{" + ", ".join(f"{key}: {_as_text(value)}" for key, value in when.items()) + "}"


def both(ruleset: RuleSet, message: Message, *, final: bool = False) -> Iterator[Any]:
    for size in (0, 1_000):
        with indexed_from(size, ruleset) as anew:
            yield judge(anew, message, final=final)


@settings(max_examples=200, deadline=None)
@given(
    items=st.lists(MEMBERS, min_size=1, max_size=4),
    labels=st.sets(st.sampled_from(["A", "B", "INBOX"])),
    subject=st.sampled_from("xyz"),
)
def test_groups_mean_what_a_reader_takes_them_for(
    items: list[Mapping[str, Any]], labels: set[str], subject: str
) -> None:
    text = written(items)
    message = make_message(("Subject", subject), labels=labels)
    reader = Plain(message)
    tree = plain(parse_yaml(text, "t"))["rules"]
    with contextlib.suppress(Ended):
        reader.items(tree)
    for evaluation in both(rules(text), message):
        assert matched(evaluation) == reader.found
        assert set(evaluation.labels.add) == reader.message.labels - message.labels
        for match in evaluation.matches:
            assert match.reason is not None
            assert match.reason.verdict is Verdict.MATCHED


@settings(max_examples=100, deadline=None)
@given(
    items=st.lists(MEMBERS, min_size=1, max_size=4),
    labels=st.sets(st.sampled_from(["A", "B", "INBOX", "SPAM"])),
    headers=st.sampled_from([None, Headers([("X-Zoom-Encryption", "yes")])]),
    final=st.booleans(),
)
def test_index_and_plain_loop_agree_on_groups_where_headers_or_a_subject_are_unknown(
    items: list[Mapping[str, Any]], labels: set[str], headers: Headers | None, final: bool
) -> None:
    message = replace(make_message(labels=labels), _headers=headers)
    indexed, plainly = both(rules(written(items)), message, final=final)
    assert indexed == plainly


SENDERS = """rules:
  - group:
      id: desks
      mode: first
      rules:
        - {id: bills, when: {subject: {contains: invoice}}, then: [{label: Bills}]}
        - {id: ann, when: {from: ann@x.example}, then: [{label: Ann}]}
        - {id: orders, when: {subject: {contains: order}}, then: [{label: Orders}]}
"""


@pytest.mark.parametrize(
    ("final", "wanted"), [pytest.param(True, [], id="for good"), pytest.param(False, ["ann"], id="for now")]
)
def test_a_member_left_open_for_an_encrypted_subject_takes_the_place_of_others(
    final: bool, wanted: list[str]
) -> None:
    message = make_message(("X-Zoom-Encryption", "yes"), ("From", "ann@x.example"))
    for evaluation in both(rules(SENDERS), message, final=final):
        assert matched(evaluation) == wanted
        assert [one.rule for one in evaluation.undecided] == ["bills"]
