"""Each test of Sieve as the condition that it becomes, and what cannot be asked."""

from __future__ import annotations

from typing import Any

import pytest

from tests.imports.translating import condition_of, imported, losses


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        pytest.param('header :is "X-A" "b"', {"header": {"name": "X-A", "is": "b"}}, id="a whole header"),
        pytest.param(
            'header "subject" ["a", "b"]', {"subject": {"is": ["a", "b"]}}, id="the subject, one of two"
        ),
        pytest.param(
            'header :contains "X-A" ""',
            {"header": {"name": "X-A", "exists": "true"}},
            id="nothing is in every text",
        ),
        pytest.param(
            'header :matches "X-A" "a*"', {"header": {"name": "X-A", "starts_with": "a"}}, id="a beginning"
        ),
        pytest.param(
            'header :matches "X-A" "*a"', {"header": {"name": "X-A", "ends_with": "a"}}, id="an end"
        ),
        pytest.param(
            'header :matches "X-A" "*a*"', {"header": {"name": "X-A", "contains": "a"}}, id="a part"
        ),
        pytest.param(
            'header :matches "X-A" "*"', {"header": {"name": "X-A", "exists": "true"}}, id="anything"
        ),
        pytest.param(
            'header :matches "X-A" "a?b*"', {"header": {"name": "X-A", "glob": "a?b*"}}, id="wildcards within"
        ),
        pytest.param(
            r'header :matches "X-A" "\\*a"',
            {"header": {"name": "X-A", "is": "*a"}},
            id="a wildcard made literal",
        ),
        pytest.param(
            'header :contains ["X-A", "X-B"] "c"',
            {
                "any": [
                    {"header": {"name": "X-A", "contains": "c"}},
                    {"header": {"name": "X-B", "contains": "c"}},
                ]
            },
            id="one of two headers",
        ),
        pytest.param(
            'header :matches "X-A" ["a*", "b*", "*c*"]',
            {
                "any": [
                    {"header": {"name": "X-A", "starts_with": ["a", "b"]}},
                    {"header": {"name": "X-A", "contains": "c"}},
                ]
            },
            id="patterns of two kinds",
        ),
        pytest.param(
            'header :is :comparator "i;octet" "X-A" "a.B"',
            {"header": {"name": "X-A", "regex": r"(?s)\Aa\.B\z"}},
            id="case counts",
        ),
        pytest.param(
            'header :regex "X-A" "[.]a$"',
            {"header": {"name": "X-A", "regex": "(?is)[.]a$"}},
            id="a POSIX pattern",
        ),
        pytest.param(
            'header :value "ge" :comparator "i;ascii-numeric" "X-A" "5"',
            {
                "header": {
                    "name": "X-A",
                    "regex": r"\A0*(?:[1-9][0-9]{1,}|[6-9]|5)(?:[^0-9]|\z)|\A(?:[^0-9]|\z)",
                }
            },
            id="a number at least as large",
        ),
        pytest.param(
            'header :count "ge" "X-A" "1"', {"header": {"name": "X-A", "exists": "true"}}, id="once at least"
        ),
        pytest.param(
            'header :count "eq" "X-A" "0"',
            {"not": {"header": {"name": "X-A", "exists": "true"}}},
            id="not once",
        ),
        pytest.param(
            'exists ["X-A", "subject"]',
            {"all": [{"header": {"name": "X-A", "exists": "true"}}, {"subject": {"exists": "true"}}]},
            id="all are there",
        ),
        pytest.param('address "from" "a@x.example"', {"from": {"is": "a@x.example"}}, id="an address"),
        pytest.param(
            'address "reply-to" "a@x.example"', {"reply_to": {"is": "a@x.example"}}, id="where answers go"
        ),
        pytest.param(
            'address "from" "MAILER-DAEMON"',
            {"from": {"glob": "MAILER-DAEMON"}},
            id="an address without a domain",
        ),
        pytest.param(
            'address :matches "to" "*@x.example"', {"to": {"domain": "x.example"}}, id="everybody at a domain"
        ),
        pytest.param(
            'address :contains "cc" "x.exa"', {"cc": {"glob": "*x.exa*"}}, id="a part of an address"
        ),
        pytest.param('address :domain "from" "x.example"', {"from": {"domain": "x.example"}}, id="a domain"),
        pytest.param(
            'address :domain :matches "from" "*.x.example"',
            {"from": {"domain": "*.x.example"}},
            id="domains below",
        ),
        pytest.param(
            'address :domain :matches "from" "*x.example"',
            {"from": {"glob": "*@*x.example"}},
            id="domains that end so",
        ),
        pytest.param(
            'address :localpart "from" "no-reply"', {"from": {"glob": "no-reply@*"}}, id="a local part"
        ),
        pytest.param(
            'address :detail "to" "shop"',
            {"to": {"regex": r"(?is)\A[^+@]*\+shop@[^@]*\z"}},
            id="what stands behind a plus",
        ),
        pytest.param(
            'address :user "to" "info"',
            {"to": {"regex": r"(?is)\Ainfo(?:\+[^@]*)?@[^@]*\z"}},
            id="what stands before a plus",
        ),
        pytest.param(
            'address ["Delivered-To", "X-Original-To"] "a@x.example"',
            {"address": {"header": ["Delivered-To", "X-Original-To"], "is": "a@x.example"}},
            id="header fields without a condition of their own",
        ),
        pytest.param(
            'envelope "from" "a@x.example"',
            {
                "any": [
                    {"address": {"header": "Return-Path", "is": "a@x.example"}},
                    {
                        "all": [
                            {"not": {"address": {"header": "Return-Path", "glob": "*@*"}}},
                            {"sender": {"is": "a@x.example"}},
                        ]
                    },
                ]
            },
            id="the envelope's sender",
        ),
        pytest.param(
            'envelope "to" "a@x.example"', {"recipient": {"is": "a@x.example"}}, id="the envelope's recipient"
        ),
        pytest.param("size :over 100K", {"size": {"gt": "100KiB"}}, id="larger than"),
        pytest.param("size :under 1500", {"size": {"lt": "1500B"}}, id="smaller than"),
        pytest.param('body :contains "a"', {"body": {"contains": "a"}}, id="the text"),
        pytest.param('not exists "X-A"', {"not": {"header": {"name": "X-A", "exists": "true"}}}, id="not"),
        pytest.param(
            'not anyof (exists "X-A", size :over 1K)',
            {"none": [{"header": {"name": "X-A", "exists": "true"}}, {"size": {"gt": "1KiB"}}]},
            id="none",
        ),
        pytest.param(
            "allof (true, size :over 1K, not false)",
            {"size": {"gt": "1KiB"}},
            id="what is always true is left out",
        ),
        pytest.param(
            'currentdate :value "ge" "date" "2026-03-01"',
            {"received": {"after": "2026-03-01"}},
            id="since a day",
        ),
        pytest.param(
            'currentdate :value "gt" "date" "2026-03-01"',
            {"received": {"after": "2026-03-02"}},
            id="after a day",
        ),
        pytest.param(
            'currentdate :value "lt" "year" "2027"',
            {"received": {"before": "2027-01-01"}},
            id="before a year",
        ),
        pytest.param(
            'currentdate "weekday" ["0", "6"]',
            {"received": {"weekday": ["sun", "sat"]}},
            id="days of the week",
        ),
        pytest.param(
            'date :zone "+0100" :value "ge" "received" "hour" "22"',
            {"received": {"between": ["22:00-23:00", "23:00-24:00"], "timezone": "Etc/GMT-1"}},
            id="hours in a time zone",
        ),
        pytest.param("duplicate", {"duplicate": {"by": "message_id", "within": "7d"}}, id="seen before"),
        pytest.param(
            'duplicate :header "X-Id" :seconds 60',
            {"duplicate": {"by": {"header": "X-Id"}, "within": "60s"}},
            id="seen before by a header",
        ),
        pytest.param('spamtest :value "ge" :comparator "i;ascii-numeric" "5"', {"label": "SPAM"}, id="spam"),
        pytest.param(
            'anyof (mailboxexists "X", false, size :over 1K)',
            None,
            id="a label is there as soon as it is wanted",
        ),
    ],
)
def test_a_test_becomes_a_condition(test: str, expected: Any) -> None:
    if expected is None:
        assert "when" not in imported(f'if {test} {{ fileinto "X"; }}').rules[0]
    else:
        assert condition_of(test) == expected


