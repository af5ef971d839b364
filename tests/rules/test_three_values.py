"""Missing parts: unknown is neither yes nor no, and a decided verdict stays."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import Unreadable
from engine.mail.headers import Headers
from engine.mail.message import Attachment, Message
from engine.mail.needs import Need
from engine.rules.evaluation import Verdict
from engine.rules.view import View
from tests.rules.making import NOW, condition, judge, judged, make_message, matched, rules

BARE = Message(key="k", mailbox="support@acme.example", labels=frozenset({"INBOX"}))
SUBJECT, FILE, LABEL, AWAY = "{subject: x}", "{attachment: true}", "{label: INBOX}", "{label: No}"

UNKNOWN = [
    pytest.param(f"all: [{LABEL}, {SUBJECT}]", {Need.HEADERS}, id="all, with one unknown"),
    pytest.param(
        f"all: [{SUBJECT}, {FILE}]", {Need.HEADERS, Need.ATTACHMENTS}, id="every open branch is named"
    ),
    pytest.param(
        f"any: [{AWAY}, {SUBJECT}, {FILE}]", {Need.HEADERS, Need.ATTACHMENTS}, id="any, with two unknown"
    ),
    pytest.param(f"not: {SUBJECT}", {Need.HEADERS}, id="not of unknown is unknown"),
    pytest.param(f"none: [{AWAY}, {FILE}]", {Need.ATTACHMENTS}, id="none, with one unknown"),
    pytest.param("is: [starred, reply]", {Need.HEADERS}, id="of facts, one unknown"),
]
KNOWN = [
    pytest.param(f"all: [{SUBJECT}, {AWAY}]", Verdict.NOT_MATCHED, id="one no decides all"),
    pytest.param(f"any: [{SUBJECT}, {LABEL}]", Verdict.MATCHED, id="one yes decides any"),
    pytest.param(f"none: [{SUBJECT}, {LABEL}]", Verdict.NOT_MATCHED, id="one yes decides none"),
    pytest.param(f"not: {{all: [{FILE}, {AWAY}]}}", Verdict.MATCHED, id="a no below a not"),
]


@pytest.mark.parametrize(("asked", "needs"), UNKNOWN)
def test_undecided_names_what_to_fetch(asked: str, needs: set[Need]) -> None:
    found = judged(asked, BARE)
    assert (found.verdict, found.needs) == (Verdict.UNDECIDED, frozenset(needs))
    assert found.why


@pytest.mark.parametrize(("asked", "verdict"), KNOWN)
def test_what_decides_decides_whatever_is_unknown(asked: str, verdict: Verdict) -> None:
    assert judged(asked, BARE).verdict is verdict


def test_a_declared_type_decides_alone_and_else_the_bytes_are_needed() -> None:
    unread = make_message(files=[Attachment("a", "application/pdf", 1)])
    assert judged("attachment: {type: pdf}", unread).verdict is Verdict.MATCHED
    asked = judged("attachment: {type: zip}", unread)
    assert (asked.verdict, asked.needs) == (Verdict.UNDECIDED, frozenset({Need.CONTENT}))
    assert judged("attachment: {type: zip, size: {gt: 1MB}}", unread).verdict is Verdict.NOT_MATCHED


def test_what_can_never_be_read_asks_for_no_fetch() -> None:
    broken = replace(make_message(), unreadable=((Need.ATTACHMENTS, "encrypted"),))
    found = judged("attachment: true", broken)
    assert (found.verdict, found.needs) == (Verdict.UNDECIDED, frozenset())
    assert "encrypted" in found.why


def test_bytes_that_can_never_be_read_ask_for_no_fetch() -> None:
    files = [Attachment("a", "application/x", 1)]
    broken = replace(make_message(files=files), unreadable=((Need.CONTENT, "encrypted"),))
    assert judged("attachment: {type: zip}", broken).needs == frozenset()


def test_an_error_while_judging_is_undecided_also_below_a_not(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: View) -> Any:
        raise ZeroDivisionError("secret text")

    monkeypatch.setattr(View, "header", lambda view, _name: fail(view))
    found = condition("not: {subject: x}").judge(View(make_message(), NOW))
    assert found.verdict is Verdict.UNDECIDED
    assert "ZeroDivisionError" in found.why
    assert "secret" not in found.why


def test_unreadable_is_told_from_missing() -> None:
    error = View(replace(BARE, unreadable=((Need.CONTENT, "encrypted"),)), NOW).content_missing()
    assert isinstance(error, Unreadable)


CAPTURING = """
rules:
  - id: r
    when:
      any:
        - attachment: {name: {regex: '(?P<number>\\d+)'}}
        - subject: {regex: '(?P<number>\\d+)'}
    then: [{label: 'N/{{ captures.number }}'}]
