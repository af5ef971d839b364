"""Rules on calls of hooks: what they may say, and their tests."""

from __future__ import annotations

import pytest

from engine.mail.events import SEND_REQUESTED, EventKind
from engine.rules.findings import RuleErrors
from engine.rules.loader import load_rules
from engine.rules.testing import examine
from engine.templating.library import load_templates

RULE = """
rules:
  - id: paid
    event: hook.orders
    when: {payload: {path: order.status, is: paid}}
    then:
      - send: {template: paid, to: [sales@acme.example], with: {order: '{{ payload.order.id }}'}}
    tests:
      - name: a paid order is told of
        given: {payload: {order: {id: 7, status: paid}}}
        expect: {actions: [send]}
      - name: an open one is not
        given: {payload: {order: {id: 7, status: open}}}
        expect: {matched: false}
"""
TEMPLATES = load_templates(
    {
        "paid.md": "---\nsubject: Order {{ order }}\ninputs: [order]\n---\n{{ payload.order.total }}\n",
        "re.md": "---\nsubject: 'Re: {{ message.subject }}'\n---\nx\n",
    }
)


def test_a_rule_on_a_call_loads_and_passes_its_tests() -> None:
    checked = examine({"orders.yaml": RULE}, TEMPLATES)
    assert checked.errors == ()
    assert [result.passed for result in checked.results] == [True, True]


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        pytest.param(
            "{payload: {path: order.status, is: paid}}",
            "{all: [{payload: {path: a, is: b}}, {not: {from: x@y.example}}]}",
            "5:11 rules[0].when: 'from' asks about a message, and a call of a hook brings none; "
            "write payload: {path: ...}",
            id="a condition on a message, however deep",
        ),
        pytest.param(
            "    then:\n",
            "    then:\n      - archive: true\n",
            "'archive' acts on a message, and a call of a hook brings none; write send or http",
            id="an action on a message",
        ),
        pytest.param(
            "- send: {template: paid, to: [sales@acme.example], with: {order: '{{ payload.order.id }}'}}",
            "- send: {template: re, to: [sales@acme.example]}",
            "template 're' reads the message, and a call of a hook brings none; read payload in it",
            id="a template about a message",
        ),
        pytest.param(
            "hook.orders",
            "hook.or ders",
            "4:12 rules[0].event: 'hook.or ders' names no hook; write hook.NAME, such as hook.orders",
            id="a name that is none",
        ),
        pytest.param(
            "hook.orders",
            "hook",
            "unknown value 'hook'; did you mean 'hook.NAME'?",
            id="a hook without a name",
        ),
        pytest.param(
            "hook.orders",
            "send.requested",
            "unknown value 'send.requested'",
            id="what is done without asking a rule",
        ),
    ],
)
def test_what_a_call_cannot_bring_is_named_with_its_place(old: str, new: str, error: str) -> None:
    assert old in RULE
    with pytest.raises(RuleErrors) as raised:
        load_rules(
            {"orders.yaml": RULE.replace(old, new)}, {"paid": frozenset(), "re": TEMPLATES.needs("re")}
        )
    assert error in "\n".join(map(str, raised.value.errors))


def test_a_draft_to_somebody_may_follow_from_a_call_and_an_answer_may_not() -> None:
    draft = RULE.replace("- send:", "- draft:")
    assert examine({"orders.yaml": draft.replace("[send]", "[draft]")}, TEMPLATES).errors == ()
    with pytest.raises(RuleErrors, match="'draft' acts on a message"):
        load_rules({"orders.yaml": draft.replace("to: [sales@acme.example], ", "")}, None)


def test_the_kind_of_a_hook_is_one_object_and_no_other_name_is_a_kind() -> None:
    kind = EventKind("hook.orders")
    assert kind is EventKind("hook.orders")
    assert (kind.hook, kind.of_message) == ("orders", False)
    assert (SEND_REQUESTED.hook, SEND_REQUESTED.of_message) == ("", False)
    assert all(one.of_message for one in EventKind)
    for name in ("hook.", "hook.a.b", "hook.a b", "hook.é", "other.thing", "send"):
        with pytest.raises(ValueError, match="not a valid EventKind"):
            EventKind(name)
