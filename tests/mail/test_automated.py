"""Mail that machines wrote."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.automated import KINDS, automated, is_no_reply
from engine.mail.headers import Headers, parse_headers

REPORT = "Content-Type: multipart/report; report-type="


@pytest.mark.parametrize(
    ("fields", "kinds"),
    [
        pytest.param("From: ann@x.example\nReturn-Path: <ann@x.example>", set(), id="a person"),
        pytest.param("Auto-Submitted: no", set(), id="said to be no machine"),
        pytest.param("Auto-Submitted: auto-replied", {"auto_reply"}, id="an answer (RFC 3834)"),
        pytest.param("Auto-Submitted: Auto-Replied (vacation)", {"auto_reply"}, id="with a comment"),
        pytest.param("Auto-Submitted: auto-generated", {"bulk"}, id="generated"),
        pytest.param("Auto-Submitted: auto-notified; owner-email=a@x", {"bulk"}, id="a notice (RFC 5436)"),
        pytest.param(
            "Auto-Submitted: auto-generated\nSubject: Automatic reply: x", {"auto_reply"}, id="Exchange"
        ),
        pytest.param(
            "Auto-Submitted: auto-generated\nSubject: AUTO: Ann is out of the office (back Monday)",
            {"auto_reply"},
            id="Notes",
        ),
        pytest.param("X-Autoreply: yes", {"auto_reply"}, id="X-Autoreply"),
        pytest.param("X-Autoreply: no", set(), id="X-Autoreply: no"),
        pytest.param("X-Autorespond: Re: x", {"auto_reply"}, id="X-Autorespond"),
        pytest.param("X-FreeScout-Mail-Type: auto.reply", {"auto_reply"}, id="FreeScout's answer"),
        pytest.param("X-FreeScout-Mail-Type: user.notification", {"bulk"}, id="FreeScout's notice"),
        pytest.param("X-FreeScout-Mail-Type: customer.message", set(), id="a person who uses FreeScout"),
        pytest.param("Precedence: auto_reply", {"auto_reply"}, id="Precedence: auto_reply"),
        pytest.param("X-POST-MessageClass: 9; Autoresponder", {"auto_reply"}, id="a message class"),
        pytest.param("Subject: Automatische Antwort: Rechnung", {"auto_reply"}, id="only a subject"),
        pytest.param(
            "Subject: =?utf-8?q?R=C3=A9ponse?= automatique : x", {"auto_reply"}, id="an encoded subject"
        ),
        pytest.param("Subject: Out of Office", {"auto_reply"}, id="only those words"),
        pytest.param(
            "Subject: Out of office chairs, please order", set(), id="a person's use of those words"
        ),
        pytest.param(REPORT + "disposition-notification", {"auto_reply"}, id="a receipt (RFC 8098)"),
        pytest.param(REPORT + "delivery-status", {"bounce"}, id="a delivery report (RFC 3464)"),
        pytest.param(
            REPORT + "delivery-status\nAuto-Submitted: auto-replied", {"bounce"}, id="a report is no answer"
        ),
        pytest.param("Content-Type: multipart/report", {"bounce"}, id="a report of no type"),
        pytest.param(REPORT + "feedback-report", {"bounce"}, id="a complaint (RFC 5965)"),
        pytest.param(REPORT + "tlsrpt", {"bulk"}, id="a report about no mail of ours"),
        pytest.param("From: MAILER-DAEMON@x.example", {"bounce"}, id="the mailer daemon"),
        pytest.param("From: MAILER-DAEMON <>", {"bounce"}, id="the mailer daemon without an address"),
        pytest.param("From: postmaster@x\nSubject: Undeliverable: x", {"bounce"}, id="a postmaster's bounce"),
        pytest.param("From: postmaster@x\nSubject: your question", set(), id="a postmaster who writes"),
        pytest.param(
            "From: Gateway V4\nReturn-Path: <MAILER-DAEMON@x>\nSubject: Returned mail: loop",
            {"bounce"},
            id="a gateway's bounce, by the path it came",
        ),
        pytest.param("From: post_master@x\nSubject: Re: hello", {"bounce"}, id="a server written otherwise"),
        pytest.param(
            "From: postmaster@x\nAuto-Submitted: auto-replied\nSubject: email bounce notification",
            {"bounce"},
            id="a bounce that calls itself an answer",
        ),
        pytest.param(
            "From: staff@x\nSubject: complaint about message from 192.0.2.7",
            {"bounce"},
            id="a complaint in a form of its own",
        ),
        pytest.param(
            "From: ann@x\nSubject: complaint about message from Ben", set(), id="a person who complains"
        ),
        pytest.param(
            "From: ann@x\nReturn-Path: <>\nUser-Agent: mu4e 1.12",
            set(),
            id="a person's mail that lost its path",
        ),
        pytest.param(
            "Subject: Arpus biroja atrasanas automatiska atbilde: hello", {"auto_reply"}, id="in Latvian"
        ),
        pytest.param("Subject: Automatická odpověď: hello", {"auto_reply"}, id="in Czech"),
        pytest.param("Subject: Automatisk svar: hej", {"auto_reply"}, id="in Danish and Norwegian"),
        pytest.param("From: Sales Autoresponder <sales@x>", {"auto_reply"}, id="a sender that says so"),
        pytest.param("From: Autohaus Meyer <info@x>", set(), id="a sender who deals in cars"),
        pytest.param(
            "From: hackers+owner@x\nReply-To: hackers+release-1@x", {"list"}, id="a list that holds a message"
        ),
        pytest.param("Feedback-ID: webmail:foxmail.com:bg1:bg1", set(), id="a person at a webmailer"),
        pytest.param("X-Failed-Recipients: a@x", {"bounce"}, id="Exim's bounce"),
        pytest.param("Return-Path: <>", {"bounce"}, id="the null path alone"),
        pytest.param(
            "Return-Path: < >\nAuto-Submitted: auto-replied", {"auto_reply"}, id="an answer from <>"
        ),
        pytest.param("List-Id: <a.x.example>", {"list"}, id="a list (RFC 2919)"),
        pytest.param("List-Post: <mailto:a@x>", {"list"}, id="a list (RFC 2369)"),
        pytest.param("Precedence: list", {"list"}, id="Precedence: list"),
        pytest.param("List-Unsubscribe: <mailto:a@x>", {"list", "bulk"}, id="a newsletter"),
        pytest.param("Precedence: bulk", {"bulk"}, id="Precedence: bulk"),
        pytest.param("Precedence: junk", {"bulk"}, id="Precedence: junk"),
        pytest.param("Feedback-ID: 1:2:3", {"bulk"}, id="a mailing service"),
        pytest.param("X-Auto-Response-Suppress: OOF, AutoReply", {"bulk"}, id="no answer wanted"),
        pytest.param("X-Auto-Response-Suppress: DR, RN", set(), id="only receipts unwanted"),
        pytest.param("Content-Type: text/calendar; method=REQUEST", {"calendar"}, id="an invitation"),
        pytest.param(
            "Content-Class: urn:content-classes:calendarmessage", {"calendar"}, id="Exchange's invitation"
        ),
    ],
)
def test_tells_what_a_machine_wrote(fields: str, kinds: set[str]) -> None:
    headers = parse_headers(fields.encode())
    assert automated(headers) == kinds


@pytest.mark.parametrize(
    "address",
    [
        *("noreply@x", "no-reply@x", "No_Reply@x", "no.reply@x", "NoReply <noreply@x>", "do-not-reply@x"),
        *(
            "donotreply@x",
            "noreply+tag@x",
            "no-reply-123@x",
            "noreply7@x",
            "github-noreply@x",
            "news.noreply@x",
        ),
        *(
            "mailer-daemon@x",
            "MAILER-DAEMON@x",
            "postmaster@x",
            "bounce@x",
            "bounces+1-ann=y@x",
            "list-bounces@x",
        ),
        *(
            "nobody@x",
            "owner-list@x",
            "list-request@x",
            "nicht-antworten@x",
            "ne-pas-repondre@x",
            "no-responder@x",
        ),
        *("prvs=12=ann@x", "listserv@x", "post_master@x", "list+owner@x", "list+bounces-help@x"),
    ],
)
def test_addresses_that_nobody_reads(address: str) -> None:
    assert is_no_reply(address)


@pytest.mark.parametrize(
    "address",
    [
        "ann@x",
        "reply@x",
        "reply+abc@x",
        "noreen@x",
        "support@x",
        "bouncer@x",
        "nora.reply@x",
        "owner@x",
        "",
        "@x",
    ],
)
def test_addresses_that_somebody_reads(address: str) -> None:
    assert not is_no_reply(address)


NAMES = st.sampled_from(
    ["From", "Subject", "Content-Type", "Precedence", "Return-Path", "Auto-Submitted", "List-Id"]
)


@given(st.lists(st.tuples(NAMES, st.text(max_size=60)), max_size=6))
def test_never_raises(pairs: list[tuple[str, str]]) -> None:
    assert automated(Headers(pairs)) <= KINDS
