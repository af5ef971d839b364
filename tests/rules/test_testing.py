"""The tests that stand beside rules."""

from __future__ import annotations

import pytest

from engine.errors import Place, RuleError
from engine.mail.needs import NOTHING, Needs
from engine.rules.testing import Checked, check_ruleset, examine

RULES = r"""rules:
  - id: early
    layer: before
    when: {from: '@noisy.example'}
    then: [{label: Noise}, {archive: true}]
  - id: orders
    when:
      all:
        - subject: {regex: '(?i)order (?P<n>\d+)'}
        - none: [{label: Noise}]
        - attachment: {type: pdf, size: {gte: 1KB}}
    then:
      - label: {add: ['Orders/{{ captures.n }}'], remove: [INBOX]}
      - reply: {template: got, with: {n: '{{ captures.n }}'}}
    stop: true
    tests:
      - name: the case
        given: {from: Ann <ann@x.example>, subject: Order 12,
                attachments: [{name: a.pdf, type: application/pdf, size: 2KB}]}
        expect: %s
"""
GOOD = "{matched: true}"


class Templates:
    """One template, `got`, that takes `n`."""

    names = frozenset({"got"})

    def needs(self, name: str) -> Needs:
        return NOTHING

    def check(
        self, name: str, inputs: object, place: Place, captures: object = None, items: object = None
    ) -> list[RuleError]:
        return [] if inputs == {"n": "{{ captures.n }}"} else [RuleError("wrong inputs", place)]


def examined(expect: str, change: tuple[str, str] = ("", ""), **fixtures: str) -> Checked:
    text = (RULES % expect).replace(*change)
    return examine({"r.yaml": text} | {f"{name}.eml": raw for name, raw in fixtures.items()}, Templates())


HOLD = [
    GOOD,
    "{actions: [label, reply], captures: {n: '12'}, stop: true}",
    "{actions: [{label: {add: Orders/12, remove: INBOX}}, reply]}",
    "{actions: [label, {reply: {template: got, with: {n: '12'}}}]}",
    "{labels: {add: Orders/12, remove: [INBOX]}}",
]
FAIL = [
    pytest.param("{matched: false}", "matched: wanted False, got True", id="it does match"),
    pytest.param(
        "{actions: [label]}", "actions: wanted ['label'], got ['label', 'reply']", id="an action more"
    ),
    pytest.param(
        "{actions: [reply, label]}",
        "actions: wanted ['reply', 'label'], got ['label', 'reply']",
        id="another order",
    ),
    pytest.param(
        "{captures: {n: '13'}}", "captures: wanted {'n': '13'}, got {'n': '12'}", id="another capture"
    ),
    pytest.param("{stop: false}", "stop: wanted False, got True", id="it does stop"),
    pytest.param("{labels: {add: X}}", "labels: wanted", id="other labels"),
    pytest.param(
        "{actions: [{label: {add: X}}, reply]}",
        "actions: wanted [{'label': {'add': ['X']}}, 'reply']",
        id="an action's settings",
    ),
]


@pytest.mark.parametrize("expect", HOLD)
def test_an_expectation_that_holds(expect: str) -> None:
    checked = examined(expect)
    assert checked.errors == ()
    assert checked.ruleset is not None
    assert checked.results[0].passed


@pytest.mark.parametrize(("expect", "said"), FAIL)
def test_an_expectation_that_fails_keeps_the_set_out_of_use(expect: str, said: str) -> None:
    checked = examined(expect)
    assert checked.ruleset is None
    assert (checked.errors[0].place.file, checked.errors[0].place.line) == ("r.yaml", 17)
    assert said in str(checked.errors[0])


def test_a_test_is_judged_within_the_whole_set() -> None:
    checked = examined("{matched: false}", ("ann@x.example", "ann@noisy.example"))
    assert checked.errors == ()


def test_attachments_made_up_have_a_declared_type_only() -> None:
    change = ("type: application/pdf, ", "")
    assert examined("{matched: false}", change).errors == ()


FIXTURE = (
    "given: {from: Ann <ann@x.example>, subject: Order 12,",
    "given: {fixture: m.eml, labels: [Noise]}",
)
RAW = (
    "From: a@x.example\nSubject: order 77\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"
    "--b\nContent-Type: application/octet-stream; name=x\nContent-Disposition: attachment\n\n%PDF-1.4\n"
    + "x" * 2_000
    + "\n--b--\n"
)
GIVEN = """given: {from: Ann <ann@x.example>, subject: Order 12,
                attachments: [{name: a.pdf, type: application/pdf, size: 2KB}]}"""


@pytest.mark.parametrize("written", ["given: {fixture: m.eml}", "fixture: m.eml"])
def test_a_fixture_is_a_whole_message_with_sniffed_types(written: str) -> None:
    checked = examined("{captures: {n: '77'}}", (GIVEN, written), m=RAW)
    assert checked.errors == ()


def test_labels_stand_beside_a_fixture() -> None:
    checked = examined("{matched: false}", (GIVEN, "given: {fixture: m.eml, labels: [Noise]}"), m=RAW)
    assert checked.errors == ()


def test_a_test_takes_place_in_the_first_mailbox_of_its_rule() -> None:
    text = "mailboxes: ['*@acme.example', a@acme.example]\n" + RULES % GOOD
    scope = "layer: before, mailboxes: [b@acme.example]"
    other = f"- {{id: else, {scope}, when: {{size: {{gte: 0}}}}, then: [{{label: Noise}}]}}"
    assert check_ruleset({"r.yaml": text.replace("rules:\n", f"rules:\n  {other}\n", 1)}, Templates()) == []


def test_headers_labels_and_mailbox_can_be_given() -> None:
    text = """mailboxes: ['*@acme.example']
rules:
  - id: r
    mailboxes: [b@acme.example]
    when:
      all:
        - header: {name: X-A, is: two}
        - all: [{label: Work}, {automated: list}, {to: c@x.example}, {size: {gt: 1MB}}]
    then: [{archive: true}]
    tests:
      - name: all of it
        given: {headers: {x-a: [one, two], List-Id: <l>}, labels: [Work], to: [b@x.example, C <c@x.example>],
                cc: d@x.example, size: 2MB, mailbox: B@acme.example, body: hi, date: 2026-03-01}
        now: 2026-03-01T09:00:00+01:00
        expect: {matched: true}
      - name: another mailbox is out of scope
        given: {mailbox: a@acme.example}
        expect: {matched: false, actions: [], stop: false, captures: {}}
"""
    assert check_ruleset({"r.yaml": text}, None) == []


def test_the_use_of_templates_is_checked() -> None:
    findings = check_ruleset(
        {"r.yaml": (RULES % GOOD).replace("with: {n: '{{ captures.n }}'}", "with: {}")}, Templates()
    )
    assert [str(finding) for finding in findings] == ["r.yaml:14:16 rules[1].then[1].reply: wrong inputs"]


def test_errors_of_loading_are_findings() -> None:
    assert "unknown condition" in str(
        check_ruleset({"r.yaml": "rules: [{id: a, when: {x: 1}, stop: true}]"}, None)[0]
    )