@pytest.mark.parametrize(
    ("test", "said"),
    [
        pytest.param('header :index 1 "a" "b"', "':index' has no equivalent", id="which of several headers"),
        pytest.param('header :list "from" ":addrbook:me"', "the address book", id="an address book"),
        pytest.param(r'header :regex "a" "(a)\\1"', "RE2 has no back-reference", id="a back-reference"),
        pytest.param('header :regex "a" "(?=a)"', "'(?' is not POSIX", id="what POSIX lacks"),
        pytest.param('header :value "gt" "a" "b"', "the order of texts", id="the order of texts"),
        pytest.param('header :count "ge" "a" "3"', "only whether", id="how often"),
        pytest.param('body :raw :contains "a"', "not raw", id="the raw body"),
        pytest.param('date "date" "hour" "10"', "of the arrival alone", id="when it was written"),
        pytest.param('currentdate "minute" "1"', "the 'minute' of a time", id="minutes"),
        pytest.param('environment "host" "a"', "surroundings", id="the server"),
        pytest.param('virustest :value "ge" "1"', "viruses", id="viruses"),
        pytest.param('envelope "auth" "a"', "does not tell the envelope's 'auth'", id="who logged in"),
        pytest.param("hasexpiration", "messages do not expire", id="a vendor's own"),
    ],
)
def test_what_cannot_be_asked_is_named_with_its_line(test: str, said: str) -> None:
    script = f'keep;\nif {test} {{ fileinto "X"; }}'
    (loss,) = losses(script)
    assert loss.startswith("my.sieve:2:4: ")
    assert said in loss
    assert imported(script).rules == ()


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        pytest.param('not header :list "from" "me"', None, id="neither it nor its contrary holds"),
        pytest.param(
            'anyof (header :list "from" "me", size :over 1K)',
            {"size": {"gt": "1KiB"}},
            id="the rest of an anyof holds",
        ),
        pytest.param(
            'not allof (header :list "from" "me", size :over 1K)',
            {"not": {"size": {"gt": "1KiB"}}},
            id="the rest of its contrary",
        ),
        pytest.param('allof (header :list "from" "me", size :over 1K)', None, id="nothing of an allof holds"),
    ],
)
def test_what_depends_on_the_unknown_is_left_out(test: str, expected: Any) -> None:
    if expected is None:
        assert imported(f'if {test} {{ fileinto "X"; }}').rules == ()
    else:
        assert condition_of(test) == expected
