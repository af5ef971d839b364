"""Every mistake in a rule file is named with its line, its column and what to do."""

from __future__ import annotations

import pytest

from engine.rules.findings import RuleErrors
from engine.rules.loader import load_rules

GOOD = r"""version: 1
mailboxes: ["support@acme.example"]
lists:
  vips: ["@big.example", "ceo@acme.example"]
rules:
  - id: invoices
    title: Invoices go to Finance
    event: message.received
    priority: 10
    when:
      all:
        - from: {domain: partner.example}
        - attachment: {type: pdf, size: {gt: 1MB}}
        - subject: {regex: '(?i)order\s+#?(?P<order>\d+)'}
        - not: {label: Finance}
    then:
      - label: {add: [Finance], remove: [INBOX]}
      - reply: {template: received, with: {order: "{{ captures.order }}"}, once_per: {sender: 7d}}
    stop: true
    tests:
      - name: it goes to Finance
        given: {from: ann@partner.example, subject: "Order 12"}
        expect: {matched: false}
"""

CASES = [
    pytest.param(
        "- from: {",
        "- form: {",
        "12:9 rules[0].when.all[0]: unknown condition 'form'; did you mean 'from'?",
        id="a condition misspelt, at the dash of its item",
    ),
    pytest.param(
        "- label: {add",
        "- lable: {add",
        "17:7 rules[0].then[0]: unknown action 'lable'; did you mean 'label'?",
        id="an action misspelt",
    ),
    pytest.param(
        "domain: p",
        "domian: p",
        "12:18 rules[0].when.all[0].from.domian: unknown key 'domian'; did you mean 'domain'?",
        id="a kind misspelt",
    ),
    pytest.param(
        "stop: true",
        "stopp: true",
        "19:5 rules[0].stopp: unknown key 'stopp'; did you mean 'stop'?",
        id="a key of a rule misspelt",
    ),
    pytest.param(
        "lists:",
        "list:",
        "3:1 list: unknown key 'list'; did you mean 'lists'?",
        id="a key of the file misspelt",
    ),
    pytest.param(
        "add: [F",
        "ad: [F",
        "17:17 rules[0].then[0].label.ad: unknown key 'ad'; did you mean 'add'?",
        id="a key of an action misspelt",
    ),
    pytest.param(
        "matched: false",
        "mached: false",
        "23:18 rules[0].tests[0].expect.mached: unknown key 'mached'; did you mean 'matched'?",
        id="a key of a test misspelt",
    ),
    pytest.param(
        'subject: "O',
        'sujet: "O',
        "22:44 rules[0].tests[0].given.sujet: unknown key 'sujet'; did you mean 'subject'?",
        id="a key of a test's message misspelt",
    ),
    pytest.param("version: 1", "version: 2", "1:10 version: must be 1", id="a version that is not known"),
    pytest.param(
        "id: invoices\n    title: Invoices go to Finance",
        "title: x",
        "6:3 rules[0]: 'id' is missing",
        id="no id",
    ),
    pytest.param(
        "id: invoices", "id: in voices", "6:9 rules[0].id: 'in voices' is no id", id="an id with a blank"
    ),
    pytest.param(
        "id: invoices", "id:", "6:5 rules[0].id: must be a text and is empty", id="an empty id, at its key"
    ),
    pytest.param(
        "message.received",
        "message.recieved",
        "8:12 rules[0].event: unknown value 'message.recieved'; did you mean 'message.received'?",
        id="an event misspelt",
    ),
    pytest.param(
        "priority: 10",
        "priority: high",
        "9:15 rules[0].priority: must be a whole number",
        id="a priority that is no number",
    ),
    pytest.param(
        "priority: 10",
        "layer: first",
        "9:12 rules[0].layer: unknown value 'first'; there are: after, before, default",
        id="an unknown layer",
    ),
    pytest.param(
        "stop: true",
        "stop: yes",
        "19:11 rules[0].stop: must be true or false",
        id="yes is no truth value in YAML 1.2",
    ),
    pytest.param(
        "gt: 1MB",
        "gt: 1XB",
        "13:46 rules[0].when.all[1].attachment.size.gt: unknown unit 'XB'",
        id="an unknown unit of size",
    ),
    pytest.param(
        "gt: 1MB",
        "gt: big",
        "13:46 rules[0].when.all[1].attachment.size.gt: must be a number with a unit",
        id="a size in words",
    ),
    pytest.param(
        "{gt: 1MB}",
        "{}",
        "13:41 rules[0].when.all[1].attachment.size: asks nothing; write one of gt",
        id="a size that asks nothing",
    ),
    pytest.param(
        "sender: 7d",
        "sender: 7x",
        "18:95 rules[0].then[1].reply.once_per.sender: unknown unit 'x'",
        id="an unknown unit of time",
    ),
    pytest.param(
        "sender: 7d",
        "sender: 0d",
        "18:95 rules[0].then[1].reply.once_per.sender: must be longer than nothing",
        id="a window of nothing",
    ),
    pytest.param(
        "type: pdf",
        "type: pfd",
        "13:30 rules[0].when.all[1].attachment.type: unknown type 'pfd'; did you mean 'pdf'?",
        id="a type misspelt",
    ),
    pytest.param(
        "type: pdf",
        "type: '*/pdf'",
        "13:30 rules[0].when.all[1].attachment.type",
        id="a type with its first half open",
    ),
    pytest.param(
        r"(?i)order",
        r"(?=order)",
        "14:28 rules[0].when.all[2].subject.regex: RE2 has no look-ahead ('(?=')",
        id="a look-ahead",
    ),
    pytest.param(
        r"(?i)order",
        r"(?<!re)order",
        "14:28 rules[0].when.all[2].subject.regex: RE2 has no negative look-behind ('(?<!')",
        id="a look-behind",
    ),
    pytest.param(
        r"(?i)order",
        r"(o)\1rder",
        "14:28 rules[0].when.all[2].subject.regex: RE2 has no back-reference ('\\1')",
        id="a back-reference",
    ),
    pytest.param(
        r"(?i)order",
        r"(?>order)",
        "14:28 rules[0].when.all[2].subject.regex: RE2 has no atomic group",
        id="an atomic group",
    ),
    pytest.param(
        r"(?i)order",
        r"(order",
        "14:28 rules[0].when.all[2].subject.regex: is no RE2 pattern: missing )",
        id="a bracket left open",
    ),
    pytest.param(
        r"(?i)order",
        r"(?P<order>o)",
        "14:28 rules[0].when.all[2].subject.regex: the group 'order' is named twice",
        id="a group named twice",
    ),
    pytest.param(
        "captures.order",
        "captures.ordr",
        "18:51 rules[0].then[1].reply.with.order: unknown capture 'ordr'; did you mean 'order'?",
        id="a capture that no pattern supplies",
    ),
    pytest.param(
        "template: received",
        "template: recieved",
        "18:27 rules[0].then[1].reply.template: unknown template 'recieved'; did you mean 'received'?",
        id="a template misspelt",
    ),
    pytest.param(
        "domain: partner.example", "list: vip", "12:24 rules[0].when.all[0].from.list", id="a list misspelt"
    ),
    pytest.param(
        "domain: partner.example",
        "domain: part*.example",
        "12:26 rules[0].when.all[0].from.domain",
        id="a domain with a star inside",
    ),
    pytest.param(
        "{domain: partner.example}",
        "partner.example",
        "12:17 rules[0].when.all[0].from: 'partner.example' has no '@'; write '@partner.example'",
        id="a domain without its @",
    ),
    pytest.param(
        "{domain: partner.example}",
        "'*@partner.example'",
        "12:17 rules[0].when.all[0].from",
        id="a glob that is not called one",
    ),
    pytest.param(
        'ceo@acme.example"',
        'acme.example"',
        "4:26 lists.vips[1]: 'acme.example' has no '@'",
        id="a list's entry without its @",
    ),
    pytest.param(
        "- not: {label: Finance}",
        "- not: {label: Finance, size: 1KB}",
        "15:16 rules[0].when.all[3].not: must be a map with exactly one key, the condition; it has: la",
        id="two conditions in one map",
    ),
    pytest.param(
        "- not: {label: Finance}",
        "- unread",
        "15:9 rules[0].when.all[3]: must be a map with exactly one key",
        id="a condition without its key",
    ),
    pytest.param(
        "- not: {label: Finance}",
        "- is: unred",
        "15:15 rules[0].when.all[3].is: unknown fact 'unred'; did you mean 'unread'?",
        id="a fact misspelt",
    ),
    pytest.param(
        "- not: {label: Finance}",
        "- automated: [bounc]",
        "15:22 rules[0].when.all[3].automated: unknown kind of automated mail 'bounc'; did you mean",
        id="a kind of automated mail misspelt",
    ),
    pytest.param(
        "- not: {label: Finance}",
        "- any: []",
        "15:16 rules[0].when.all[3].any: must not be empty",
        id="any of nothing",
    ),
    pytest.param(
        "- not: {label: Finance}",
        "- subject: {contains: ''}",
        "15:31 rules[0].when.all[3].subject.contains: is empty",
        id="a part of no length",
    ),
    pytest.param(
        "- not: {label: Finance}",
        "- header: {contains: x}",
        "15:19 rules[0].when.all[3].header: 'name' is missing",
        id="a header without its name",
    ),
    pytest.param(
        "- not: {label: Finance}",
        "- header: {name: 'X Y'}",
        "15:26 rules[0].when.all[3].header.name: 'X Y' is no header name",
        id="a header name with a blank",
    ),
    pytest.param(
        "- not: {label: Finance}",
        "- bdoy: {contains: x}",
        "15:9 rules[0].when.all[3]: unknown condition 'bdoy'; did you mean 'body'?",
        id="a condition misspelt",
    ),
    pytest.param(
        "- label: {add: [Finance], remove: [INBOX]}",
        "- archive",
        "17:7 rules[0].then[0]: must be a map with exactly one key, the action; write 'archive: ...'",
        id="an action without its colon",
    ),
    pytest.param(
        "- label: {add: [Finance], remove: [INBOX]}",
        "- label: {add: [A], remove: [A]}",
        "17:16 rules[0].then[0].label: both adds and removes 'A'",
        id="a label put on and taken off",
    ),
    pytest.param(
        "- label: {add: [Finance], remove: [INBOX]}",
        "- label: {add: ['A//B']}",
        "17:23 rules[0].then[0].label.add[0]: 'A//B' has an empty part",
        id="a label with an empty part",
    ),
    pytest.param(
        "- label: {add: [Finance], remove: [INBOX]}",
        "- label: '{{ message.subject }}'",
        "17:16 rules[0].then[0].label: a label takes {{ captures.NAME }}, | lower, | upper and no more",
        id="an expression in a label",
    ),
    pytest.param(
        "- label: {add: [Finance], remove: [INBOX]}",
        "- mark: {red: true}",
        "17:16 rules[0].then[0].mark.red: unknown key 'red'; did you mean 'read'?",
        id="a mark misspelt",
    ),
    pytest.param(
        "- label: {add: [Finance], remove: [INBOX]}",
        "- send: {template: received, to: ['{{ captures.order }}@x.example']}",
        "17:41 rules[0].then[0].send.to[0]: a recipient is fixed",
        id="a recipient out of a message",
    ),
    pytest.param(
        "- label: {add: [Finance], remove: [INBOX]}",
        "- send: {template: received}",
        "17:15 rules[0].then[0].send: 'to' is missing",
        id="a message for nobody",
    ),
    pytest.param(
        "once_per: {sender: 7d}",
        "expires: 1d",
        "18:16 rules[0].then[1].reply: 'expires' goes with mode: approve only",
        id="an end of what waits for nobody",
    ),
    pytest.param(
        "once_per: {sender: 7d}",
        "mode: approve, expires: 15d",
        "18:100 rules[0].then[1].reply.expires: an approval expires after 14d at the latest",
        id="an approval without end",
    ),
    pytest.param(
        "once_per: {sender: 7d}",
        "mode: drafts",
        "18:82 rules[0].then[1].reply.mode: unknown mode 'drafts'; did you mean 'draft'?",
        id="a mode misspelt",
    ),
    pytest.param(
        "once_per: {sender: 7d}",
        "once_per: {sender: 7d}, mode: draft",
        "18:16 rules[0].then[1].reply: 'once_per' does not go with mode: draft",
        id="a limit on drafts",
    ),
    pytest.param(
        "once_per: {sender: 7d}",
        "throttle: {at_most: 1, per: 1h}, mode: draft",
        "18:16 rules[0].then[1].reply: 'throttle' does not go with mode: draft",
        id="a throttle on drafts",
    ),
    pytest.param(
        "once_per: {sender: 7d}",
        "throttle: {at_most: 0, per: 1h}",
        "18:96 rules[0].then[1].reply.throttle.at_most: must be at least 1 and at most 100000",
        id="a throttle that lets nothing pass",
    ),
    pytest.param(
        "once_per: {sender: 7d}",
        "throttle: {at_most: 1, per: 1h, key: '{{ message.subject }}'}",
        "18:113 rules[0].then[1].reply.throttle.key: a throttle's key is a text in which captures may stand",
        id="a throttle by what is no capture",
    ),
    pytest.param(
        "once_per: {sender: 7d}",
        "throttle: {at_most: 1, per: 1h, key: '{{ captures.ordr }}'}",
        "18:113 rules[0].then[1].reply.throttle.key: unknown capture 'ordr'; did you mean 'order'?",
        id="a throttle by a capture misspelt",
    ),
    pytest.param(
        "once_per: {sender: 7d}",
        "guard: {off: automated}",
        "18:83 rules[0].then[1].reply.guard: 'reason' is missing",
        id="a guard switched off without a reason",
    ),
    pytest.param(
        "once_per: {sender: 7d}",
        "guard: {off: automated, reason: ' '}",
        "18:108 rules[0].then[1].reply.guard.reason: is empty; say why this is safe",
        id="a guard switched off for no reason",
    ),
    pytest.param(
        "once_per: {sender: 7d}",
        "guard: {off: [suppressed], reason: x}",
        "18:90 rules[0].then[1].reply.guard.off[0]: unknown value 'suppressed'",
        id="what cannot be switched off",
    ),
    pytest.param(
        "expect: {matched: false}",
        "expect: {}",
        "23:17 rules[0].tests[0].expect: expects nothing",
        id="a test that expects nothing",
    ),
    pytest.param(
        "expect: {matched: false}",
        "expect: {actions: [lable]}",
        "23:28 rules[0].tests[0].expect.actions[0]: must be a map with exactly one key, the act",
        id="a test that expects an unknown action",
    ),
    pytest.param(
        'given: {from: ann@partner.example, subject: "Order 12"}',
        "given: {fixture: a.eml, subject: x}",
        "22:16 rules[0].tests[0].given: a fixture brings its own 'subject'",
        id="a fixture with a subject of its own",
    ),
    pytest.param(
        'given: {from: ann@partner.example, subject: "Order 12"}',
        "fixture: none.eml",
        "21:7 rules[0].tests[0]: there is no fixture 'none.eml'",
        id="a fixture that is not there",
    ),
    pytest.param(
        'mailboxes: ["support@acme.example"]',
        "mailboxes: []",
        "2:12 mailboxes: must not be empty",
        id="a scope of nothing",
    ),
    pytest.param(
        'mailboxes: ["support@acme.example"]',
        "mailboxes: &x [a@b.example]",
        "2:12: not allowed: an anchor",
        id="an anchor",
    ),
    pytest.param(
        'mailboxes: ["support@acme.example"]', "mailboxes: [*x]", "2:13: not allowed: an alias", id="an alias"
    ),
    pytest.param(
        'mailboxes: ["support@acme.example"]', "mailboxes: [!!str x]", "2:13: not allowed: a tag", id="a tag"
    ),
    pytest.param(
        'mailboxes: ["support@acme.example"]',
        "version: 1",
        "2:1: not allowed: the key 'version' stands here twice",
        id="a key written twice",
    ),
    pytest.param("    title:", "\ttitle:", "7:1: is not YAML: a tab cannot indent", id="a tab"),
    pytest.param("lists:\n", "lists:\n  [", "5:1: is not YAML", id="a bracket left open in YAML"),
    pytest.param(
        "stop: true", "stop: true\n---\na: 1", "20:1: not allowed: a second document", id="a second document"
    ),
]


