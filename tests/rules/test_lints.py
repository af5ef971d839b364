"""What checks find in rules that load: each finding is true, and shown by a message where it can be."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.mail.message import Message
from engine.rules.evaluation import Verdict
from engine.rules.lints.flaw import Flaw
from engine.rules.lints.implies import excludes, follows, impossible, sure
from engine.rules.lints.run import lint
from engine.rules.lints.sampling import sample
from engine.rules.lints.witness import witness
from engine.rules.loader import load_rules, read_sources
from engine.rules.patterns import regex
from engine.rules.ruleset import RuleSet
from engine.rules.testing import run_tests
from engine.rules.text import to_bytes
from engine.rules.view import View
from tests.growth import is_linear
from tests.rules.making import NOW, condition, judge, matched, rules
from tests.rules.test_index import LISTS, MESSAGES, SETS, TREES, Parts, loaded

ROOT = Path(__file__).parent.parent.parent
STOP = "then: [{label: P}], stop: true"
DO = "then: [{label: P}]"


def found(*lines: str) -> list[Flaw]:
    return lint(rules("rules:\n" + "\n".join(f"  - {line}" for line in lines)))


def told(flaws: list[Flaw]) -> list[tuple[str, str, bool]]:
    """Which check found what at which rule, and whether it is certain."""
    return [
        (each.check, each.error.message.partition("'")[2].partition("'")[0], each.certain) for each in flaws
    ]


COVERED = [
    pytest.param("{from: '@x.example'}", "{from: ann@x.example}", id="an address of a domain"),
    pytest.param("{from: {domain: '*.x.example'}}", "{from: '@a.x.example'}", id="a subdomain"),
    pytest.param("{recipient: b@x.example}", "{to: b@x.example}", id="a field among several"),
    pytest.param("{subject: {contains: order}}", "{subject: {starts_with: My ORDER}}", id="part of a start"),
    pytest.param("{subject: {ends_with: der}}", "{subject: [Order, my order]}", id="whole texts"),
    pytest.param("{subject: {glob: 'or*'}}", "{subject: Order 12}", id="a glob that a text fits"),
    pytest.param("{header: {name: subject, contains: a}}", "{subject: {contains: ab}}", id="the same header"),
    pytest.param("{size: {gt: 1MB}}", "{size: {gte: 2MB, lt: 3MB}}", id="a narrower range"),
    pytest.param("{size: {gte: 0}}", "{subject: {regex: '^\\d+$'}}", id="everything"),
    pytest.param("{any: [{to: a@x.example}, {subject: a}]}", "{subject: a}", id="one of several"),
    pytest.param("{subject: a}", "{all: [{subject: a}, {size: {gt: 1KB}}]}", id="one more condition"),
    pytest.param(
        "{not: {subject: {contains: a}}}",
        "{none: [{subject: {contains: a}}, {size: {gt: 1KB}}]}",
        id="less denied",
    ),
    pytest.param("{automated: true}", "{automated: [bounce, list]}", id="kinds of automated mail"),
    pytest.param("{is: [reply, forward]}", "{is: forward}", id="one of some facts"),
    pytest.param(
        "{attachment: {size: {gt: 1KB}}}",
        "{attachment: {type: pdf, size: {gt: 1MB}}}",
        id="one file of many traits",
    ),
    pytest.param("{label: [INBOX, UNREAD]}", "{label: INBOX}", id="a label"),
    pytest.param("{body: {contains: a}}", "{body: {contains: [ab, ba]}}", id="parts of the text"),
]


@pytest.mark.parametrize(("earlier", "later"), COVERED)
def test_a_rule_that_an_earlier_stop_covers_is_never_reached(earlier: str, later: str) -> None:
    (flaw,) = found(f"{{id: a, when: {earlier}, {STOP}}}", f"{{id: b, when: {later}, then: [{{label: Q}}]}}")
    assert (flaw.check, flaw.certain, flaw.other and flaw.other.id) == ("unreachable", True, "a")
    assert "rules.yaml:2" in flaw.error.message
    assert str(flaw.error).startswith("rules.yaml:3:")


REACHED = [
    pytest.param("{from: ann@x.example}", "{from: '@x.example'}", "", id="a wider condition"),
    pytest.param("{subject: a}", "{all: [{subject: a}, {label: SPAM}]}", "", id="mail in spam"),
    pytest.param("{subject: {regex: order}}", "{subject: order}", "", id="a pattern minds capitals"),
    pytest.param("{to: b@x.example}", "{recipient: b@x.example}", "", id="more fields"),
    pytest.param("{subject: a}", "{header: {name: Subject, is: a}}", "", id="a second subject"),
    pytest.param("{size: {gt: 0}}", "{subject: a}", "", id="an empty message"),
    pytest.param("{sender: a@x.example}", "{from: a@x.example}", "", id="another sender"),
    pytest.param(
        "{rate: {more_than: 1, per: sender, within: 1d}}",
        "{rate: {more_than: 1, per: sender, within: 1d}}",
        "",
        id="memory",
    ),
    pytest.param("{subject: a}", "{subject: a}", ", layer: after", id="another layer"),
    pytest.param("{subject: a}", "{subject: a}", ", event: message.sent", id="another event"),
]


@pytest.mark.parametrize(("earlier", "later", "more"), REACHED)
def test_nothing_is_said_of_a_rule_that_may_be_reached(earlier: str, later: str, more: str) -> None:
    flaws = found(
        f"{{id: a, when: {earlier}, {STOP}}}", f"{{id: b, when: {later}, then: [{{label: Q}}]{more}}}"
    )
    assert [flaw for flaw in flaws if flaw.check == "unreachable"] == []


@pytest.mark.parametrize(
    ("scopes", "unreached"),
    [
        pytest.param(("['*@x.example']", "[a@x.example]"), True, id="a mailbox of a wider scope"),
        pytest.param(("[a@x.example]", "['*@x.example']"), False, id="a wider scope"),
        pytest.param(("[a@x.example]", "[b@x.example]"), False, id="another mailbox"),
        pytest.param(("['*@x.example']", "['*@x.example']"), True, id="the same scope"),
    ],
)
def test_scopes_count(scopes: tuple[str, str], unreached: bool) -> None:
    flaws = found(
        *(
            f"{{id: {name}, when: {{subject: a}}, mailboxes: {scope}, then: [{{label: {name}}}], stop: true}}"
            for name, scope in zip("ab", scopes, strict=True)
        )
    )
    assert bool(flaws) is unreached


def test_a_label_that_a_rule_between_changes_reopens_the_way() -> None:
    lines = [
        "{id: a, when: {label: Late}, then: [{label: Z}], stop: true}",
        "{id: b, when: {subject: a}, then: [{label: Late}]}",
        "{id: c, when: {label: Late}, then: [{label: C}]}",
    ]
    assert [flaw.check for flaw in found(*lines)] == ["label"]
    assert "unreachable" in [flaw.check for flaw in found(lines[1], lines[0], lines[2])]


GROUP = """rules:
  - group:
      id: g
      mode: first
      rules:
        - {id: a, when: {subject: {contains: x}}, then: [{label: A}]}
        - {id: b, when: {subject: {contains: xy}}, then: [{label: B}]}
        - {id: c, then: [{label: C}]}
  - {id: d, when: {subject: {contains: xy}}, then: [{label: D}]}
