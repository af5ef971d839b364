"""What came of mail, as its bounce tells."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.dsn import MAX_FAILURES, MAX_GROUPS, MAX_IDS, read_report
from engine.mail.mime import parse
from engine.mail.verdict import Verdict, verdict
from prove.recognition import labels, messages

ANN, BEN = "ann@x.example", "ben@x.example"
HEAD = "From: MAILER-DAEMON@x.example\r\nMIME-Version: 1.0\r\n"
ID = "<1@acme.example>"


def multipart(*parts: str) -> bytes:
    head = HEAD + "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
    return (head + "".join(f"--b\r\nContent-Type: {part}\r\n" for part in parts) + "--b--\r\n").encode()


def report(*groups: str, returned: str = f"Message-ID: {ID}\r\n") -> bytes:
    """A report (RFC 3464) with these groups of fields behind that of the message."""
    told = "\r\n\r\n".join(("Reporting-MTA: dns; x.example", *groups))
    return multipart(
        "text/plain\r\n\r\nSorry.\r\n",
        f"message/delivery-status\r\n\r\n{told}\r\n",
        f"message/rfc822\r\n\r\n{returned}\r\n",
    )


def plain(text: str) -> bytes:
    return (HEAD + "\r\n" + text).encode()


def told(raw: bytes, address: str = ANN) -> tuple[str, str] | None:
    found = read_report(parse(raw)).about(address)
    return (found.verdict.name, found.status) if found else None


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        pytest.param(
            "Final-Recipient: rfc822; Ann@X.example\r\nAction: failed\r\nStatus: 5.1.1",
            ("HARD", "5.1.1"),
            id="nobody is there",
        ),
        pytest.param(
            "Original-Recipient: rfc822;<ann@x.example>\r\nFinal-Recipient: rfc822; a@y.example\r\n"
            "Action: failed\r\nStatus: 5.2.1 (mailbox disabled)",
            ("HARD", "5.2.1"),
            id="whom it was for, where it went on to another",
        ),
        pytest.param(
            "Final-Recipient: rfc822; ann@x.example\r\nStatus: 5.1.1", ("HARD", "5.1.1"), id="no action"
        ),
        pytest.param(
            "Final-Recipient: ann@x.example\r\nAction: Failed\r\nDiagnostic-Code: smtp; 550 5.1.1 gone",
            ("HARD", "5.1.1"),
            id="no type and no status",
        ),
        pytest.param(
            "Final-Recipient: rfc822; ann@x.example\r\nAction: failed\r\nStatus: 4.4.7",
            ("SOFT", "4.4.7"),
            id="expired",
        ),
        pytest.param(
            "Final-Recipient: rfc822; ann@x.example\r\nAction: delayed\r\nStatus: 4.4.1",
            ("NONE", "4.4.1"),
            id="delayed",
        ),
        pytest.param(
            "Final-Recipient: rfc822; ann@x.example\r\nAction: relayed\r\nStatus: 2.0.0",
            ("NONE", "2.0.0"),
            id="passed on",
        ),
        pytest.param(
            "Final-Recipient: rfc822; ben@x.example\r\nAction: failed", None, id="another recipient"
        ),
        pytest.param(
            "Final-Recipient: rfc822; ann@x.example\r\nFinal-Recipient: rfc822; ben@x.example\r\n"
            "Action: failed\r\nStatus: 5.1.1",
            None,
            id="two in one group: neither is meant for sure",
        ),
    ],
)
def test_a_report_tells_of_each_recipient(group: str, expected: tuple[str, str] | None) -> None:
    assert told(report(group)) == expected


def test_recipients_are_told_apart() -> None:
    raw = report(
        f"Final-Recipient: rfc822; {ANN}\r\nAction: failed\r\nStatus: 5.2.2",
        f"Final-Recipient: rfc822; {BEN}\r\nAction: failed\r\nStatus: 5.1.1",
    )
    assert (told(raw), told(raw, BEN)) == (("SOFT", "5.2.2"), ("HARD", "5.1.1"))


@pytest.mark.parametrize(
    ("action", "status", "words", "expected"),
    [
        pytest.param("failed", "5.0.0", "smtp; 550 unknown user ann@x", "HARD", id="vague, the words tell"),
        pytest.param("failed", "5.0.0", "smtp; 550 5.1.1 ann@x", "HARD", id="vague, the diagnostic tells"),
        pytest.param(
            "failed", "5.0.0", "smtp; 550 denied by policy", "SOFT", id="vague, and of something else"
        ),
        pytest.param("failed", "5.0.0", "550-'5.2.2 mailbox full'", "SOFT", id="the code that says most"),
        pytest.param("failed", "5.2.2", "", "SOFT", id="a full mailbox"),
        pytest.param("failed", "5.2.3", "", "SOFT", id="too large a mail"),
        pytest.param("failed", "5.7.1", "user unknown to us as a sender", "SOFT", id="policy"),
        pytest.param("failed", "5.1.8", "", "SOFT", id="the sender's address is bad"),
        pytest.param("failed", "5.1.10", "", "HARD", id="a domain that takes no mail (RFC 7505)"),
        pytest.param("failed", "5.4.1", "recipient address rejected", "HARD", id="Exchange Online's word"),
        pytest.param("failed", "5.4.4", "", "HARD", id="no such domain"),
        pytest.param("failed", "5.4.6", "", "SOFT", id="a loop"),
        pytest.param("failed", "2.0.0", "", "NONE", id="a failure that is none"),
        pytest.param("", "4.2.2", "", "NONE", id="for now, and nobody gave up"),
        pytest.param("", "", "550 no such user here", "HARD", id="a reply code alone"),
        pytest.param("", "", "450 4.2.2 is busy", "NONE", id="a reply code for now"),
        pytest.param("", "", "the message was delayed and will be retried", "NONE", id="words of a delay"),
        pytest.param("", "", "sorry, host 10.5.1.1 said no", "SOFT", id="no code, but an address of a host"),
    ],
)
def test_what_is_told_is_judged(action: str, status: str, words: str, expected: str) -> None:
    assert verdict(action, status, words)[0].name == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            f"<ann@x.example>:\r\nno mailbox here by that name. (#5.1.1)\r\n\r\n<{BEN}>:\r\n552 full\r\n",
            ("HARD", "5.1.1"),
            id="qmail",
        ),
        pytest.param(
            f"<{BEN}>:\r\n(#5.1.1)\r\n\r\n<ann@x.example>:\r\n552 full\r\n", ("SOFT", ""), id="each its own"
        ),
        pytest.param(
            "The following address(es) failed:\r\n\r\n  ann@x.example\r\n    unrouteable mail domain\r\n",
            ("HARD", ""),
            id="Exim",
        ),
        pytest.param(
            "Error: invalid user address\r\n550 - no such user here\r\n\r\nRCPT TO: ann@x.example\r\n",
            ("HARD", ""),
            id="the reason stands before the address",
        ),
        pytest.param("joann@x.example is gone, 5.1.1\r\n", None, id="an address that ends alike"),
        pytest.param("ann@x.example.net is gone, 5.1.1\r\n", None, id="a domain that goes on"),
        pytest.param(f"5.1.1\r\n\r\nTo: {ANN}\r\nMessage-ID: {ID}\r\n", None, id="only the copy names it"),
    ],
)
def test_what_older_servers_write_for_people_is_read(text: str, expected: tuple[str, str] | None) -> None:
    assert told(plain(text)) == expected


@pytest.mark.parametrize(
    ("raw", "ids"),
    [
        pytest.param(report(), (ID,), id="the mail that comes along"),
        pytest.param(plain(f"sorry\r\n\r\nSubject: a\r\nMessage-Id:\r\n {ID}\r\n\r\nhi"), (ID,), id="a copy"),
        pytest.param(
            b"In-Reply-To: <2@x>\r\nReferences: <0@x> <2@x>\r\n\r\nsorry", ("<2@x>",), id="its thread"
        ),
        pytest.param(plain("we have no message-id: sorry"), (), id="none"),
    ],
)
def test_the_mail_that_came_back_is_named(raw: bytes, ids: tuple[str, ...]) -> None:
    assert read_report(parse(raw)).ids == ids


def test_what_is_read_is_bounded() -> None:
    groups = (f"Final-Recipient: rfc822; a{number}@x.example\r\nAction: failed" for number in range(2_000))
    found = read_report(parse(report(*groups)))
    assert len(found.told) <= MAX_FAILURES
    many = multipart(*(f"message/rfc822\r\n\r\nMessage-ID: <{number}@x>\r\n" for number in range(50)))
    assert len(read_report(parse(many)).ids) == MAX_IDS
    empty = report(*["X-A: b"] * MAX_GROUPS, f"Final-Recipient: rfc822; {ANN}")
    assert read_report(parse(empty)).told == ()
    parts = [f"text/html\r\n\r\n{'<i></i>' * 10_000}\r\n"] * 10
    assert read_report(parse(multipart(*parts, f"text/plain\r\n\r\n{ANN}\r\n"))).addresses == ()


@given(
    st.lists(
        st.sampled_from([b"<a@x.y>:\n", b"5.1.1 ", b"Message-ID: <1@x>\n", b"\n", b"> ", b"To: ", b"\xff"])
    )
)
def test_never_raises(pieces: list[bytes]) -> None:
    found = read_report(parse(b"Subject: x\n\n" + b"".join(pieces)))
    found.about("a@x.y")
    assert len(found.ids) <= MAX_IDS


def test_real_reports_name_their_mail_and_whom_they_are_about(corpus: Path) -> None:
    """Those with the part of RFC 3464 that the corpus holds, less what was cut out of it."""
    bounces = [label for label in labels() if label.kind == "bounce"]
    found = [read_report(parse(raw)) for _, raw in messages(bounces, corpus)]
    reports = [one for one in found if one.told]
    assert len(reports) >= 215
    assert sum(bool(one.ids) for one in reports) / len(reports) >= 0.85
    verdicts = [told.verdict for one in reports for told in one.told]
    assert sum(one is Verdict.HARD for one in verdicts) >= 95
    assert sum(one is Verdict.NONE for one in verdicts) <= 12


@pytest.mark.parametrize(
    ("fields", "copy", "named"),
    [
        pytest.param(
            "Original-Rcpt-To: <Ann@x.example>\r\nOriginal-Rcpt-To: ben@x.example",
            "",
            {ANN, BEN},
            id="whom the report names",
        ),
        pytest.param("", f"To: Ann <{ANN}>", {ANN}, id="the one whom the mail was to"),
        pytest.param("", f"To: {ANN}\r\nCc: {BEN}", set(), id="one of two: it is not known which"),
        pytest.param("", "To: undisclosed", set(), id="somebody who was made unreadable"),
    ],
)
def test_a_complaint_names_who_complains(fields: str, copy: str, named: set[str]) -> None:
    raw = multipart(
        f"text/plain\r\n\r\nUser unknown, said {BEN}.\r\n",
        f"message/feedback-report\r\n\r\nFeedback-Type: Abuse\r\n{fields}\r\n",
        f"message/rfc822\r\n\r\nMessage-ID: {ID}\r\n{copy}\r\n\r\n\r\n",
    )
    found = read_report(parse(raw))
    assert (found.complains, found.ids, set(found.addresses)) == (True, (ID,), named)
    assert {one.verdict for one in found.told} <= {Verdict.COMPLAINT}