def problems(text: str) -> list[str]:
    with pytest.raises(RuleErrors) as caught:
        load_rules({"r.yaml": text}, {"received": frozenset()})
    return [str(error) for error in caught.value.errors]


def test_the_unspoilt_file_loads() -> None:
    assert len(load_rules({"r.yaml": GOOD}, {"received": frozenset()}).rules) == 1


@pytest.mark.parametrize(("right", "wrong", "said"), CASES)
def test_a_mistake_is_named_where_it_stands(right: str, wrong: str, said: str) -> None:
    assert right in GOOD
    found = problems(GOOD.replace(right, wrong, 1))
    assert any(one.startswith(f"r.yaml:{said}") for one in found), found


REFUSED = [
    pytest.param("subject: []", "must not be empty", id="a subject out of none"),
    pytest.param("subject: {glob: []}", "must not be empty", id="a glob out of none"),
    pytest.param("subject: {regex: ''}", "is empty, which every text would match", id="an empty pattern"),
    pytest.param("from: {regex: ''}", "is empty, which every text would match", id="of an address too"),
    pytest.param("from: bob", "'bob' has no '@'; write bob@x.example", id="an address without a domain"),
    pytest.param("from: {list: vips}", "unknown list 'vips'", id="a list that is not there"),
    pytest.param("header: X-Spam", "write {name: X-Spam, exists: true}", id="a header's bare name"),
    pytest.param("all: []", "must not be empty", id="all of nothing"),
    pytest.param("all: x", "must be a list", id="all of a text"),
    pytest.param("all: [{form: x}]", "unknown condition 'form'", id="all of one misspelt"),
    pytest.param("any: [{form: x}]", "unknown condition 'form'", id="any of one misspelt"),
    pytest.param("none: [{form: x}]", "unknown condition 'form'", id="none of one misspelt"),
    pytest.param("from: {is: [bob]}", "'bob' has no '@'", id="addresses of which one is wrong"),
]


