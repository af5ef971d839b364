"""Conversations: questions, answers and answers to answers, tied by Message-ID and References."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.sandbox.samples.wire import (
    TO_SUPPORT,
    Part,
    Sample,
    both,
    forwarded,
    html,
    mail,
    message_id,
    multi,
    text,
    when,
    word,
)

STEP = 95
"""Minutes between two mails of a conversation."""

# name, subject, the people who take turns, how their programs name what they answer
THREADS = (
    (
        "delivery",
        "Delivery of order 49001",
        ("Ann <ann@customer.example>", "Ben <ben@customer.example>"),
        "full",
    ),
    ("contract", "Contract renewal", ("Rita <rita@partner.example>",), "full"),
    (
        "bug",
        "Bug in the export",
        ("Dev Team <dev@integrator.example>", "Kim <kim@integrator.example>"),
        "last",
    ),
    ("holiday", "Opening hours at Easter", ("Sam <sam@customer.example>",), "none"),
    ("liefertermin", "Liefertermin für Bestellung 49002", ("Jan <jan@kunde.example>",), "full"),
)
PREFIXES = ("", "Re: ", "RE: ", "Re: ", "AW: ")


def messages() -> Iterator[Sample]:
    """Give every conversation in order, then what was forwarded."""
    for name, subject, people, style in THREADS:
        yield from _thread(name, subject, people, style)
    yield from _forwarded()


def _thread(name: str, subject: str, people: tuple[str, ...], style: str) -> Iterator[Sample]:
    ids: list[str] = []
    for turn, prefix in enumerate(PREFIXES):
        part = f"thread/{name}-{turn + 1}"
        sender = people[turn % len(people)]
        quoted = "".join(f"{'>' * depth} said at turn {turn - depth + 1}\n" for depth in range(1, turn + 1))
        extra = [("Cc", "office@customer.example")] if turn == 2 else []
        yield mail(
            part,
            sender,
            prefix + subject if subject.isascii() else word(prefix + subject),
            text(f"Turn {turn + 1}: thank you, and one more thing.\n\n{quoted}"),
            extra=[*extra, *_references(ids, style)],
            date=when(f"thread/{name}", turn * STEP),
        )
        ids.append(message_id(part, sender.rpartition("@")[2].rstrip(">")))


def _references(ids: list[str], style: str) -> list[tuple[str, str]]:
    """Name the parent as mail programs do: with the whole line, with the parent alone, not at all."""
    if not ids or style == "none":
        return []
    named = [("In-Reply-To", ids[-1])]
    return named if style == "last" else [*named, ("References", "\r\n ".join(ids))]


INNER = mail(
    "thread/inner",
    "Old Customer <old@customer.example>",
    "Complaint about order 40001",
    text("I am not happy.\n"),
)[1]
TWICE = forwarded(
    mail(
        "thread/middle",
        "Kim <kim@integrator.example>",
        "Fwd: deep",
        multi("mixed", text("Inner.\n"), forwarded(INNER)),
    )[1]
)
DIGEST = multi(
    "digest",
    *(
        forwarded(
            mail(
                f"thread/digest-{number}",
                "Rita <rita@partner.example>",
                f"Note {number}",
                text(f"Note {number}\n"),
            )[1]
        )
        for number in range(3)
    ),
)
FORWARDED: tuple[tuple[str, str, str, Part, dict[str, Any]], ...] = (
    (
        "thread/forward-attached",
        "Rita <rita@partner.example>",
        "Fwd: Complaint about order 40001",
        multi("mixed", text("Please see below.\n"), forwarded(INNER)),
        {},
    ),
    (
        "thread/forward-inline",
        "Ben <ben@customer.example>",
        "FW: Your parcel",
        text(
            "FYI\n\n-----Original Message-----\nFrom: Post <post@parcel.example>\nSubject: Your parcel\n\n"
            "It is on its way.\n"
        ),
        {},
    ),
    (
        "thread/forward-twice",
        "Dev Team <dev@integrator.example>",
        "Fwd: Fwd: deep",
        multi("mixed", text("Outer.\n"), TWICE),
        {},
    ),
    ("thread/digest", "Rita <rita@partner.example>", "Three notes in one", DIGEST, {}),
    (
        "thread/redirected",
        "Ann <ann@customer.example>",
        "Meant for support",
        both("This went to sales first.\n", "<p>This went to sales first.</p>"),
        {
            "to": "office@acme.example",
            "extra": [
                ("Resent-From", "sales@acme.example"),
                ("Resent-To", TO_SUPPORT),
                ("Delivered-To", "support@acme.example"),
            ],
        },
    ),
    (
        "thread/html-quote",
        "Sam <sam@customer.example>",
        "Re: Opening hours at Easter",
        html('<p>Thanks!</p><blockquote type="cite"><p>We are open till noon.</p></blockquote>'),
        {
            "extra": [
                ("In-Reply-To", message_id("thread/holiday-5", "customer.example")),
                ("Thread-Topic", "Opening hours at Easter"),
                ("Thread-Index", "AdqRcBn2x0C0example=="),
            ]
        },
    ),
)


def _forwarded() -> Iterator[Sample]:
    for name, sender, subject, part, options in FORWARDED:
        yield mail(name, sender, subject, part, **options)
