"""Search lines, read and held against messages."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import Missing
from engine.mail.headers import Headers
from engine.mail.message import Message
from engine.mail.mime import from_raw
from engine.mail.query import (
    Age,
    AllOf,
    AnyOf,
    Date,
    Field,
    HasAttachment,
    HasUserLabel,
    Label,
    MessageId,
    Not,
    Query,
    Size,
    Words,
)
from engine.mail.search import MAX_DEPTH, MAX_LENGTH, MAX_TERMS, SearchError, matches, parse_search
from tests.growth import is_linear

A, B, C = Words("a"), Words("b"), Words("c")


@pytest.mark.parametrize(
    ("line", "query"),
    [
        pytest.param("", AllOf(()), id="nothing asks for everything"),
        pytest.param("a b", AllOf((A, B)), id="words stand for all of them"),
        pytest.param("a AND b", AllOf((A, B)), id="AND may be said"),
        pytest.param('"a b" c', AllOf((Words("a b"), C)), id="a phrase"),
        pytest.param("a OR b c", AllOf((AnyOf((A, B)), C)), id="OR binds closer than words in a row"),
        pytest.param("{a b}", AnyOf((A, B)), id="braces are any of them"),
        pytest.param("(a b) OR c", AnyOf((AllOf((A, B)), C)), id="brackets"),
        pytest.param("-a", Not(A), id="minus"),
        pytest.param("--a", A, id="minus twice"),
        pytest.param("-(a b)", Not(AllOf((A, B))), id="minus before brackets"),
        pytest.param(
            "a-b - c", AllOf((Words("a-b"), Words("-"), C)), id="a dash inside or alone is no minus"
        ),
        pytest.param("or and", AllOf((Words("or"), Words("and"))), id="small or and and are words"),
        pytest.param("from:a", Field("from", "a"), id="a field"),
        pytest.param("From: a", Field("from", "a"), id="a field in any case, with a blank"),
        pytest.param("-from:a", Not(Field("from", "a")), id="minus before a field"),
        pytest.param('subject:"a b"', Field("subject", "a b"), id="a phrase in a field"),
        pytest.param(
            "subject:{a b}", AnyOf((Field("subject", "a"), Field("subject", "b"))), id="a group in a field"
        ),
        pytest.param(
            "to:(a -b)", AllOf((Field("to", "a"), Not(Field("to", "b")))), id="minus inside a field"
        ),
        pytest.param("subject:re:hi", Field("subject", "re:hi"), id="a colon inside a field"),
        pytest.param("subject:-5", Field("subject", "-5"), id="a minus sign inside a field"),
        pytest.param(
            "http://x.example/(a)", AllOf((Words("http://x.example/"), A)), id="an address of the web"
        ),
        pytest.param("12:30", Words("12:30"), id="a time of day"),
        pytest.param("has:attachment", HasAttachment(), id="has:attachment"),
        pytest.param("label:Done", Label("Done"), id="a label"),
        pytest.param("{label:x label:y}", AnyOf((Label("x"), Label("y"))), id="labels in braces"),
        pytest.param("in:inbox", Label("INBOX"), id="in:inbox"),
        pytest.param("in:anywhere", AllOf(()), id="in:anywhere"),
        pytest.param("in:Clients", Label("Clients"), id="in: a label"),
        pytest.param("is:unread", Label("UNREAD"), id="is:unread"),
        pytest.param("is:read", Not(Label("UNREAD")), id="is:read"),
        pytest.param("larger:10M", Size(above=10_000_000), id="larger"),
        pytest.param("smaller:1.5KiB", Size(below=1_536), id="smaller, in powers of two"),
        pytest.param("size:500", Size(above=500), id="size in bytes"),
        pytest.param("after:2026/3/1", Date(since=datetime(2026, 3, 1, tzinfo=UTC)), id="a day with slashes"),
        pytest.param("before:2026-03-01", Date(until=datetime(2026, 3, 1, tzinfo=UTC)), id="an ISO day"),
        pytest.param(
            "after:2026-03-01T09:30:00Z",
            Date(since=datetime(2026, 3, 1, 9, 30, tzinfo=UTC)),
            id="an ISO time",
        ),
        pytest.param(
            "older:1700000000", Date(until=datetime.fromtimestamp(1_700_000_000, UTC)), id="epoch seconds"
        ),
        pytest.param("rfc822msgid:<a:b(c)@x>", MessageId("a:b(c)@x"), id="a Message-ID in brackets"),
        pytest.param("rfc822msgid:a@x", MessageId("a@x"), id="a Message-ID without"),
        pytest.param("category:Social", Label("CATEGORY_SOCIAL"), id="a category"),
        pytest.param("-has:nouserlabels", Not(Not(HasUserLabel())), id="labels that somebody made"),
        pytest.param(
            "after:03/31/2026",
            Date(since=datetime(2026, 3, 31, tzinfo=UTC)),
            id="a day as Americans write it",
        ),
        pytest.param("older_than:2d", Age(over=2 * 86_400), id="an age in days"),
        pytest.param("newer_than:1y", Age(under=365 * 86_400), id="an age in years"),
    ],
)
def test_reads_a_line(line: str, query: Query) -> None:
    assert parse_search(line) == query


@pytest.mark.parametrize(
    ("line", "column", "message"),
    [
        pytest.param("a form:b", 3, "unknown field 'form:'; did you mean 'from:'?", id="an unknown field"),
        pytest.param("zzz:b", 1, "unknown field 'zzz:'; put it in quotation marks", id="nothing like it"),
        pytest.param('a "b', 3, "the quotation mark is not closed", id="an open quote"),
        pytest.param("(a", 1, "'(' is not closed", id="an open bracket"),
        pytest.param("(a}", 1, "'(' is not closed", id="the wrong bracket"),
        pytest.param("a)", 2, "')' closes nothing", id="a bracket too many"),
        pytest.param("a ()", 3, "nothing stands in the brackets", id="empty brackets"),
        pytest.param("from:", 6, "a term is missing", id="an empty field"),
        pytest.param("a OR", 5, "a term is missing", id="nothing behind OR"),
        pytest.param("OR a", 1, "a term is missing", id="nothing before OR"),
        pytest.param("from:(to:a)", 7, "'to:' stands inside 'from:'", id="a field inside a field"),
        pytest.param("is:new", 4, "'is:' takes unread, read", id="an unknown state"),
        pytest.param("has:drive", 5, "'has:' takes attachment", id="an unknown thing to have"),
        pytest.param("category:x", 10, "'category:' takes primary", id="an unknown category"),
        pytest.param("older_than:1w", 12, "'1w' is no age", id="an age in weeks"),
        pytest.param("newer_than:0d", 12, "'0d' is no age", id="no age at all"),
        pytest.param("a AROUND 2 b", 3, "AROUND is not known", id="a distance"),
        pytest.param("larger:big", 8, "'big' is no size", id="no size"),
        pytest.param("after:soon", 7, "'soon' is no date", id="no date"),
        pytest.param("after:9999999999999", 7, "is no date", id="a date out of range"),
        pytest.param("(" * (MAX_DEPTH + 1), MAX_DEPTH + 1, "nested more than", id="too deep"),
        pytest.param("a " * (MAX_TERMS + 1), 2 * MAX_TERMS + 1, "at most 500 terms", id="too many terms"),
        pytest.param("a" * (MAX_LENGTH + 1), MAX_LENGTH + 1, "at most", id="too long"),
    ],
)
def test_names_the_column_of_a_mistake(line: str, column: int, message: str) -> None:
    with pytest.raises(SearchError, match=r"^column ") as caught:
        parse_search(line)
    assert caught.value.column == column
    assert message in caught.value.message


def test_ages_count_back_from_a_given_now() -> None:
    now = datetime(2026, 3, 31, 12, tzinfo=UTC)
    assert parse_search("older_than:1d", now=now) == Date(until=datetime(2026, 3, 30, 12, tzinfo=UTC))
    for age, wanted in ((23, True), (24, False), (25, False)):
        came = Message(key="k", received=now - timedelta(hours=age))
        assert matches(parse_search("newer_than:1d", now=now), came) is wanted
    fresh = Message(key="k")
    assert matches(parse_search("newer_than:1d -older_than:1d"), fresh)


@pytest.mark.parametrize(
    ("line", "floating"),
    [
        pytest.param("after:2026/03/31", True, id="a day"),
        pytest.param("after:2026-03-31T09:00:00+01:00", False, id="a time with its zone"),
        pytest.param("after:1700000000", False, id="epoch seconds"),
    ],
)
def test_a_date_without_a_zone_is_known_as_such(line: str, floating: bool) -> None:
    query = parse_search(line)
    assert isinstance(query, Date)
    assert query.floating is floating


def test_days_begin_in_the_given_zone() -> None:
    query = parse_search("after:2026/07/01", ZoneInfo("Europe/Berlin"))
    assert query == Date(since=datetime(2026, 6, 30, 22, tzinfo=UTC))


RAW = b"""\
From: Ann Doe <ann.doe@mail.partner.example>
To: support@acme.example, Bob <bob@acme.example>
Cc: =?utf-8?q?J=C3=BCrgen?= <j@acme.example>
Delivered-To: support@acme.example
Subject: Order #48211: =?utf-8?b?44OG44K544OI44Gn44GZ?=
Message-ID: <m1@partner.example>
List-ID: News <news.partner.example>
Date: Tue, 31 Mar 2026 09:00:00 +0200
Content-Type: multipart/mixed; boundary=b