@pytest.mark.parametrize(("when", "said"), REFUSED)
def test_a_condition_that_is_wrong_is_refused_with_one_error(when: str, said: str) -> None:
    found = problems(f"rules: [{{id: a, when: {{{when}}}, then: [{{archive: true}}]}}]\n")
    assert len(found) == 1
    assert said in found[0]


@pytest.mark.parametrize(
    ("then", "said"),
    [
        pytest.param("draft: {template: received, reply: false}", "goes to nobody", id="a draft for nobody"),
        pytest.param(
            "reply: {template: received, once_per: {sender: 99999999999999w}}",
            "durations in rules are at most ten years",
            id="a window of ages",
        ),
        pytest.param("label: {add: []}", "must not be empty", id="labels out of none"),
    ],
)
def test_an_action_that_is_wrong_is_refused_with_one_error(then: str, said: str) -> None:
    found = problems(f"rules: [{{id: a, when: {{subject: x}}, then: [{{{then}}}]}}]\n")
    assert len(found) == 1
    assert said in found[0]


def test_ten_years_are_allowed() -> None:
    change = ("once_per: {sender: 7d}", "once_per: {sender: 3650d}")
    assert load_rules({"r.yaml": GOOD.replace(*change)}, {"received": frozenset()}).rules


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        pytest.param(
            "fixture: a.eml\n        given: {subject: x}", "has both 'given' and 'fixture'", id="two messages"
        ),
        pytest.param("fixture: a.txt", "'a.txt' is no .eml file", id="a fixture that is no mail"),
        pytest.param("given: {fixture: a.txt}", "'a.txt' is no .eml file", id="nor is it within given"),
    ],
)
def test_a_test_has_one_message(wrong: str, said: str) -> None:
    found = problems(GOOD.replace('given: {from: ann@partner.example, subject: "Order 12"}', wrong))
    assert len(found) == 1
    assert said in found[0]


