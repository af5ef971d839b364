"""The index and the plain loop agree, whatever the rules and the message; silent rules are not asked."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from pathlib import Path
from unittest.mock import patch
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.mail.address import Address
from engine.mail.archive import read_archive
from engine.mail.events import EventKind
from engine.mail.headers import Headers
from engine.mail.message import Attachment, Message
from engine.mail.mime import from_raw
from engine.mail.needs import Need
from engine.rules.condition import NOT_MATCHED, Judged
from engine.rules.evaluation import Evaluation, Verdict
from engine.rules.home import Home, Homes
from engine.rules.index import Index
from engine.rules.loader import load_rules, read_sources
from engine.rules.people import Person
from engine.rules.ruleset import RuleSet
from engine.rules.view import View
from engine.sandbox.samples import sample_messages
from tests.rules.making import NOW, condition, indexed_from, judge, make_message, matched, rules

ROOT = Path(__file__).parent.parent.parent
CORPUS = Path(os.environ.get("POSTROOM_CORPUS") or ROOT.parent / "shared" / "corpus")

TEXTS = ["x", "Invoice", "INVOICE 12", "Straße", "STRASSE", "İstanbul", "e\u0301", "é", "\ufb01x", "a*b", ""]
LEAVES = st.sampled_from(
    [
        "subject: invoice",
        "subject: {contains: [straße, ab]}",
        "subject: {contains: istanbul}",
        "subject: {starts_with: [in, É]}",
        "subject: {ends_with: ['12', fix]}",
        "subject: {glob: '*voice?1*'}",
        "subject: {glob: 'a\\*b'}",
        "subject: {glob: '*'}",
        "subject: {regex: '(?i)invoice\\s+(?P<n>\\d+)'}",
        "subject: {regex: '[xX]|(?P<n>\\d)'}",
        "subject: {regex: ['STRA.+E', '^$']}",
        "subject: {contains: x, regex: 'x$'}",
        "subject: {exists: true}",
        "from: ann@x.example",
        "from: '@x.example'",
        "from: {domain: '*.example'}",
        "from: {domain: ['*.x.example', 'bücher.example']}",
        "from: {glob: '*@*.example'}",
        "from: {glob: '*@b?cher.example'}",
        "from: {regex: '[Aa]nn.*@'}",
        "from: {name: {contains: ann}}",
        "from: {exists: true}",
        "from: {list: vips}",
        "recipient: {list: vips, glob: 'b*'}",
        "cc: {exists: false}",
        "address: {header: [To, CC], domain: ['x.example', '*.example']}",
        "address: {header: X-A, exists: true}",
        "captured: {of: {subject: {regex: '(?P<n>[0-9])'}}, name: n, is: ['1', '2']}",
        "header: {name: X-A, is: ['1', 'Invoice']}",
        "header: {name: X-A, exists: true}",
        "header: {name: X-B, exists: false}",
        "header: {name: Subject, contains: voice}",
        "label: Work",
        "label: [Later, 'é']",
        "label: {starts_with: L}",
        "label: SPAM",
        "is: [unread, starred]",
        "is: [unread, reply]",
        "automated: true",
        "automated: [list, bounce]",
        "automated: false",
        "attachment: true",
        "attachment: false",
        "attachment: {name: {ends_with: .pdf}, size: {gt: 1KB}}",
        "attachment: {name: {regex: '(?P<n>[0-9]+)'}, type: zip}",
        "size: {gt: 1KB}",
        "query: 'invoice OR from:ann'",
        "query: '-subject:(invoice 12) {from:x.example label:work}'",
        "body: {contains: [straße, ab]}",
        "body: {starts_with: in, exists: true}",
        "body: {exists: false}",
        "body: {regex: '(?i)invoice\\s+(?P<n>\\d+)'}",
        "list_id: dev.l.example",
        "list_id: {ends_with: .example}",
        "sender: '@x.example'",
        "sender: {exists: false}",
        "reply_to: {name: {contains: ann}}",
        "bcc: {exists: false}",
        "attachments: {count: {gt: 1}}",
        "attachments: {count: 0}",
        "attachments: {total_size: {lt: 2KB}}",
        "auth: {dmarc: pass}",
        "auth: {spf: [fail, none], dkim: fail}",
        "received: {newer_than: 1d}",
        "received: {weekday: sun, between: 22:00-06:00}",
        "is: [encrypted, signed, calendar, forward]",
    ]
).map(lambda text: f"{{{text}}}")


def _nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    several = st.tuples(st.sampled_from(["all", "any", "none"]), st.lists(inner, min_size=1, max_size=3))
    return several.map(lambda pair: f"{{{pair[0]}: [{', '.join(pair[1])}]}}") | inner.map(
        lambda one: f"{{not: {one}}}"
    )


TREES = st.recursive(LEAVES, _nested, max_leaves=6)
THEN = st.sampled_from(
    [
        "{label: Work}",
        "{label: {add: [Later], remove: [Work]}}",
        "{label: 'e\u0301'}",
        "{mark: {starred: true, read: true}}",
        "{archive: true}",
        "{label: 'N/{{ captures.n }}'}",
        "{reply: {template: t}}",
    ]
)
STATES = st.sampled_from(["live", "live", "shadow", "off"])
RULES = st.tuples(TREES, THEN, st.booleans(), st.sampled_from(["before", "default", "after"]), STATES)
SETS = st.lists(RULES, min_size=1, max_size=12)
LISTS = {"vips": ("ann@x.example", "@y.example", "@*.z.example")}


Parts = list[tuple[str, str, bool, str, str]]


def loaded(parts: Parts) -> RuleSet:
    lines = ["lists: {vips: [ann@x.example, '@y.example', '@*.z.example']}", "rules:"]
    for number, (when, then, stop, layer, state) in enumerate(parts):
        supplied = "captures" not in then or "n" in condition(when, lists=LISTS).possible_captures
        keys = f"then: [{then if supplied else '{archive: true}'}], stop: {str(stop).lower()}, layer: {layer}"
        lines.append(f"  - {{id: r{number}, state: {state}, when: {when}, {keys}}}")
    return rules("\n".join(lines))


PEOPLE = st.sampled_from(
    [
        "Ann <ann@x.example>",
        "ANN <Ann@X.Example>",
        "b@a.x.example",
        "b@y.example, c@q.z.example",
        "b@.x.example",
        "b@b\u00fccher.example",
        "b@xn--bcher-kva.example",
        "undisclosed:;",
        "just words",
        "",
    ]
)
FIELDS = st.one_of(
    st.tuples(st.sampled_from(["Subject", "X-A", "X-B", "x-a"]), st.sampled_from(TEXTS)),
    st.tuples(st.sampled_from(["From", "To", "Cc", "Bcc", "Sender", "Reply-To"]), PEOPLE),
    st.sampled_from(
        [
            ("List-Id", "Developers <dev.l.example>"),
            ("Content-Type", "multipart/encrypted; protocol=x"),
            ("X-Zoom-Encryption", "s=Server"),
            ("Received", "by mx.x.example; Sun, 1 Mar 2026 09:00:00 +0000"),
            ("Authentication-Results", "mx.x.example; dmarc=pass; spf=none"),
        ]
    ),
    st.sampled_from(
        [
            ("X-Zoom-Encryption", "yes"),
            ("List-Id", "<l>"),
            ("Auto-Submitted", "auto-replied"),
            ("In-Reply-To", "<a@b>"),
        ]
    ),
)
FILES = st.lists(
    st.builds(
        Attachment,
        name=st.sampled_from(["a.pdf", "A.PDF", "12", ""]),
        type=st.sampled_from(["application/pdf", "application/octet-stream"]),
        size=st.sampled_from([1, 5_000]),
        sniffed=st.sampled_from([None, "", "application/zip"]),
    ),
    max_size=2,
).map(tuple)
LABELS = st.sets(st.sampled_from(["INBOX", "UNREAD", "STARRED", "SPAM", "Work", "\u00e9"]))
MESSAGES = st.builds(
    Message,
    key=st.just("k"),
    labels=LABELS.map(frozenset),
    received=st.sampled_from([None, NOW, NOW - timedelta(days=2, hours=13)]),
    _text=st.none() | st.sampled_from(TEXTS),
    _headers=st.none() | st.lists(FIELDS, max_size=5).map(Headers),
    _size=st.sampled_from([None, 10, 5_000]),
    _attachments=st.none() | FILES,
    unreadable=st.sampled_from(
        [(), (), ((Need.ATTACHMENTS, "encrypted"),), ((Need.HEADERS, "broken"),)],
    ),
)


FEW_LITERALS = st.sampled_from([0, 8])
"""How many are sought without the automaton: none, so that it is asked, or as many as ever."""
HOMES = st.sampled_from([Home(), Home(ZoneInfo("Asia/Tokyo"), frozenset({"mx.x.example"}))])


def both(ruleset: RuleSet, message: Message, *, final: bool = False) -> tuple[Evaluation, Evaluation]:
    """Judge by the index, and one rule after the other."""
    with indexed_from(0, ruleset) as anew:
        looked_up = judge(anew, message, final=final)
    with indexed_from(1_000_000, ruleset) as anew:
        return looked_up, judge(anew, message, final=final)


@settings(max_examples=250, deadline=None)
@given(
    parts=SETS,
    messages=st.lists(MESSAGES, min_size=1, max_size=4),
    final=st.booleans(),
    home=HOMES,
    few=FEW_LITERALS,
)
def test_the_index_and_the_plain_loop_agree(
    parts: Parts, messages: list[Message], final: bool, home: Home, few: int
) -> None:
    with patch("engine.rules.lookup.FEW", few):
        _agree(parts, messages, final, home)


def _agree(parts: Parts, messages: list[Message], final: bool, home: Home) -> None:
    ruleset = replace(loaded(parts), homes=Homes(other=home))
    resting = (rule if rule.acts else replace(rule, state="off") for rule in ruleset.rules)
    without = replace(ruleset, rules=tuple(resting))
    for message in messages:
        looked_up, asked = both(ruleset, message, final=final)
        assert looked_up == asked
        alone = judge(without, message, final=final)
        assert (alone.matches, alone.labels) == (asked.matches, asked.labels), "a rule in shadow is felt"
        assert [match.reason for match in looked_up.matches] == [match.reason for match in asked.matches]


@settings(max_examples=400, deadline=None)
@given(tree=TREES, message=MESSAGES, home=HOMES, few=FEW_LITERALS)
def test_no_rule_is_passed_over_that_is_not_certainly_false(
    tree: str, message: Message, home: Home, few: int
) -> None:
    asked = condition(tree, lists=LISTS)
    with patch("engine.rules.lookup.FEW", few):
        found = Index([asked.clues]).candidates(View(message, NOW, home=home))
    assert found or asked.judge(View(message, NOW, home=home)) is NOT_MATCHED


def test_the_examples_and_the_samples_agree() -> None:
    ruleset = load_rules(read_sources(ROOT / "rules"), None)
    for name, raw in sample_messages():
        message = from_raw(raw, key=name, labels=frozenset({"INBOX", "UNREAD"}), received=NOW)
        looked_up, asked = both(ruleset, message, final=True)
        assert looked_up == asked


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.is_dir(), reason="the outside mail corpus is not there")
def test_the_examples_and_real_mail_agree() -> None:
    ruleset = load_rules(read_sources(ROOT / "rules"), None)
    for archive in sorted(CORPUS.glob("*/messages.zip")):
        for one in islice(read_archive(archive), 50):
            message = from_raw(one.raw, key=one.name, labels=frozenset({"INBOX", "UNREAD"}), received=NOW)
            looked_up, asked = both(ruleset, message)
            assert looked_up == asked


def test_a_subject_that_is_encrypted_away_leaves_its_rule_open() -> None:
    headers = [f"- {{id: h{at}, when: {{header: {{name: X-{at}, is: x}}}}, stop: true}}" for at in range(20)]
    asks = "- {id: asks, when: {subject: x}, then: [{label: X}]}"
    ruleset = rules("\n".join(["rules:", *(f"  {line}" for line in [*headers, asks])]))
    looked_up, asked = both(ruleset, make_message(("X-Zoom-Encryption", "yes")))
    assert looked_up == asked
    assert [one.rule for one in looked_up.undecided] == ["asks"]


SECRETS = {
    "its subject too": ("X-Zoom-Encryption", "yes"),
    "PGP": ("Content-Type", "multipart/encrypted; protocol=x"),
    "in S/MIME, signed": ("Content-Type", "application/pkcs7-mime; smime-type=signed-data"),
}
PLAIN = st.sampled_from(
    [
        "{subject: invoice}",
        "{body: {contains: [straße, ab]}}",
        "{body: {exists: false}}",
        "{from: ann@x.example}",
    ]
)


@settings(max_examples=60, deadline=None)
@given(
    parts=st.lists(st.tuples(PLAIN | TREES, THEN, st.booleans(), st.just("default"), STATES), min_size=1),
    message=MESSAGES,
    secret=st.sampled_from(list(SECRETS.values())),
    final=st.booleans(),
)
def test_the_index_and_the_plain_loop_agree_on_encrypted_mail(
    parts: Parts, message: Message, secret: tuple[str, str], final: bool
) -> None:
    _agree(parts, [replace(message, _headers=Headers([("Subject", "Invoice"), secret]))], final, Home())


@pytest.mark.parametrize("labels", [("INBOX",), ("SPAM",)], ids=["in the inbox", "in spam"])
@pytest.mark.parametrize("final", [True, False], ids=["for good", "for now"])
@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_rules_stay_open_in_their_order_where_a_message_is_encrypted(
    secret: tuple[str, str], labels: tuple[str, ...], final: bool
) -> None:
    lines = [
        "- {id: a, when: {subject: x}, then: [{label: X}], state: shadow}",
        "- {id: A, when: {body: x}, then: [{label: X}], state: shadow}",
        "- {id: b, when: {all: [{body: x}, {from: ann@x.example}]}, then: [{label: X}]}",
        "- {id: c, when: {subject: {contains: y}}, then: [{label: X}]}",
        "- {id: C, when: {body: {exists: false}}, then: [{label: X}]}",
        "- {id: d, when: {body: z}, then: [{label: X}], stop: true, layer: before}",
        "- {id: E, when: {body: z}, then: [{label: X}], layer: before}",
        "- {id: f, when: {from: ann@x.example}, then: [{label: X}], stop: true}",
        "- {id: G, when: {body: z}, then: [{label: X}]}",
        "- {id: g, when: {subject: z}, then: [{label: X}]}",
    ]
    message = make_message(("From", "ann@x.example"), secret, labels=labels)
    looked_up, asked = both(rules("\n".join(["rules:", *lines])), message, final=final)
    assert looked_up == asked
    about_subjects = {"a", "c"} if secret == SECRETS["its subject too"] else set()
    about_bodies = set("AbCd") if final else set("AbCdE")
    found = set() if labels == ("SPAM",) else about_subjects | about_bodies
    assert [one.rule for one in looked_up.undecided] == [name for name in "dEaAbcC" if name in found]


def test_rules_about_a_text_that_was_not_fetched_wait_for_it() -> None:
    ruleset = rules("rules:\n- {id: a, when: {body: x}, then: [{label: X}]}")
    looked_up, asked = both(ruleset, replace(make_message(), _text=None))
    assert looked_up == asked
    assert [(one.rule, one.needs) for one in looked_up.undecided] == [("a", frozenset({Need.BODY}))]


def test_a_label_that_a_rule_plans_calls_later_rules_and_no_earlier_one() -> None:
    lines = [
        "- {id: early, when: {label: New}, then: [{label: E}]}",
        "- {id: sets, when: {subject: {contains: x}}, then: [{label: New}]}",
        "- {id: late, when: {label: New}, then: [{label: Newer}]}",
        "- {id: later, when: {label: Newer}, then: [{label: {remove: New}}]}",
        "- {id: gone, when: {label: New}, then: [{label: G}]}",
    ]
    looked_up, asked = both(rules("rules:\n" + "\n".join(lines)), make_message(("Subject", "x")))
    assert looked_up == asked
    assert matched(looked_up) == ["sets", "late", "later"]


KINDS = (
    "{{from: p{0}@nowhere.example}}",
    "{{from: '@d{0}.example'}}",
    "{{subject: {{contains: nothing{0}}}}}",
    "{{subject: {{regex: 'no{0}.*thing'}}}}",
    "{{header: {{name: X-{0}, contains: yes}}}}",
    "{{header: {{name: List-Id, is: l{0}}}}}",
    "{{label: L{0}}}",
    "{{all: [{{is: unread}}, {{size: {{gt: 1KB}}}}, {{attachment: {{name: {{glob: 'nothing{0}*.pdf'}}}}}}]}}",
    "{{any: [{{subject: {{starts_with: nothing{0}}}}}, {{cc: 'p{0}@nowhere.example'}}]}}",
)


def silent(count: int) -> RuleSet:
    """Rules of which none concerns the message, and one that does."""
    lines = ["rules:", "- {id: hears, when: {subject: {contains: hello}}, then: [{label: New}]}"]
    for number in range(count):
        when = KINDS[number % len(KINDS)].format(number)
        lines.append(f"- {{id: s{number}, when: {when}, then: [{{archive: true}}]}}")
    return rules("\n".join(lines))


@pytest.mark.parametrize("count", [20, 200, 2_000])
def test_rules_that_a_message_does_not_concern_are_not_asked(count: int) -> None:
    ruleset, asked = silent(count), 0

    def counted(view: View) -> Judged:
        nonlocal asked
        asked += 1
        return NOT_MATCHED

    for rule in ruleset.rules[1:]:
        rule.when.__dict__["judge"] = counted
    files = [Attachment("a.pdf", "application/pdf", 9_999)]
    message = make_message(
        ("Subject", "hello there"), ("From", "ann@x.example"), ("List-Id", "<l>"), size=9_999, files=files
    )
    assert matched(judge(ruleset, message)) == ["hears"]
    assert asked == 0


def test_what_cannot_be_read_leaves_its_rules_to_be_asked() -> None:
    looked_up, asked = both(silent(40), Message(key="k", labels=frozenset({"L6"})))
    assert looked_up == asked
    assert len(looked_up.undecided) > 20


def test_mailboxes_that_the_same_rules_hear_share_an_index() -> None:
    ruleset = rules(
        "rules:\n- {id: a, when: {subject: x}, then: [{archive: true}]}\n"
        "- {id: b, when: {subject: x}, then: [{archive: true}], mailboxes: ['*@b.example']}"
    )
    heard = [
        ruleset.audience(EventKind.MESSAGE_RECEIVED, f"{who}@{at}.example") for who in "xy" for at in "ab"
    ]
    assert heard[0] is heard[2]
    assert heard[1] is heard[3]
    assert [len(each.rules) for each in heard[:2]] == [1, 2]


@pytest.mark.parametrize("domain", [".x.example", "..x.example", "a..x.example"])
def test_a_domain_with_an_empty_label_is_looked_up_as_it_is_compared(domain: str) -> None:
    asked, view = (
        condition("{from: {domain: '*.x.example'}}"),
        View(make_message(("From", f"b@{domain}")), NOW),
    )
    assert asked.judge(view).verdict is Verdict.MATCHED
    assert Index([asked.clues]).candidates(view) == {0}


@settings(max_examples=200, deadline=None)
@given(
    text=st.from_regex(r"[A-Za-z0-9.+\"' @\t-]{0,12}@?[A-Za-z0-9. @-]{0,12}", fullmatch=True)
    | st.text(max_size=12)
)
def test_a_plain_address_compares_as_any_other(text: str) -> None:
    address = Address("", text)
    assert (Person(address).normal, Person(address).domain) == (address.normal, address.domain)


def test_the_oldest_audiences_are_forgotten_together() -> None:
    lines = [
        f"- {{id: r{n}, when: {{subject: x}}, then: [{{archive: true}}], mailboxes: [m{n}@*]}}"
        for n in range(5)
    ]
    ruleset = rules("rules:\n" + "\n".join(lines))
    with patch("engine.rules.audience.MAX_HELD", 3):
        for number in range(5):
            found = ruleset.listening(EventKind.MESSAGE_RECEIVED, f"m{number}@a.example")
            assert [rule.id for rule in found] == [f"r{number}"]
