"""Search lines as conditions: they mean what the mailbox's own search means, the unknown included."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.mail.headers import Headers
from engine.mail.message import Attachment, Message
from engine.mail.needs import Need
from engine.mail.query import Query
from engine.mail.search import SearchError, matches, parse_search
from engine.mail.search_lexer import FIELDS as OPERATORS
from engine.rules.condition import NOT_MATCHED
from engine.rules.evaluation import Verdict
from engine.rules.home import Home
from engine.rules.index import Index
from engine.rules.reasons import reason_of
from engine.rules.searching import conditions_of
from engine.rules.view import View
from tests.growth import is_linear
from tests.mail.test_search import LEAVES, MESSAGE, _nodes
from tests.rules.making import NOW, condition, holds, judge, make_message, matched, rules

MAIL = make_message(
    ("From", "Ann Doe <ann.doe@mail.partner.example>"),
    ("To", "support@acme.example, Bob <bob@acme.example>"),
    ("Subject", "Order #48211: Straße"),
    ("Message-ID", "<m1@partner.example>"),
    ("List-ID", "News <news.partner.example>"),
    labels=["INBOX", "UNREAD", "Clients/Big Ones"],
    size=1_500_000,
    text="Hello, the invoice_total is 10.50",
    files=[Attachment("Report_2026-03.pdf", "application/pdf", 9, "", "")],
)
FOUND = [
    "from:ann has:attachment larger:1M -label:done",
    "from:ann.doe@mail.partner.example",
    "from:partner.example",
    "to:me",
    "-from:me",
    '"order 48211"',
    '{nothing "invoice total"}',
    "(subject:strasse OR subject:nothing) filename:pdf",
    "subject:(order strasse)",
    "label:clients-big-ones is:unread in:inbox",
    "has:userlabels",
    "list:news.partner.example",
    "rfc822msgid:m1@partner.example",
    "newer_than:1d",
    "-older_than:1d",
    "after:2026/03/01",
    "after:03/01/2026 before:2026/3/2",
    "smaller:2M size:1000",
    "in:anywhere",
    "-in:archive",
    "-category:social",
    "report",
    "bob",
]
NOT_FOUND = [
    "hell",
    "-hello",
    "from:bob",
    "label:done",
    "has:nouserlabels",
    "is:starred",
    "category:social",
    "in:archive",
    "older_than:1d",
    "before:2026/03/01",
    "subject:hello",
    "larger:2M",
    "from:me",
]


@pytest.mark.parametrize("line", FOUND)
def test_a_line_holds(line: str) -> None:
    assert holds(f"query: '{line}'", MAIL)


@pytest.mark.parametrize("line", NOT_FOUND)
def test_a_line_does_not_hold(line: str) -> None:
    assert not holds(f"query: '{line}'", MAIL)


WRONG = [
    pytest.param("''", "asks nothing", id="an empty line"),
    pytest.param("'form:ann'", "did you mean 'from:'?", id="a misspelt field"),
    pytest.param(
        "'from:ann has:drive'", "at sign 14 of the line: 'has:' takes attachment", id="what is not known"
    ),
    pytest.param("'a AROUND 3 b'", "AROUND is not known", id="a distance"),
    pytest.param("'older_than:2w'", "is no age of at most ten years", id="weeks, which Gmail has not"),
    pytest.param("'older_than:99y'", "is no age of at most ten years", id="a very long age"),
    pytest.param("'(a'", "'(' is not closed", id="an open bracket"),
    pytest.param("'larger:1X'", "is no size", id="no size"),
    pytest.param("'after:0001-01-01'", "of the line is out of range", id="a date out of range"),
    pytest.param("'category:work'", "'category:' takes primary, social", id="no category"),
]


@pytest.mark.parametrize(("line", "said"), WRONG)
def test_a_mistake_in_a_line_is_named(line: str, said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        condition(f"query: {line}")
    assert said in str(caught.value)


def test_days_begin_in_the_mailboxes_zone() -> None:
    came = replace(MAIL, received=datetime(2026, 6, 30, 23, tzinfo=UTC))
    asked = condition("query: 'after:2026/07/01'")
    berlin = Home(zone=ZoneInfo("Europe/Berlin"))
    assert asked.judge(View(came, NOW)).verdict is Verdict.NOT_MATCHED
    assert asked.judge(View(came, NOW, home=berlin)).verdict is Verdict.MATCHED
    exact = condition("query: 'after:2026-07-01T00:00:00Z'")
    assert exact.judge(View(came, NOW, home=berlin)).verdict is Verdict.NOT_MATCHED


def test_what_is_not_fetched_is_fetched_only_if_it_decides() -> None:
    head = replace(MAIL, _text=None, _attachments=None)
    assert condition("query: order").judge(View(head, NOW)).verdict is Verdict.MATCHED
    asked = condition("query: '-hello from:ann'").judge(View(head, NOW))
    assert (asked.verdict, asked.needs) == (
        Verdict.UNDECIDED,
        frozenset({Need.BODY, Need.ATTACHMENTS}),
    )
    assert condition("query: 'hello from:bob'").judge(View(head, NOW)) is NOT_MATCHED


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        pytest.param("in:spam", ["r"], id="in:spam"),
        pytest.param("in:anywhere order", ["r"], id="in:anywhere"),
        pytest.param("order", [], id="nothing said of spam"),
        pytest.param("-in:spam", [], id="not in spam"),
    ],
)
def test_mail_in_spam_reaches_a_line_that_says_so(line: str, wanted: list[str]) -> None:
    ruleset = rules(f"rules:\n  - {{id: r, when: {{query: '{line}'}}, then: [{{archive: true}}]}}")
    assert matched(judge(ruleset, replace(MAIL, labels=frozenset({"SPAM"})))) == wanted


def test_planned_labels_are_seen() -> None:
    ruleset = rules(
        "rules:\n"
        "  - {id: a, when: {query: 'subject:order'}, then: [{label: Big Work}]}\n"
        "  - {id: b, when: {query: 'label:big-work'}, then: [{archive: true}]}\n"
    )
    assert matched(judge(ruleset, MAIL)) == ["a", "b"]


QUERIES = st.recursive(LEAVES, _nodes, max_leaves=8)
TEXTS = st.sampled_from(
    ["order 12", "invoice_total", "Straße", "テスト", "abc テスト", "İx", "e\u0301", "a.b", "", "x"]
)
PEOPLE = st.sampled_from(
    [
        "Ann <ann@x.example>",
        "order <a.b@y.x.example>",
        "b@b\u00fccher.example",
        "ABC@xn--bcher-kva.example",
        "x",
        "",
    ]
)
FIELDS = st.one_of(
    st.tuples(st.sampled_from(["Subject", "List-ID"]), TEXTS),
    st.tuples(st.sampled_from(["From", "To", "Cc", "Bcc", "Delivered-To"]), PEOPLE),
    st.just(("Message-ID", "<abc@x>")),
)
MESSAGES = st.builds(
    Message,
    key=st.just("k"),
    mailbox=st.just("ann@x.example"),
    labels=st.sets(st.sampled_from(["INBOX", "UNREAD", "a b", "X/y"])).map(frozenset),
    received=st.sampled_from([NOW, datetime(1999, 1, 1, tzinfo=UTC)]),
    _headers=st.lists(FIELDS, max_size=4, unique_by=lambda field: field[0]).map(Headers),
    _size=st.sampled_from([0, 10, 10**9]),
    _text=TEXTS,
    _attachments=st.lists(st.builds(Attachment, TEXTS, st.just("x/y"), st.just(1)), max_size=2).map(tuple),
)
LINES = st.lists(
    st.tuples(
        st.sampled_from(
            ["", "from:", "to:", "subject:", "filename:", "list:", "label:", "-", "-from:", "rfc822msgid:"]
        ),
        st.sampled_from(
            ["order", '"order 12"', "x.example", "@x.example", "ann@x.example", "me", "bücher.example", "abc"]
        ),
    ).map("".join),
    min_size=1,
    max_size=4,
).map(" ".join)


@settings(max_examples=200, deadline=None)
@given(query=QUERIES | LINES.map(parse_search), message=MESSAGES)
def test_the_conditions_mean_what_a_search_means(query: Query, message: Message) -> None:
    asked = conditions_of(query)
    view = View(message, NOW)
    wanted = matches(query, message)
    assert asked.judge(view).verdict is (Verdict.MATCHED if wanted else Verdict.NOT_MATCHED)
    assert reason_of(asked, view, "when").text
    found = Index([asked.clues]).candidates(View(message, NOW))
    assert found or not wanted


@settings(max_examples=100, deadline=None)
@given(query=QUERIES | LINES.map(parse_search), message=MESSAGES, lost=st.sets(st.sampled_from(list(Need))))
def test_a_verdict_on_a_part_stands_when_more_is_known(
    query: Query, message: Message, lost: set[Need]
) -> None:
    asked = conditions_of(query)
    poor = replace(
        message,
        _headers=None if Need.HEADERS in lost else message._headers,
        _size=None if Need.HEADERS in lost else message._size,
        _text=None if Need.BODY in lost else message._text,
        _attachments=None if Need.ATTACHMENTS in lost else message._attachments,
    )
    early = asked.judge(View(poor, NOW))
    if early.verdict is Verdict.UNDECIDED:
        assert early.needs <= asked.needs
        assert early.needs
    else:
        assert early.verdict is asked.judge(View(message, NOW)).verdict


def test_the_document_names_every_operator_and_its_example_loads() -> None:
    text = (Path(__file__).parent.parent.parent / "docs" / "search.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ((?:`\w+:` ?)+)\|", text, re.MULTILINE)
    assert sorted(field for row in rows for field in re.findall(r"`(\w+):`", row)) == sorted(OPERATORS)
    (example,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert [rule.id for rule in rules(example).rules] == ["big-orders"]


@pytest.mark.parametrize("piece", ["from:a@b ", "(a ", "-a ", "{a b} ", "label:x ", "a-", '"a b" '])
def test_reading_and_asking_a_line_is_linear(piece: str) -> None:
    def ask(size: int) -> None:
        with suppress(SearchError):
            conditions_of(parse_search(piece * (size // len(piece)))).judge(View(MESSAGE, NOW))

    assert is_linear(ask, 2_000)


@pytest.mark.parametrize("text", ["a ", "テ", "e\u0301", "a_", "- "])
def test_asking_a_long_message_is_linear(text: str) -> None:
    asked = condition("query: '\"x y z\" subject:nothing from:nobody'")

    def ask(size: int) -> None:
        whole = text * (size // len(text))
        message = make_message(("Subject", whole), ("From", whole), text=whole)
        asked.judge(View(message, NOW))

    assert is_linear(ask, 20_000)