IN_TIME = [
    pytest.param(
        "reply: {template: received, afer: 2h}",
        "reply.afer: unknown key 'afer'; did you mean 'after'?",
        id="a wait misspelt",
    ),
    pytest.param(
        "reply: {template: received, after: 2}",
        "reply.after: '2' has no unit; write a number with one",
        id="a wait that is a bare number",
    ),
    pytest.param(
        "reply: {template: received, after: 2 hours}",
        "reply.after: unknown unit 'hours'; write 2h",
        id="a wait with its unit written out",
    ),
    pytest.param(
        "reply: {template: received, after: 1M}",
        "reply.after: '1M' may mean minutes or months; write 1m, or a month as 30d",
        id="a month that would be a minute",
    ),
    pytest.param(
        "archive: {after: 100d}",
        "archive.after: an action waits for at most 90 days",
        id="a wait that is too long",
    ),
    pytest.param(
        "reply: {template: received}, after: 2h",
        "exactly one key, the action; it has: reply, after; indent after below 'reply'",
        id="a wait beside its action",
    ),
    pytest.param(
        "after: 2h",
        "unknown action 'after'; it belongs into an action, such as reply: {template: ..., after: ...}",
        id="a wait as an action of its own",
    ),
    pytest.param(
        "wait: 2h",
        "unknown action 'wait'; write 'after' in the action that waits",
        id="a wait by another name",
    ),
    pytest.param(
        "reply: {template: received, at: '25:00'}",
        "reply.at: '25:00' is no time of day, such as 08:00",
        id="an hour that no day has",
    ),
    pytest.param(
        "reply: {template: received, at: 2026-02-30}",
        "reply.at: '2026-02-30' is no time of day",
        id="a day where a time of day is due",
    ),
    pytest.param(
        "reply: {template: received, at: {time: '08:00', weekday: mon-fri}}",
        "reply.at.weekday: unknown weekday 'mon-fri'; write [mon, tue, wed, thu, fri]",
        id="days as cron writes them",
    ),
    pytest.param(
        "reply: {template: received, at: {time: '08:00', timezone: UTC}}",
        "reply.at.timezone: unknown key 'timezone'; it is the mailbox's, in postroom.yaml",
        id="a zone at a time of day",
    ),
    pytest.param(
        "reply: {template: received, at: '08:00', mode: approve}",
        "reply: 'at' goes with mode: send only",
        id="an approval at a time",
    ),
    pytest.param(
        "reply: {template: received, throttle: 5}",
        "reply.throttle: must be a map; it takes: at_most, per, key",
        id="a throttle that is a bare number",
    ),
    pytest.param(
        "reply: {template: received, throttle: {at_most: 5, per: 60}}",
        "reply.throttle.per: '60' has no unit",
        id="a throttle's window without its unit",
    ),
    pytest.param(
        "label: {add: X, throttle: {at_most: 1, per: 1h}}",
        "label.throttle: unknown key 'throttle'",
        id="a throttle on what takes none",
    ),
    pytest.param(
        "reply: {template: received, guard: off}",
        "reply.guard: must be a map; it takes: off, reason",
        id="a guard switched off as a whole",
    ),
    pytest.param(
        "reply: {template: received, mode: aprove}",
        "reply.mode: unknown mode 'aprove'; did you mean 'approve'?",
        id="an approval misspelt",
    ),
    pytest.param(
        "reply: {template: received, mode: [approve]}",
        "reply.mode: must be one of send, draft, approve",
        id="a mode in a list",
    ),
    pytest.param(
        "label: {add: X, mode: approve}",
        "label.mode: unknown key 'mode'; there are: add, after, remove, scope",
        id="an approval of labels",
    ),
    pytest.param(
        "reply: {template: received, mode: approve, expires: 20d}",
        "reply.expires: an approval expires after 14d at the latest",
        id="an approval that waits too long",
    ),
    pytest.param(
        "summary: {template: received, to: a@b.example}",
        "summary: write either every: 1h or at: '08:00'",
        id="a summary that is never due",
    ),
    pytest.param(
        "summary: {template: received, to: a@b.example, every: 60}",
        "summary.every: '60' has no unit",
        id="a summary's interval without its unit",
    ),
    pytest.param(
        "summary: {template: received, to: a@b.example, every: 1h, keys: x}",
        "summary.keys: unknown key 'keys'; did you mean 'key'?",
        id="a summary's key misspelt",
    ),
]