"""


def test_a_match_waits_while_an_earlier_branch_could_capture_something_else() -> None:
    message = replace(make_message(("Subject", "7")), _attachments=None)
    first = judge(rules(CAPTURING), message)
    assert first.needs == {Need.ATTACHMENTS}
    assert not first.matches
    whole = replace(message, _attachments=(Attachment("8.txt", "text/plain", 1),))
    assert judge(rules(CAPTURING), whole).labels.add == ("N/8",)


def test_such_a_match_stands_when_nothing_more_can_be_had() -> None:
    message = replace(make_message(("Subject", "7")), _attachments=None)
    assert matched(judge(rules(CAPTURING), message, final=True)) == ["r"]


LEAVES = st.sampled_from(
    [
        "{subject: {regex: '(?P<a>x)'}}",
        "{subject: y}",
        "{from: '@x.example'}",
        "{label: INBOX}",
        "{label: Work}",
        "{attachment: {type: pdf}}",
        "{attachment: {type: image/*, size: {gt: 1KB}}}",
        "{attachment: {name: {regex: '(?P<a>.)'}}}",
        "{attachment: false}",
        "{size: {gt: 1KB}}",
        "{is: [unread, reply, calendar]}",
        "{automated: true}",
        "{header: {name: X-A, exists: false}}",
        "{body: {regex: '(?P<a>[a-z])'}}",
        "{attachments: {count: {lt: 2}}}",
        "{attachments: {total_size: {gt: 1KB}}}",
        "{list_id: l}",
        "{sender: '@x.example'}",
        "{received: {newer_than: 1d}}",
        "{auth: {dmarc: pass}}",
    ]
)


def _nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    several = st.tuples(st.sampled_from(["all", "any", "none"]), st.lists(inner, min_size=1, max_size=3))
    return several.map(lambda pair: f"{{{pair[0]}: [{', '.join(pair[1])}]}}") | inner.map(
        lambda one: f"{{not: {one}}}"
    )


TREES = st.recursive(LEAVES, _nested, max_leaves=8)
FILES = st.lists(
    st.builds(
        Attachment,
        name=st.sampled_from(["a.pdf", "x"]),
        type=st.sampled_from(["application/pdf", "image/png", "application/octet-stream"]),
        size=st.sampled_from([1, 5_000]),
        sniffed=st.sampled_from(["", "application/pdf", "image/png"]),
        sha256=st.just("00" * 32),
    ),
    max_size=3,
).map(tuple)
HEADERS = st.lists(
    st.sampled_from(
        [
            ("Subject", "x"),
            ("Subject", "y"),
            ("From", "a@x.example"),
            ("In-Reply-To", "<a@b>"),
            ("List-Id", "<l>"),
            ("X-A", "1"),
        ]
    ),
    max_size=4,
).map(Headers)
MESSAGES = st.builds(
    Message,
    key=st.just("k"),
    labels=st.sets(st.sampled_from(["INBOX", "UNREAD", "Work"])).map(frozenset),
    _headers=HEADERS,
    _size=st.sampled_from([10, 5_000]),
    received=st.sampled_from([None, NOW]),
    _text=st.sampled_from(["", "x"]),
    _attachments=FILES,
)


def without(message: Message, parts: frozenset[Need]) -> Message:
    """Forget what was fetched."""
    if Need.CONTENT in parts and message._attachments is not None:
        unread = tuple(replace(file, sniffed=None, sha256=None) for file in message._attachments)
        message = replace(message, _attachments=unread)
    if Need.ATTACHMENTS in parts:
        message = replace(message, _attachments=None)
    if Need.BODY in parts:
        message = replace(message, _text=None)
    if Need.HEADERS in parts:
        message = replace(message, _headers=None, _size=None)
    return message


PARTS = st.sets(st.sampled_from([Need.CONTENT, Need.ATTACHMENTS, Need.BODY, Need.HEADERS])).map(frozenset)


@settings(max_examples=150, deadline=None)
@given(tree=TREES, message=MESSAGES, more=PARTS, less=PARTS)
def test_a_decided_verdict_never_changes_when_a_part_is_added(
    tree: str, message: Message, more: frozenset[Need], less: frozenset[Need]
) -> None:
    asked = condition(tree)
    poorer = asked.judge(View(without(message, more | less), NOW))
    richer = asked.judge(View(without(message, less), NOW))
    if poorer.verdict is not Verdict.UNDECIDED:
        assert richer.verdict is poorer.verdict
        assert poorer.needs or richer.captures == poorer.captures


@settings(max_examples=100, deadline=None)
@given(tree=TREES, message=MESSAGES, lost=PARTS)
def test_fetching_what_is_asked_for_decides(tree: str, message: Message, lost: frozenset[Need]) -> None:
    asked = condition(tree)
    for _ in range(3):
        found = asked.judge(View(without(message, lost), NOW))
        if found.verdict is not Verdict.UNDECIDED:
            return
        assert found.needs <= lost | {Need.CONTENT}
        assert found.needs <= asked.needs
        lost -= found.needs
    pytest.fail("still undecided")
