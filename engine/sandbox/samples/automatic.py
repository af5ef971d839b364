"""What machines answer: bounces, absence notes, receipts, invitations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.sandbox.samples.files import calendar
from engine.sandbox.samples.wire import (
    Part,
    Sample,
    Value,
    attached,
    both,
    forwarded,
    html,
    mail,
    multi,
    text,
    word,
)

DAEMON = "Mail Delivery System <MAILER-DAEMON@mx.acme.example>"
NULL_PATH = ("Return-Path", "<>")

# name, status (RFC 3463), what the remote server said
FAILURES = (
    ("unknown-user", "5.1.1", "550 5.1.1 User unknown"),
    ("mailbox-full", "5.2.2", "552 5.2.2 Mailbox full"),
    ("no-such-host", "5.4.4", "Host or domain name not found"),
    ("too-big", "5.3.4", "552 5.3.4 Message size exceeds limit"),
    ("policy", "5.7.1", "554 5.7.1 Rejected by policy"),
    ("delayed", "4.4.1", "Connection timed out; will be retried"),
)

# name, sender, subject, text, fields that give it away
ABSENCES: tuple[tuple[str, str, str, str, tuple[tuple[str, str], ...]], ...] = (
    ("rfc3834", "Ann <ann@customer.example>", "Out of office: back on Monday", "I am away until Monday.\n",
     (("Auto-Submitted", "auto-replied"), ("In-Reply-To", "<sent.1@acme.example>"))),
    ("exchange", "Rita <rita@partner.example>", "Automatic reply: Contract renewal", "I am at a fair.\n",
     (("X-Auto-Response-Suppress", "All"), ("Auto-Submitted", "auto-generated"))),
    ("german", "Jan <jan@kunde.example>", "Abwesenheitsnotiz: Ihre Nachricht", "Ich bin im Urlaub.\n",
     (("Auto-Submitted", "auto-replied"), ("Precedence", "bulk"))),
    ("french", "Élodie <elodie@client.example>", "Réponse automatique : Absence", "Je suis absente.\n",
     (("Auto-Submitted", "auto-replied"),)),
    ("vacation", "Sam <sam@customer.example>", "Auto: Opening hours", "On vacation.\n",
     (("X-Autoreply", "yes"), ("Precedence", "auto_reply"))),
    ("responder", "Info <info@shop.example>", "We received your message", "Ticket 991 was opened.\n",
     (("X-Autorespond", "Your message"), ("X-Loop", "info@shop.example"))),
    ("japanese", "佐藤 <sato@kokyaku.example>", "不在のお知らせ", "ただいま不在にしております。\n",
     (("Auto-Submitted", "auto-replied"),)),
    ("with-comment", "Lee <lee@member.example>", "Away", "Back soon.\n",
     (("Auto-Submitted", 'auto-replied (vacation); owner-email="lee@member.example"'),)),
)  # fmt: skip


def messages() -> Iterator[Sample]:
    """Give bounces, then absence notes, then invitations."""
    yield from _bounces()
    for name, sender, subject, body, extra in ABSENCES:
        person, _, address = sender.rpartition(" <")
        written = sender if person.isascii() else f"{word(person)} <{address}"
        coded = subject if subject.isascii() else word(subject)
        yield mail(f"auto/{name}", written, coded, text(body, cte="base64"), extra=extra)
    yield from _invitations()


def _status(status: str, said: str) -> Part:
    action = "delayed" if status.startswith("4") else "failed"
    fields = (
        "Reporting-MTA: dns; mx.acme.example\r\n\r\nFinal-Recipient: rfc822; gone@nowhere.example\r\n"
        f"Action: {action}\r\nStatus: {status}\r\nDiagnostic-Code: smtp; {said}\r\n"
    )
    return Part((("Content-Type", "message/delivery-status"),), fields.encode())


SENT = mail(
    "auto/sent",
    "Acme Support <support@acme.example>",
    "Your order",
    text("On its way.\n"),
    to="gone@nowhere.example",
)[1]
REPORTS: tuple[tuple[str, str, str, Part, dict[str, Any]], ...] = (
    (
        "bounce/exchange",
        "Microsoft Outlook <postmaster@partner.example>",
        "Undeliverable: Your order",
        multi(
            "report",
            both("Delivery has failed.\n", "<p>Delivery has <b>failed</b>.</p>"),
            _status("5.1.10", "RESOLVER.ADR.RecipientNotFound"),
            forwarded(SENT),
            params="; report-type=delivery-status",
        ),
        {"extra": [("X-MS-Exchange-Message-Is-Ndr", ""), NULL_PATH]},
    ),
    (
        "bounce/qmail",
        "MAILER-DAEMON@old.example",
        "failure notice",
        text(
            "Hi. This is the qmail-send program at old.example.\n\n<gone@nowhere.example>:\n"
            "Sorry, no mailbox here by that name. (#5.1.1)\n",
            "us-ascii",
            "7bit",
        ),
        {"extra": [NULL_PATH], "without": ["MIME-Version"]},
    ),
    (
        "bounce/read-receipt",
        "Rita <rita@partner.example>",
        "Read: Your order",
        multi(
            "report",
            text("Your message was displayed.\n"),
            Part(
                (("Content-Type", "message/disposition-notification"),),
                b"Reporting-UA: mail.partner.example\r\nFinal-Recipient: rfc822;rita@partner.example\r\n"
                b"Disposition: manual-action/MDN-sent-manually; displayed\r\n",
            ),
            params="; report-type=disposition-notification",
        ),
        {},
    ),
    (
        "bounce/complaint",
        "Feedback <feedback@isp.example>",
        "Abuse report",
        multi(
            "report",
            text("This is an abuse report.\n"),
            Part(
                (("Content-Type", "message/feedback-report"),),
                b"Feedback-Type: abuse\r\nUser-Agent: Loop/1.0\r\nVersion: 1\r\n",
            ),
            forwarded(SENT),
            params="; report-type=feedback-report",
        ),
        {},
    ),
)


def _bounces() -> Iterator[Sample]:
    for name, status, said in FAILURES:
        report = _report(status, said, SENT, headers_only=status == "5.3.4")
        subject = (
            "Delayed Mail (still being retried)"
            if status[0] == "4"
            else "Undelivered Mail Returned to Sender"
        )
        yield mail(
            f"bounce/{name}", DAEMON, subject, report, extra=[NULL_PATH, ("Auto-Submitted", "auto-replied")]
        )
    for name, sender, subject, part, options in REPORTS:
        yield mail(name, sender, subject, part, **options)


def _report(status: str, said: str, sent: bytes, *, headers_only: bool) -> Part:
    """Make a delivery report (RFC 3462, RFC 3464)."""
    head = sent.partition(b"\r\n\r\n")[0] + b"\r\n"
    returned = Part((("Content-Type", "text/rfc822-headers"),), head) if headers_only else forwarded(sent)
    human = text(f"I could not deliver your message.\n\n<gone@nowhere.example>: {said}\n", "us-ascii", "7bit")
    return multi("report", human, _status(status, said), returned, params="; report-type=delivery-status")


def _invitations() -> Iterator[Sample]:
    kim = "Kim <kim@integrator.example>"
    for method, subject in (
        ("REQUEST", "Invitation: Weekly call"),
        ("CANCEL", "Cancelled: Weekly call"),
        ("REPLY", "Accepted: Weekly call"),
        ("COUNTER", "New time proposed: Weekly call"),
    ):
        event = calendar(method, "call-1@integrator.example", "Weekly call", "kim@integrator.example")
        invite = text(event, subtype="calendar", params=f"; method={method}")
        part = multi("alternative", text(f"{subject}\n"), html(f"<p>{subject}</p>"), invite)
        yield mail(f"calendar/{method.lower()}", kim, subject, part)
    event = calendar("PUBLISH", "fair@partner.example", "Spring fair", "rita@partner.example")
    file = attached("invite.ics", "text/calendar; method=PUBLISH", event.encode(), cte="base64")
    yield mail(
        "calendar/attached",
        "Rita <rita@partner.example>",
        "Spring fair",
        multi("mixed", text("Come!\n"), file),
    )
    yield mail(
        "calendar/alone",
        "Calendar <calendar@calendar.example>",
        "Reminder: Spring fair",
        text(event, subtype="calendar", params="; method=PUBLISH"),
    )
    twice = multi(
        "mixed",
        multi("alternative", text("Workshop\n"), text(event, subtype="calendar")),
        attached("invite.ics", "application/ics", event.encode()),
    )
    extra: list[tuple[str, Value]] = [("Content-Class", "urn:content-classes:calendarmessage")]
    yield mail("calendar/twice", kim, word("Einladung: Prüfung der Geräte"), twice, extra=extra)