@pytest.mark.parametrize(("then", "said"), IN_TIME)
def test_a_mistake_in_what_bounds_or_delays_an_action_is_named(then: str, said: str) -> None:
    found = problems(f"rules:\n  - id: a\n    when: {{subject: x}}\n    then:\n      - {{{then}}}\n")
    assert len(found) == 1
    assert found[0].startswith("r.yaml:5:")
    assert said in found[0]


WHEN = [
    pytest.param(
        "enabled: false",
        "3:5 rules[0].enabled: unknown key 'enabled'; write state: off, or state: shadow",
        id="a rule switched off by another name",
    ),
    pytest.param(
        "state: shadwo",
        "3:12 rules[0].state: unknown value 'shadwo'; did you mean 'shadow'?",
        id="a state misspelt",
    ),
    pytest.param(
        "on: schedule",
        "3:5 rules[0].on: unknown key 'on'; write 'event'",
        id="an event by its name in a workflow",
    ),
    pytest.param(
        "cron: 0 9 * * *",
        "3:5 rules[0].cron: unknown key 'cron'; write schedule: {cron: ",
        id="a cron line without its schedule",
    ),
    pytest.param(
        "mode: approve",
        "3:5 rules[0].mode: unknown key 'mode'; first and all stand in a group",
        id="an approval of the whole rule",
    ),
    pytest.param(
        "throttle: {at_most: 1, per: 1h}",
        "3:5 rules[0].throttle: unknown key 'throttle'; it belongs into an action: then: [{reply: ",
        id="a throttle of the whole rule",
    ),
    pytest.param(
        "event: schedule",
        "2:3 rules[0]: event: schedule asks when; write schedule: '0 9 * * mon-fri'",
        id="a schedule that says no time",
    ),
    pytest.param(
        "schedule: '0 9 * * *'",
        "2:3 rules[0]: 'schedule' goes with event: schedule",
        id="a schedule without its event",
    ),
    pytest.param(
        "event: message.unanswered",
        "2:3 rules[0]: event: message.unanswered asks when; write after: 48h",
        id="unanswered since when",
    ),
    pytest.param(
        "event: schedule\n    schedule: {cron: '0 25 * * *'}",
        "4:22 rules[0].schedule.cron: '0 25 * * *' is no cron line (bad hour)",
        id="an hour that no day has",
    ),
    pytest.param(
        "event: schedule\n    schedule: {cron: '0 9 30 2 *'}",
        "4:22 rules[0].schedule.cron: '0 9 30 2 *' is no cron line (bad day-of-month)",
        id="a day that no year has",
    ),
    pytest.param(
        "event: schedule\n    schedule: {cron: '@daily'}",
        "4:22 rules[0].schedule.cron: '@daily' does not have 5 fields",
        id="a cron line in a word",
    ),
    pytest.param(
        "event: schedule\n    schedule: {cron: '0 9 * * *', timezone: Berlin}",
        "4:45 rules[0].schedule.timezone: unknown time zone 'Berlin'; did you mean 'Europe/Berlin'?",
        id="a zone by its city",
    ),
    pytest.param(
        "event: schedule\n    schedule: {cron: '0 9 * * *', timezone: [UTC]}",
        "4:45 rules[0].schedule.timezone: must be the name of a time zone",
        id="a zone in a list",
    ),
    pytest.param(
        "event: schedule\n    schedule: {at: '09:00'}",
        "4:16 rules[0].schedule.at: unknown key 'at'; write cron: '0 9 * * mon-fri'",
        id="a schedule at a time of day",
    ),
    pytest.param(
        "event: schedule\n    schedule: [{cron: '0 9 * * *'}]",
        "4:15 rules[0].schedule: must be a text, not a list",
        id="several schedules",
    ),
]


@pytest.mark.parametrize(("key", "said"), WHEN)
def test_a_mistake_in_when_a_rule_is_asked_is_named(key: str, said: str) -> None:
    found = problems(
        f"rules:\n  - id: a\n    {key}\n    when: {{subject: x}}\n    then: [{{archive: true}}]\n"
    )
    assert any(one.startswith(f"r.yaml:{said}") for one in found), found


def test_a_group_has_no_state() -> None:
    found = problems(
        "rules: [{group: {id: g, state: off, rules: [{id: a, when: {subject: x}, stop: true}]}}]\n"
    )
    assert found == [
        "r.yaml:1:25 rules[0].group.state: unknown key 'state'; write it in each rule of the group"
    ]