--b

Hello Stra\xc3\x9fe, the invoice_total is 10.50
--b
Content-Type: application/pdf; name="Report_2026-03.pdf"

%PDF-1.4
--b--
"""
MESSAGE = from_raw(RAW, key="k", labels=frozenset({"INBOX", "STARRED", "Clients/Big Ones"}))


@pytest.mark.parametrize(
    "line",
    [
        *(
            "hello",
            "HELLO strasse",
            '"hello strasse"',
            "order 48211",
            "jürgen",
            "ju\u0308rgen",
            "report",
            "total",
        ),
        *(
            "テスト",
            "スト",
            '"10.50"',
            "- !",
            "from:ann",
            'from:"ann doe"',
            "from:ann.doe@mail.partner.example",
        ),
        *(
            "from:ANN.DOE@Mail.Partner.Example",
            "from:partner.example",
            "from:@mail.partner.example",
            "from:doe",
        ),
        *("to:bob", "to:acme.example", "cc:jürgen", "deliveredto:support@acme.example", "subject:order"),
        *(
            'subject:"order #48211"',
            "filename:pdf",
            "filename:report",
            'filename:"report 2026"',
            "has:attachment",
        ),
        *(
            "label:clients/big-ones",
            'label:"Clients/Big Ones"',
            "label:Clients-Big-Ones",
            "in:inbox",
            "is:starred",
        ),
        *("is:read", "in:anywhere", "larger:100", "smaller:1M", "after:2026/03/31", "before:2026/04/01"),
        *(
            "after:2026-03-31T07:00:00Z",
            "rfc822msgid:m1@partner.example",
            "list:news.partner.example",
            "-nothing",
        ),
        *(
            "{nothing hello}",
            "nothing OR hello",
            "hello -(nothing from:ann)",
            "",
            "ann.doe@mail.partner.example",
        ),
    ],
)
def test_finds(line: str) -> None:
    assert matches(parse_search(line), MESSAGE)


@pytest.mark.parametrize(
    "line",
    [
        *(
            "hell",
            '"strasse hello"',
            "order nothing",
            "from:bob",
            "from:artner.example",
            "from:@partner.example",
        ),
        *("from:doe@mail.partner.example", "from:partner.example.evil", "to:ann", "bcc:bob", "subject:hello"),
        *(
            "filename:doc",
            "label:clients",
            "in:trash",
            "is:unread",
            "is:important",
            "larger:1M",
            "smaller:100",
        ),
        *("after:2026/04/01", "before:2026/03/31", "before:2026-03-31T07:00:00Z", "rfc822msgid:m1", "-hello"),
        *('"48211 hello"', "{x y}", "rfc822msgid:M1@partner.example"),
    ],
)
def test_does_not_find(line: str) -> None:
    assert not matches(parse_search(line), MESSAGE)


def test_the_time_of_arrival_counts_before_the_date_field() -> None:
    came = from_raw(RAW, key="k", received=datetime(2026, 5, 1, tzinfo=UTC))
    assert matches(parse_search("after:2026/05/01"), came)
    dateless = from_raw(b"Subject: x\n\n", key="k")
    assert not matches(parse_search("after:1990/01/01"), dateless)
    assert not matches(parse_search("before:2990/01/01"), dateless)


def test_what_is_not_known_is_no_answer() -> None:
    bare = Message(key="k", labels=frozenset({"INBOX"}), _headers=Headers([("Subject", "x")]))
    assert matches(parse_search("in:inbox subject:x"), bare)
    assert not matches(parse_search("in:trash hello"), bare)
    with pytest.raises(Missing):
        matches(parse_search("hello"), bare)


TEXTS = st.text(st.characters(blacklist_characters='"', blacklist_categories=["Cs"]), min_size=1, max_size=12)
DATES = st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
LEAVES = st.one_of(
    TEXTS.map(Words),
    st.builds(Field, st.sampled_from(["from", "to", "cc", "bcc", "subject", "filename", "list"]), TEXTS),
    TEXTS.map(Label),
    st.just(HasAttachment()),
    st.integers(0, 10**14).map(lambda size: Size(above=size)),
    st.integers(0, 10**14).map(lambda size: Size(below=size)),
    DATES.map(lambda date: Date(since=date)),
    DATES.map(lambda date: Date(until=date)),
    st.from_regex(r"[a-z0-9]{1,9}@[a-z]{1,9}", fullmatch=True).map(MessageId),
)


def _nodes(inner: st.SearchStrategy[Query]) -> st.SearchStrategy[Query]:
    several = st.lists(inner, min_size=2, max_size=4).map(tuple)
    return (
        several.map(AllOf) | several.map(AnyOf) | inner.filter(lambda one: not isinstance(one, Not)).map(Not)
    )


def written(query: Query) -> str:
    match query:
        case AllOf(queries):
            return f"({' '.join(map(written, queries))})"
        case AnyOf(queries):
            return f"{{{' '.join(map(written, queries))}}}"
        case Not(inner):
            return f"-{written(inner)}"
        case _:
            return written_term(query)


def written_term(query: Query) -> str:
    match query:
        case Words(text):
            return f'"{text}"'
        case Field(name, text):
            return f'{name}:"{text}"'
        case Label(name):
            return f'label:"{name}"'
        case Size(above, below):
            return f"larger:{above}" if below is None else f"smaller:{below}"
        case Date(since, until):
            return f"after:{since.isoformat()}" if since else f"before:{until.isoformat() if until else ''}"
        case MessageId(name):
            return f"rfc822msgid:{name}"
        case _:
            return "has:attachment"


@given(st.recursive(LEAVES, _nodes, max_leaves=12))
def test_a_query_written_down_is_read_back(query: Query) -> None:
    assert parse_search(written(query)) == query


@given(st.text(max_size=80) | st.text('a:(){}"- ORfromis', max_size=60))
def test_any_line_is_a_query_or_a_mistake_with_its_column(line: str) -> None:
    query: Query | None = None
    column = 1
    try:
        query = parse_search(line)
    except SearchError as error:
        column = error.column
    assert 1 <= column <= len(line) + 1
    assert query is None or matches(query, MESSAGE) in (True, False)


@pytest.mark.parametrize(
    "piece", ["(", "{", "()", "-", "a OR ", "from:", '""', "from:(", "subject:a:", "x", " "]
)
def test_reading_is_linear(piece: str) -> None:
    def read(size: int) -> None:
        with suppress(SearchError):
            parse_search(piece * (size // len(piece)))

    assert is_linear(read, 50_000)