"""


def test_a_label_of_a_search_line_reopens_the_way_as_well() -> None:
    lines = [
        "{id: a, when: {query: 'label:late'}, then: [{label: Z}], stop: true}",
        "{id: b, when: {subject: a}, then: [{label: Late}]}",
        "{id: c, when: {query: 'label:late'}, then: [{label: C}]}",
    ]
    assert found(*lines) == []
    assert told(found(lines[0], lines[2])) == [("unreachable", "c", True)]


def test_of_a_group_only_the_first_applies() -> None:
    flaws = lint(rules(GROUP))
    assert told(flaws) == [("unreachable", "b", True)]
    assert "first of the group 'g'" in flaws[0].error.message


@pytest.mark.parametrize(
    ("when", "said"),
    [
        pytest.param("{all: [{size: {gt: 2MB}}, {size: {lt: 1MB}}]}", 'size {"gt": "2MB"}', id="two sizes"),
        pytest.param("{size: {gt: 2MB, lt: 1MB}}", "never holds", id="one range that is empty"),
        pytest.param("{all: [{subject: a}, {subject: b}]}", "never hold together", id="two subjects"),
        pytest.param(
            "{all: [{subject: {starts_with: a}}, {subject: {starts_with: b}}]}", "subject", id="two starts"
        ),
        pytest.param("{all: [{label: X}, {not: {label: [X, Y]}}]}", "label", id="what is denied as well"),
        pytest.param(
            "{all: [{attachment: false}, {attachment: {type: pdf}}]}", "attachment", id="no attachment"
        ),
        pytest.param("{all: [{automated: false}, {automated: bounce}]}", "automated", id="a person's bounce"),
        pytest.param("{not: {size: {gte: 0}}}", "never", id="what is always so, denied"),
        pytest.param("{all: [{cc: {exists: false}}, {cc: a@x.example}]}", "cc", id="no such field"),
    ],
)
def test_a_rule_that_can_never_match_is_named(when: str, said: str) -> None:
    (flaw,) = (each for each in found(f"{{id: a, when: {when}, {DO}}}") if each.check == "contradictory")
    assert flaw.certain
    assert said in flaw.error.message


@pytest.mark.parametrize(
    ("when", "warned"),
    [
        pytest.param("{all: [{from: a@x.example}, {from: '@y.example'}]}", True, id="two domains"),
        pytest.param(
            "{all: [{from: a@x.example}, {from: '@x.example'}]}", False, id="an address and its domain"
        ),
        pytest.param("{all: [{from: '@x.example'}, {from: {glob: 'a*'}}]}", False, id="a domain and a glob"),
        pytest.param("{all: [{to: a@x.example}, {to: b@x.example}]}", False, id="two recipients"),
    ],
)
def test_two_senders_at_once_are_doubted(when: str, warned: bool) -> None:
    flaws = found(f"{{id: a, when: {when}, {DO}}}")
    assert told(flaws) == ([("contradictory", "a", False)] if warned else [])


PAIR = "of: {subject: {regex: 'a(?P<n>[0-9])b(?P<m>[0-9])'}}"
OTHER = "of: {body: {regex: 'a(?P<n>[0-9])b(?P<m>[0-9])'}}"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(
            f"captured: {{{PAIR}, name: n, is: '1'}}",
            f"captured: {{{PAIR}, name: m, is: '1'}}",
            id="two groups",
        ),
        pytest.param(
            f"captured: {{{PAIR}, name: n, is: '1'}}",
            f"captured: {{{OTHER}, name: n, is: '1'}}",
            id="one name in two patterns",
        ),
        pytest.param(
            "payload: {path: a.b, is: x}", "payload: {path: a.c, is: x}", id="two places of a payload"
        ),
    ],
)
def test_what_looks_elsewhere_neither_follows_nor_excludes(one: str, other: str) -> None:
    flaws = found(f"{{id: a, when: {{all: [{{{one}}}, {{not: {{{other}}}}}]}}, {DO}}}")
    assert flaws == []


@pytest.mark.parametrize(
    ("when", "never"),
    [
        pytest.param("{attachment: {type: pdf, size: {gt: 5MB, lt: 1MB}}}", True, id="a file of no size"),
        pytest.param("{attachment: {name: {is: a.pdf, contains: b}}}", True, id="a file of no name"),
        pytest.param("{attachments: {count: {gt: 3, lt: 2}}}", True, id="a count that is none"),
        pytest.param("{attachments: {count: {gt: 3, lt: 5}}}", False, id="a count between two"),
        pytest.param("{attachments: {total_size: {gt: 2MB, lt: 1MB}}}", True, id="a sum that is none"),
        pytest.param("{received: {after: 2026-03-01, before: 2026-01-01}}", True, id="after and then before"),
        pytest.param("{received: {after: 2026-03-01, before: 2026-03-01}}", True, id="from a day up to it"),
        pytest.param("{received: {after: 2026-03-01, before: 2026-03-02}}", False, id="one day"),
        pytest.param(
            "{received: {after: '2026-03-01T12:00+02:00', before: '2026-03-01T11:00'}}",
            False,
            id="times of two zones",
        ),
        pytest.param("{received: {older_than: 7d, newer_than: 1d}}", True, id="older than what is newer"),
        pytest.param("{received: {older_than: 1d, newer_than: 7d}}", False, id="of some age"),
        pytest.param(
            "{all: [{received: {after: 2026-03-01}}, {received: {before: 2026-01-01}}]}",
            True,
            id="two conditions on the time",
        ),
        pytest.param("{query: 'after:2026/03/01 before:2026/01/01'}", True, id="a search within no time"),
    ],
)
def test_amounts_and_times_that_leave_nothing_are_contradictory(when: str, never: bool) -> None:
    flaws = found(f"{{id: a, when: {when}, {DO}}}")
    assert told(flaws) == ([("contradictory", "a", True)] if never else [])


def test_duplicates_and_shadows_name_both_rules_and_a_message() -> None:
    flaws = found(
        "{id: a, when: {subject: {contains: bill}}, then: [{label: B}]}",
        "{id: b, when: {subject: {contains: bill}}, then: [{label: B}]}",
        "{id: c, when: {subject: {starts_with: bill}}, then: [{label: B}]}",
        "{id: d, when: {subject: {starts_with: bill}}, then: [{label: {remove: B}}]}",
        "{id: e, when: {subject: {starts_with: bills}}, then: [{label: B}]}",
    )
    assert told(flaws) == [("duplicate", "b", True), ("shadowed", "c", False)]
    assert [flaw.other and flaw.other.id for flaw in flaws] == ["a", "b"]
    assert all(flaw.proof and flaw.proof.given() == {"subject": "bill"} for flaw in flaws)


@pytest.mark.parametrize(
    ("when", "certain"),
    [
        pytest.param("{any: [{not: {subject: a}}, {not: {subject: b}}]}", True, id="it always holds"),
        pytest.param(
            "{any: [{not: {to: a@x.example}}, {none: [{cc: b@x.example}]}]}", False, id="nearly always"
        ),
    ],
)
def test_any_of_negatives_is_doubted(when: str, certain: bool) -> None:
    (flaw,) = found(f"{{id: a, when: {when}, {DO}}}")
    assert (flaw.check, flaw.certain) == ("negatives", certain)
    assert flaw.proof is not None
    assert matched(judge(rules(f"rules: [{{id: a, when: {when}, {DO}}}]"), flaw.proof.message())) == ["a"]


@pytest.mark.parametrize(
    ("when", "passes"),
    [
        pytest.param(
            r"{from: {regex: 'acme\.example'}}", "x@evil-acme.example", id="a pattern without an anchor"
        ),
        pytest.param(
            r"{from: {regex: '@acme\.example'}}", "x@acme.example.attacker.example", id="one open behind"
        ),
        pytest.param(r"{from: {regex: 'acme\.example$'}}", "x@evil-acme.example", id="one open in front"),
        pytest.param("{from: {glob: '*acme.example'}}", "x@evil-acme.example", id="a glob"),
        pytest.param(
            "{header: {name: From, contains: '@acme.example'}}",
            "x@acme.example.attacker.example",
            id="a part",
        ),
        pytest.param(
            "{header: {name: Reply-To, ends_with: acme.example}}", "x@evil-acme.example", id="an end"
        ),
        pytest.param(r"{from: {regex: '@acme\.example$'}}", "", id="a pattern with both ends"),
        pytest.param("{from: {domain: acme.example}}", "", id="a domain"),
        pytest.param("{from: {glob: '*@acme.example'}}", "", id="a glob of a whole domain"),
        pytest.param("{to: {glob: '*acme.example'}}", "", id="a recipient"),
        pytest.param("{subject: {contains: acme.example}}", "", id="a subject"),
    ],
)
def test_a_domain_test_that_a_look_alike_passes_is_shown_with_one(when: str, passes: str) -> None:
    flaws = found(f"{{id: a, when: {when}, {DO}}}")
    assert told(flaws) == ([("lookalike", "a", False)] if passes else [])
    for flaw in flaws:
        assert passes in flaw.error.message
        assert flaw.proof is not None
        assert matched(judge(rules(f"rules: [{{id: a, when: {when}, {DO}}}]"), flaw.proof.message())) == ["a"]


@pytest.mark.parametrize(
    ("when", "sets", "said"),
    [
        pytest.param("{label: bills}", "Bills", "sets 'Bills'", id="other capitals"),
        pytest.param(
            "{not: {label: Invoise}}", "Invoice", "sets 'Invoice'", id="misspelt, also where denied"
        ),
        pytest.param("{label: Nobody}", "Bills", "which no rule sets", id="nobody sets it"),
        pytest.param("{not: {label: Nobody}}", "Bills", "", id="what people set may be there later"),
        pytest.param("{label: [INBOX, SPAM, CATEGORY_UPDATES]}", "Bills", "", id="the service's own"),
        pytest.param(
            "{label: Sent}", "Bills", "which no rule sets", id="the service's own in other capitals"
        ),
        pytest.param("{label: Bills}", "Bills", "", id="an earlier rule sets it"),
        pytest.param("{label: N/12}", "'N/{{ captures.n }}'", "", id="a capture may set it"),
    ],
)
def test_labels_that_nobody_sets_are_named(when: str, sets: str, said: str) -> None:
    flaws = found(
        f"{{id: sets, when: {{subject: {{regex: '(?P<n>[0-9]+)'}}}}, then: [{{label: {sets}}}]}}",
        f"{{id: asks, when: {when}, then: [archive: true]}}",
    )
    assert told(flaws) == ([("label", "asks", False)] if said else [])
    assert all(said in flaw.error.message for flaw in flaws)


def test_a_label_that_only_a_later_rule_sets_comes_too_late() -> None:
    (flaw,) = found(
        "{id: asks, when: {label: Late}, then: [archive: true]}",
        "{id: sets, when: {subject: a}, then: [{label: Late}]}",
    )
    assert "only a later rule sets: 'sets' (rules.yaml:3)" in flaw.error.message


@pytest.mark.parametrize(
    ("pattern", "empty"),
    [
        pytest.param(r"no(?P<n>\d+)?", True, id="a group that may be left out"),
        pytest.param(r"no(?P<n>\d*)", True, id="a group that may be empty"),
        pytest.param(r"no(?P<n>\d+)", False, id="a group that is always there"),
    ],
)
def test_a_capture_that_a_match_may_leave_empty_is_shown(pattern: str, empty: bool) -> None:
    flaws = found(
        f"{{id: a, when: {{subject: {{regex: '{pattern}'}}}}, then: [{{label: 'N/{{{{ captures.n }}}}'}}]}}"
    )
    assert told(flaws) == ([("input", "a", False)] if empty else [])


def test_the_examples_have_no_flaws() -> None:
    assert lint(load_rules(read_sources(ROOT / "rules"), None)) == []


def test_a_proof_can_be_pasted_into_a_test() -> None:
    lines = ["{id: a, when: {from: '@x.example'}, then: [{label: P}], stop: true}"]
    later = (
        "when: {all: [{from: ann@x.example}, {attachment: {type: pdf, size: {gt: 1KB}}}, {cc: b@y.example}]}"
    )
    (flaw,) = found(*lines, f"{{id: b, {later}, then: [{{label: Q}}]}}")
    test = f"tests: [{{name: n, {flaw.proof}, expect: {{matched: false}}}}]"
    alone = f"tests: [{{name: n, {flaw.proof}, expect: {{matched: true}}}}]"
    both = rules(f"rules:\n  - {lines[0]}\n  - {{id: b, {later}, then: [{{label: Q}}], {test}}}")
    only = rules(f"rules:\n  - {{id: b, {later}, then: [{{label: Q}}], {alone}}}")
    assert [result.problems for ruleset in (both, only) for result in run_tests(ruleset)] == [(), ()]


@settings(max_examples=100, deadline=None)
@given(parts=SETS, messages=st.lists(MESSAGES, min_size=3, max_size=8))
def test_what_is_called_unreachable_or_contradictory_is_never_reached(
    parts: Parts, messages: list[Message]
) -> None:
    ruleset = loaded(parts)
    flaws = [
        each for each in lint(ruleset) if each.check in ("unreachable", "contradictory") and each.certain
    ]
    never = {each.error.message.partition("'")[2].partition("'")[0] for each in flaws}
    for message in [*messages, *_made_up(ruleset)]:
        evaluation = judge(ruleset, message, final=True)
        assert never.isdisjoint([*matched(evaluation), *(match.rule for match in evaluation.shadows)])


def _made_up(ruleset: RuleSet) -> list[Message]:
    drafts = [witness(rule.when) for rule in ruleset.rules]
    return [draft.message() for draft in drafts if draft]


@settings(max_examples=300, deadline=None)
@given(one=TREES, other=TREES, messages=st.lists(MESSAGES, min_size=2, max_size=5))
def test_what_is_said_to_follow_does(one: str, other: str, messages: list[Message]) -> None:
    this, that = condition(one, lists=LISTS), condition(other, lists=LISTS)
    made = [draft.message() for draft in map(witness, (this, that)) if draft]
    for message in [*messages, *made]:
        view = View(message, NOW)
        here, there = this.judge(view).verdict, that.judge(view).verdict
        if here is Verdict.MATCHED:
            assert not impossible(this)
            assert not (follows(this, that) and there is Verdict.NOT_MATCHED)
            assert not (excludes(this, that) and there is Verdict.MATCHED)
        assert not (sure(this) and here is Verdict.NOT_MATCHED)


@settings(max_examples=100, deadline=None)
@given(tree=TREES)
def test_a_condition_follows_from_itself(tree: str) -> None:
    assert follows(condition(tree, lists=LISTS), condition(tree, lists=LISTS))


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"(?i)\border\s*#?(?P<order>\d{5})\b", "order11111"),
        (r"^(a|b)+c{2,3}$", "acc"),
        (r"[^a-z ]\x41\Q.*\E\.", "1A.*."),
        (r"[[:upper:]]\pL[\]\d]", "Xx1"),
        (r"(?:(?P<a>x)|y)?z", "z"),
        (r"a(?i)b", "ab"),
    ],
)
def test_a_pattern_has_a_sample(pattern: str, text: str) -> None:
    assert sample(regex(pattern)) == text


@settings(max_examples=200, deadline=None)
@given(pattern=st.text(alphabet="ab1()[]{}|*+?.^$\\d-,", max_size=12))
def test_a_sample_is_found_by_its_pattern_or_is_none(pattern: str) -> None:
    try:
        compiled = regex(pattern)
    except ValueError:
        return
    text = sample(compiled)
    assert text is None or compiled.search(to_bytes(text)) is not None


def test_the_time_to_check_grows_with_the_rules_and_no_faster() -> None:
    def check(count: int) -> None:
        lines = ["rules:"]
        for number in range(count):
            when = (
                "{from: 'p%d@x.example'}",
                "{subject: {contains: 'no%d'}}",
                "{subject: {regex: 'n%d.+x'}}",
            )
            stop = str(number % 2 == 0).lower()
            lines.append(f"  - {{id: r{number}, when: {when[number % 3] % number}, {DO}, stop: {stop}}}")
        lint(rules("\n".join(lines)))

    assert is_linear(check, 60)


def test_what_of_the_guard_is_switched_off_is_shown_with_its_reason() -> None:
    guard = "guard: {off: [automated, no_reply], reason: 'people read behind it'}"
    flaws = found(f"{{id: a, when: {{from: '@x.example'}}, then: [reply: {{template: t, {guard}}}]}}")
    assert told(flaws) == [("unguarded", "a", False)]
    assert flaws[0].error.message.endswith("for reply: automated, no_reply (people read behind it)")
