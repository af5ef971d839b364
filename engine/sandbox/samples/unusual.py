"""Mail with odd header fields and odd bodies, which arrives all the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from engine.sandbox.samples.wire import Part, Sample, Value, html, mail, text, word

ANN = "Ann <ann@customer.example>"
HELLO = text("Hello.\n", "us-ascii", "7bit")

FIELDS: tuple[tuple[str, Value | None, dict[str, Any]], ...] = (
    ("no-date", "A question", {"without": ["Date"]}),
    ("no-message-id", "A question", {"without": ["Message-ID"]}),
    ("no-subject", None, {}),
    ("empty-subject", "", {}),
    ("no-to", "A question", {"to": None, "extra": [("Delivered-To", "support@acme.example")]}),
    ("no-from", "A question", {"without": ["From"], "extra": [("Sender", "ann@customer.example")]}),
    (
        "bcc",
        "A question",
        {"to": "undisclosed-recipients:;", "extra": [("Delivered-To", "support@acme.example")]},
    ),
    ("two-subjects", "A question", {"extra": [("Subject", "Another subject")]}),
    ("two-froms", "A question", {"extra": [("From", "Bob <bob@customer.example>")]}),
    (
        "many-recipients",
        "A question",
        {
            "to": ", ".join(f"Person {n} <p{n}@customer.example>" for n in range(120)),
            "extra": [("Cc", "support@acme.example")],
        },
    ),
    ("quoted-local-part", "A question", {"sender": '"ann baker"@customer.example'}),
    ("comment-in-address", "A question", {"sender": "ann@customer.example (Ann from\r\n the shop)"}),
    ("old-date", "A question", {"without": ["Date"], "extra": [("Date", "Fri, 01 Feb 80 10:00 EST")]}),
    ("nonsense-date", "A question", {"without": ["Date"], "extra": [("Date", "yesterday, about noon")]}),
    ("raw-utf8-headers", "Grüße aus Köln", {"sender": "Jürgen <juergen@kunde.example>"}),
    (
        "raw-latin1-headers",
        "Grüße aus Köln".encode("latin-1"),
        {"sender": "Jürgen <j@kunde.example>".encode("latin-1")},
    ),
    (
        "split-words",
        f"{word('Ein sehr langer Betreff mit Umlauten: äöü')}\r\n {word(' und noch mehr: ß', encoding='q')}",
        {},
    ),
    ("broken-word", "=?utf-8?B?R3LDvMOfZ?= and =?unknown-charset?Q?caf=E9?=", {}),
    ("long-subject", "long " * 180, {}),
    (
        "long-reference-line",
        "A question",
        {"extra": [("References", " ".join(f"<{n}@customer.example>" for n in range(300)))]},
    ),
    ("tab-folded", "A subject\r\n\tfolded with a tab", {}),
    ("international-domain", "A question", {"sender": "Zoë <zoe@bücher.example>"}),
    (
        "received-lines",
        "A question",
        {
            "extra": [
                ("Received", f"from mx{n}.example by mx{n + 1}.example; Mon, 5 Jan 2026 08:00:0{n} +0000")
                for n in range(6)
            ]
        },
    ),
    (
        "upper-case-fields",
        "A question",
        {"extra": [("X-ORIGINATING-IP", "[192.0.2.7]"), ("X-MAILER", "OLD MAIL 1.0")]},
    ),
)

BODIES: tuple[tuple[str, str, Part], ...] = (
    ("odd/empty-body", "See subject", text("", "us-ascii", "7bit")),
    ("odd/undeclared-latin1", "No charset", Part((), "Grüße, ohne Angabe\r\n".encode("latin-1"))),
    ("odd/undeclared-utf8", "No charset", text("Grüße, ohne Angabe\n", "none")),
    (
        "odd/wrong-charset",
        "Wrong charset",
        replace(text("Grüße\n"), fields=(("Content-Type", "text/plain; charset=us-ascii"),)),
    ),
    (
        "odd/unknown-charset",
        "Unknown charset",
        replace(text("Hello\n"), fields=(("Content-Type", "text/plain; charset=x-unknown"),)),
    ),
    ("odd/utf16", "UTF-16", text("Grüße\n", "utf-16", "base64")),
    ("odd/utf7", "UTF-7", text("Grüße\n", "utf-7", "7bit")),
    ("odd/long-line", "One long line", text("word " * 12_000 + "\n", "us-ascii", "7bit")),
    (
        "odd/format-flowed",
        "Flowed",
        text(
            "> A quoted line that \n> goes on.\n\nMy answer is a long \nline.\n\n-- \nAnn\n",
            params="; format=flowed",
        ),
    ),
    ("odd/enriched", "Enriched text", text("<bold>Hello</bold>\n", subtype="enriched")),
    ("odd/html-only", "Only HTML", html("<h1>Hello</h1><script>ignore()</script><p>Ünïcödé &amp; more</p>")),
    (
        "odd/html-meta-charset",
        "HTML names its charset",
        Part(
            (("Content-Type", "text/html"),),
            '<html><head><meta charset="iso-8859-1"></head><body>Grüße</body></html>\r\n'.encode("latin-1"),
        ),
    ),
    ("odd/long-log", "A long log", text("2026-01-05 08:00:00 ERROR code 500 at line 42\n" * 4_000)),
    ("odd/uuencode", "uuencoded", text("begin 644 a.txt\n&2&5L;&\\*\n \nend\n", "us-ascii", "7bit")),
)


def messages() -> Iterator[Sample]:
    """Give odd header fields, then odd bodies."""
    for name, subject, options in FIELDS:
        sender, fields = options.get("sender", ANN), {key: options[key] for key in options if key != "sender"}
        yield mail(f"odd/{name}", sender, subject, HELLO, **fields)
    for name, subject, part in BODIES:
        yield mail(name, ANN, subject, part)
    yield mail(
        "odd/no-mime", ANN, "Plain old mail", Part((), b"No MIME at all.\r\n"), without=["MIME-Version"]
    )
