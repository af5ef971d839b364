"""Rules that are live, in shadow, or off: what is judged, and what others notice of it."""

from __future__ import annotations

import pytest

from engine.mail.events import Event, EventKind
from engine.rules.audience import Audience
from engine.rules.explain import explain
from engine.rules.lints.run import lint
from engine.rules.testing import examine
from tests.rules.making import NOW, judge, make_message, matched, rules

FIRST = """rules:
  - group:
      id: g
      mode: first
      rules:
        - {{id: a, state: {a}, when: {{subject: hello}}, then: [{{label: A}}]}}
        - group: {{id: h, rules: [{{id: b, state: {b}, then: [{{label: B}}]}}]}}
        - {{id: c, then: [{{label: C}}]}}
"""
CHAIN = """rules:
  - id: first
    state: {state}
    stop: true
    when: {{subject: hello}}
    then: [{{label: {{add: A, remove: INBOX}}}}]
  - {{id: seen, when: {{label: A}}, then: [{{label: Seen}}]}}
  - {{id: last, when: {{label: INBOX}}, then: [{{label: Last}}]}}
"""
HELLO = make_message(("Subject", "hello"))


@pytest.fixture(autouse=True, params=["asked one by one", "found by an index"])
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.rules.audience.INDEXED_FROM", 0.0 if "index" in request.param else 1e9)


def shadows(text: str) -> tuple[list[str], list[str]]:
    evaluation = judge(rules(text), HELLO)
    return matched(evaluation), [match.rule for match in evaluation.shadows]


@pytest.mark.parametrize(
    ("state", "wanted"),
    [
        pytest.param("live", (["first"], []), id="a live rule ends its layer"),
        pytest.param("shadow", (["last"], ["first"]), id="a rule in shadow hides nothing and ends nothing"),
        pytest.param("off", (["last"], []), id="a rule that is off is not asked"),
    ],
)
def test_later_rules_do_not_notice_a_rule_that_is_not_live(
    state: str, wanted: tuple[list[str], list[str]]
) -> None:
    assert shadows(CHAIN.format(state=state)) == wanted
    assert ("A" in judge(rules(CHAIN.format(state=state)), HELLO).labels.add) == (state == "live")


@pytest.mark.parametrize(
    ("a", "b", "wanted"),
    [
        pytest.param("live", "live", (["a"], []), id="the first that holds"),
        pytest.param("shadow", "live", (["b"], ["a"]), id="a member in shadow leaves its place"),
        pytest.param("off", "off", (["c"], []), id="members that are off leave theirs"),
        pytest.param("shadow", "shadow", (["c"], ["a", "b"]), id="a group all in shadow leaves its place"),
        pytest.param("live", "shadow", (["a"], []), id="a member in shadow behind one that holds"),
    ],
)
def test_a_group_of_mode_first_passes_over_what_is_not_live(
    a: str, b: str, wanted: tuple[list[str], list[str]]
) -> None:
    assert shadows(FIRST.format(a=a, b=b)) == wanted


def test_an_undecided_rule_in_shadow_ends_nothing() -> None:
    ruleset = rules(CHAIN.format(state="shadow").replace("{subject: hello}", "{body: hello}"))
    partial = make_message(("Subject", "hello"))
    object.__setattr__(partial, "_text", None)
    evaluation = judge(ruleset, partial, final=True)
    assert matched(evaluation) == ["last"]
    assert [(one.rule, one.stop, one.shadow) for one in evaluation.undecided] == [("first", False, True)]


def test_what_is_off_is_not_fetched_for() -> None:
    ruleset = rules("rules:\n  - {id: a, state: off, when: {body: x}, then: [{label: A}]}\n")
    audience = ruleset.audience(EventKind.MESSAGE_RECEIVED, "support@acme.example")
    assert audience == Audience(())
    assert not ruleset.listens(EventKind.MESSAGE_RECEIVED, "")


@pytest.mark.parametrize(
    ("state", "said"),
    [
        pytest.param("shadow", "would apply, and does nothing since it is in shadow: label", id="in shadow"),
        pytest.param("off", "was not asked: it is off; its conditions hold", id="off"),
    ],
)
def test_explain_says_what_state_keeps_a_rule_from_acting(state: str, said: str) -> None:
    event = Event(EventKind.MESSAGE_RECEIVED, "support@acme.example", 1, "k")
    (reason,) = explain(rules(CHAIN.format(state=state)), event, HELLO, NOW, "first")
    assert reason.text == said


TESTED = """rules:
  - id: one
    state: {state}
    stop: true
    when: {{subject: hello}}
    then: [{{label: One}}]
    tests: [{{name: it labels, given: {{subject: hello}}, expect: {{labels: {{add: {wanted}}}, stop: true}}}}]
  - id: other
    state: {other}
    when: {{subject: hello}}
    then: [{{label: Other}}]
    tests: [{{name: it is asked, given: {{subject: hello}}, expect: {{matched: {asked}}}}}]
"""


@pytest.mark.parametrize(
    ("state", "wanted", "other", "asked", "passes"),
    [
        pytest.param("shadow", "One", "live", "true", True, id="in shadow it is tested as if live"),
        pytest.param("off", "One", "live", "true", True, id="off as well"),
        pytest.param("off", "Two", "live", "true", False, id="a test that fails is told"),
        pytest.param("shadow", "One", "off", "true", True, id="others keep their states meanwhile"),
        pytest.param("live", "One", "shadow", "false", True, id="and stop what follows if they are live"),
    ],
)
def test_tests_of_a_resting_rule_run_as_if_it_were_live(
    state: str, wanted: str, other: str, asked: str, passes: bool
) -> None:
    text = TESTED.format(state=state, wanted=wanted, other=other, asked=asked)
    checked = examine({"r.yaml": text}, None)
    assert (checked.ruleset is not None) == passes, checked.errors


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            "{id: a, state: shadow, when: {subject: x}, then: [{label: A}]}\n"
            "  - {id: b, when: {label: A}, then: [{label: B}]}",
            ["'b' asks for the label 'A', which only 'a' (rules.yaml:2) sets, and that rule does nothing "
             "(state: shadow)"],
            id="a label that only a rule in shadow sets",
        ),
        pytest.param(
            "{id: a, when: {subject: x}, then: [{label: A}]}\n"
            "  - {id: b, state: off, when: {label: C}, then: [{label: B}]}",
            [],
            id="a label that only a rule asks for that is off",
        ),
        pytest.param(
            "{id: a, state: shadow, stop: true, when: {subject: x}, then: [{label: A}]}\n"
            "  - {id: b, when: {subject: x}, then: [{label: A}]}",
            [],
            id="a rule in shadow keeps no other from being reached and does nothing twice",
        ),
    ],
)  # fmt: skip
def test_checks_take_heed_of_states(text: str, said: list[str]) -> None:
    assert [flaw.error.message for flaw in lint(rules(f"rules:\n  - {text}\n"))] == said
