"""What rules remember: which messages count, for how long, and that it comes to the same anyhow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.mail.events import Event, EventKind
from engine.mail.message import Message
from engine.rules.evaluate import evaluate
from engine.rules.evaluation import Evaluation
from engine.rules.memory import UNREAD, Kept, Ledger, Memory, Seen
from engine.rules.ruleset import RuleSet
from tests.growth import is_linear
from tests.rules.making import NOW, indexed_from, make_message, rules

MINUTE = 60
DUPLICATE = "{duplicate: {by: message_id, within: 1h}}"
RATE = "{rate: {more_than: 2, per: from, within: 1h}}"


def only(when: str) -> RuleSet:
    return rules(f"rules:\n  - {{id: r, when: {when}, then: [{{archive: true}}]}}")


def mail(minutes: float = 0, **headers: str) -> Message:
    """A message that came so many minutes after NOW."""
    fields = {"From": "ann@x.example", "Message-ID": "<1@x>", "Subject": "alert"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return replace(make_message(*fields.items()), received=NOW + timedelta(minutes=minutes))


def event(key: str) -> Event:
    return Event(EventKind.MESSAGE_RECEIVED, "support@acme.example", 1, key)


def told(ruleset: RuleSet, messages: Sequence[Message]) -> list[list[str]]:
    """The rules that match each message, in order."""
    ledger, found = Ledger(), []
    for number, message in enumerate(messages):
        judged = evaluate(ruleset, event(str(number)), message, NOW, ledger.memory, final=True)
        ledger.add(judged.remembered)
        found.append([match.rule for match in judged.matches])
    return found


def hits(when: str, *messages: Message) -> list[bool]:
    return [bool(one) for one in told(only(when), messages)]


DUPLICATES = [
    pytest.param([mail(), mail(1)], [False, True], id="the second of one Message-ID"),
    pytest.param([mail(), mail(1, Message_ID="<2@x>")], [False, False], id="another Message-ID"),
    pytest.param([mail(), mail(59), mail(61)], [False, True, False], id="the window begins with the first"),
    pytest.param([mail(Message_ID=""), mail(Message_ID="")], [False, False], id="no Message-ID at all"),
    pytest.param([mail(5), mail(0)], [False, True], id="the one judged later, whichever came first"),
    pytest.param([mail(90), mail(0)], [False, False], id="not one that came long after it"),
]


@pytest.mark.parametrize(("messages", "wanted"), DUPLICATES)
def test_duplicate(messages: list[Message], wanted: list[bool]) -> None:
    assert hits(DUPLICATE, *messages) == wanted


def test_a_window_may_begin_anew_with_each() -> None:
    asked = "{duplicate: {by: message_id, within: 1h, last: true}}"
    assert hits(asked, mail(), mail(50), mail(100), mail(161)) == [False, True, True, False]


KEYS = [
    pytest.param("subject", {"Subject": "ALERT"}, True, id="a subject, case ignored"),
    pytest.param("from", {"From": "Bob <ANN@X.example>"}, True, id="an address, whatever its name"),
    pytest.param("domain", {"From": "bob@x.example"}, True, id="a domain"),
    pytest.param("domain", {"From": "bob@y.example"}, False, id="another domain"),
    pytest.param("sender", {"Sender": "ann@x.example", "From": "b@y.example"}, True, id="Sender, else From"),
    pytest.param("mailbox", {"From": "bob@y.example"}, True, id="the mailbox itself"),
    pytest.param("thread", {}, False, id="no thread"),
    pytest.param("{header: x-id}", {"Message-ID": "<2@x>"}, False, id="a header that is not there"),
    pytest.param("{header: Subject}", {}, True, id="a header"),
    pytest.param("{template: '{{ from }} {{ subject }}'}", {}, True, id="a text of several"),
    pytest.param(
        "{template: '{{ from }} {{ subject }}'}", {"Subject": "x"}, False, id="a text of which one differs"
    ),
    pytest.param(
        "{template: '{{ header.X-A }} {{ payload.a }}'}", {}, False, id="a text of which nothing is there"
    ),
]


@pytest.mark.parametrize(("by", "headers", "wanted"), KEYS)
def test_what_is_the_same(by: str, headers: dict[str, str], wanted: bool) -> None:
    second = mail(1, **headers)
    assert hits(f"{{duplicate: {{by: {by}}}}}", mail(), second) == [False, wanted]


def test_texts_of_several_are_kept_apart() -> None:
    asked = "{duplicate: {by: {template: '{{ header.X-A }}{{ header.X-B }}'}}}"
    assert hits(asked, mail(X_A="ab", X_B="c"), mail(X_A="a", X_B="bc")) == [False, False]


RATES = [
    pytest.param([0, 1, 2, 3], [False, False, True, True], id="more than two within an hour"),
    pytest.param([0, 1, 61], [False, False, False], id="the first is out of the window"),
    pytest.param([0, 1, 60.5, 60.7], [False, False, False, True], id="a window that slides"),
    pytest.param([0, 90, 180, 270], [False] * 4, id="a backlog is no burst"),
    pytest.param([90, 180, 270, 0], [False] * 4, id="what came long after one judged late is no burst"),
    pytest.param([45, 0, 20], [False, False, True], id="one that is judged late is part of its burst"),
    pytest.param([0, 100, 50], [False] * 3, id="what came before and after is too far apart"),
]


@pytest.mark.parametrize(("minutes", "wanted"), RATES)
def test_rate(minutes: list[float], wanted: list[bool]) -> None:
    assert hits(RATE, *(mail(minute) for minute in minutes)) == wanted


def test_a_rate_is_counted_for_each_apart() -> None:
    others = [mail(n, From=f"p{n}@x.example") for n in range(4)]
    assert hits(RATE, *others) == [False] * 4


COUNTED = [
    pytest.param(f"{{all: [{{subject: alert}}, {RATE}]}}", id="where a condition before it holds"),
    pytest.param(f"{{all: [{RATE}, {{subject: alert}}]}}", id="where a condition behind it holds"),
    pytest.param(f"{{all: [{{not: {{subject: other}}}}, {RATE}]}}", id="where a condition does not hold"),
    pytest.param(f"{{none: [{{subject: other}}, {{not: {RATE}}}]}}", id="within none and not"),
    pytest.param(
        f"{{all: [{{any: [{{subject: other}}, {RATE}]}}, {{not: {{subject: other}}}}]}}", id="in any"
    ),
]


@pytest.mark.parametrize("asked", COUNTED)
def test_a_message_counts_where_the_rest_of_the_rule_holds(asked: str) -> None:
    others = [mail(n, Subject="other") for n in range(5)]
    assert hits(asked, *others, mail(5), mail(6), mail(7))[5:] == [False, False, True]


def test_of_two_conditions_on_memory_the_first_is_asked_before_the_second() -> None:
    asked = f"{{all: [{{not: {DUPLICATE}}}, {RATE}]}}"
    same, others = [mail(n) for n in range(5)], [mail(n, Message_ID=f"<{n}@y>") for n in (5, 6)]
    assert hits(asked, *same, *others) == [False] * 6 + [True]


def test_rules_remember_apart_unless_they_share_a_name() -> None:
    own = rules(
        "rules:\n"
        f"  - {{id: a, when: {{all: [{{subject: x}}, {DUPLICATE}]}}, then: [{{archive: true}}]}}\n"
        f"  - {{id: b, when: {DUPLICATE}, then: [{{archive: true}}]}}\n"
    )
    assert told(own, [mail(0), mail(1, Subject="x"), mail(2, Subject="x")]) == [[], ["b"], ["a", "b"]]
    shared = DUPLICATE.replace("within", "name: all, within")
    both = rules(
        "rules:\n"
        f"  - {{id: a, when: {{all: [{{subject: x}}, {shared}]}}, then: [{{archive: true}}]}}\n"
        f"  - {{id: b, when: {shared}, then: [{{archive: true}}]}}\n"
    )
    assert told(both, [mail(0), mail(1, Subject="x")]) == [[], ["a", "b"]]


def test_a_group_has_one_memory_for_all_its_rules() -> None:
    group = rules(
        "rules:\n"
        f"  - group: {{id: g, when: {DUPLICATE}, rules: [\n"
        "      {id: a, when: {subject: x}, then: [{archive: true}]},\n"
        "      {id: b, when: {subject: alert}, then: [{archive: true}]}]}\n"
    )
    assert told(group, [mail(0), mail(1), mail(2, Subject="x")]) == [[], ["b"], ["a"]]


def test_what_is_judged_once_more_counts_once() -> None:
    ledger, ruleset = Ledger(), only(DUPLICATE)
    for _ in range(3):
        judged = evaluate(ruleset, event("same"), mail(), NOW, ledger.memory, final=True)
        ledger.add(judged.remembered)
        assert not judged.matches


def test_a_rule_behind_a_stop_counts_nothing() -> None:
    stopping = rules(
        "rules:\n"
        "  - {id: s, when: {subject: alert}, stop: true}\n"
        f"  - {{id: r, when: {RATE}, then: [{{archive: true}}]}}\n"
    )
    stopped = [mail(n) for n in range(5)]
    assert told(stopping, [*stopped, mail(6, Subject="x")])[-1] == []


def test_what_was_not_looked_up_is_named_and_leaves_a_rule_open() -> None:
    judged = evaluate(only(DUPLICATE), event("1"), mail(), NOW, UNREAD)
    assert [each.rule for each in judged.undecided] == ["r"]
    assert len(judged.unread) == 1
    assert not judged.remembered
    known = Memory(dict.fromkeys(judged.unread, Kept()), whole=False)
    again = evaluate(only(DUPLICATE), event("1"), mail(), NOW, known)
    assert not again.undecided
    assert {seen.key for seen in again.remembered} == judged.unread


@pytest.mark.parametrize("asked", [DUPLICATE, RATE])
def test_a_match_is_explained_with_what_was_remembered(asked: str) -> None:
    ledger, ruleset = Ledger(), only(asked)
    for number in range(3):
        judged = evaluate(ruleset, event(str(number)), mail(number), NOW, ledger.memory, final=True)
        ledger.add(judged.remembered)
    ledger.add(evaluate(ruleset, event("9"), mail(9), NOW, ledger.memory, final=True).remembered)
    assert judged.matches[0].reason is not None
    text = judged.matches[0].reason.text
    assert "seen at 2026-03-01 09:00:00" in text or "at least 3 from" in text


def test_a_ledger_lets_go_of_what_no_longer_counts() -> None:
    ledger = Ledger()
    for at in range(20_000):
        ledger.add([Seen(str(at), (at * 1_000, "w"), 1, 60_000)])
    assert len(ledger.memory.kept) < 2_000


def test_a_sighting_lives_as_long_as_its_window_and_a_backlog_is_behind() -> None:
    kept = Kept().with_(Seen("k", (1_000, "w"), 1, 5_000))
    assert kept.lives(1_000) == 5_000
    assert kept.lives(3_000) == 7_000


@pytest.mark.parametrize(
    "by", ["subject", "message_id", "from", "{header: X-A}", "{template: 'a {{ subject }}'}"]
)
@pytest.mark.parametrize(
    "sign", ["x", "\ud800", "é", "\0", "ﬁ"], ids=["x", "half a sign", "é", "nul", "a ligature"]
)
def test_what_mail_says_is_bounded_and_linear(by: str, sign: str) -> None:
    asked = only(f"{{duplicate: {{by: {by}}}}}")

    def ask(size: int) -> None:
        long = sign * size
        message = mail(Subject=long, Message_ID=long, X_A=long, From=f"{long}@x.example")
        judged = evaluate(asked, event("1"), message, NOW, final=True)
        assert all(len(seen.key) == 32 for seen in judged.remembered)

    assert is_linear(ask, 20_000)


@pytest.mark.parametrize("kind", ["all", "any", "none"])
def test_noting_is_linear_in_the_conditions(kind: str) -> None:
    sets = {
        size: only(f"{{{kind}: [{', '.join([DUPLICATE, '{subject: x}'] * (size // 2))}]}}")
        for size in sorted({base * factor + n for base in (100,) for factor in (1, 8) for n in range(8)})
    }
    assert is_linear(lambda size: evaluate(sets[size], event("1"), mail(), NOW, final=True), 100)


LEAVES = st.sampled_from(
    [
        DUPLICATE,
        RATE,
        "{duplicate: {by: subject, within: 5m, last: true}}",
        "{rate: {more_than: 1, per: {header: X-A}, within: 10m, name: shared}}",
        "{subject: alert}",
        "{subject: {contains: x}}",
        "{from: ann@x.example}",
        "{label: Work}",
        "{attachment: true}",
    ]
)


def _nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    several = st.tuples(st.sampled_from(["all", "any", "none"]), st.lists(inner, min_size=1, max_size=3))
    return several.map(lambda pair: f"{{{pair[0]}: [{', '.join(pair[1])}]}}") | inner.map(
        lambda one: f"{{not: {one}}}"
    )


TREES = st.recursive(LEAVES, _nested, max_leaves=6)
THEN = st.sampled_from(["{label: Work}", "{archive: true}"])
SETS = st.lists(st.tuples(TREES, THEN, st.booleans()), min_size=1, max_size=5)
MAIL = st.builds(
    lambda minutes, subject, sender, a: mail(minutes, Subject=subject, From=sender, X_A=a),
    st.integers(0, 20),
    st.sampled_from(["alert", "x", "other"]),
    st.sampled_from(["ann@x.example", "b@x.example"]),
    st.sampled_from(["1", "2", ""]),
)


def loaded(parts: list[tuple[str, str, bool]]) -> RuleSet:
    lines = [
        f"  - {{id: r{number}, when: {when}, then: [{then}], stop: {str(stop).lower()}}}"
        for number, (when, then, stop) in enumerate(parts)
    ]
    return rules("rules:\n" + "\n".join(lines))


def folded(ruleset: RuleSet, messages: Sequence[Message]) -> list[Evaluation]:
    ledger, found = Ledger(), []
    for number, message in enumerate(messages):
        found.append(evaluate(ruleset, event(str(number)), message, NOW, ledger.memory, final=True))
        ledger.add(found[-1].remembered)
    return found


@settings(max_examples=100, deadline=None)
@given(parts=SETS, messages=st.lists(MAIL, min_size=1, max_size=8))
def test_the_index_and_the_plain_loop_remember_alike(
    parts: list[tuple[str, str, bool]], messages: list[Message]
) -> None:
    ruleset = loaded(parts)
    with indexed_from(0, ruleset) as anew:
        looked_up = folded(anew, messages)
    with indexed_from(1_000_000, ruleset) as anew:
        asked = folded(anew, messages)
    assert looked_up == asked
    assert [m.reason for one in looked_up for m in one.matches] == [
        m.reason for one in asked for m in one.matches
    ]


@settings(max_examples=100, deadline=None)
@given(parts=SETS, messages=st.lists(MAIL, min_size=1, max_size=8))
def test_looking_up_only_what_is_asked_for_comes_to_the_same(
    parts: list[tuple[str, str, bool]], messages: list[Message]
) -> None:
    ruleset, whole, known = loaded(parts), Ledger(), dict[str, Kept]()
    for number, message in enumerate(messages):
        wanted = evaluate(ruleset, event(str(number)), message, NOW, whole.memory, final=True)
        for _ in range(20):
            partly = Memory(known, whole=False)
            judged = evaluate(ruleset, event(str(number)), message, NOW, partly, final=True)
            if not judged.unread - known.keys():
                break
            known = known | {key: whole.memory.kept.get(key, Kept()) for key in judged.unread}
        assert judged == wanted
        whole.add(wanted.remembered)
        known = {}
