"""Enquiries to the sales desk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.sandbox.samples.files import JPEG, pdf
from engine.sandbox.samples.wire import (
    TO_SALES,
    TO_SUPPORT,
    Part,
    Sample,
    attached,
    both,
    html,
    mail,
    multi,
    text,
    word,
)

# name, sender, subject, body
ENQUIRIES = (
    ("quote", "Nina Berg <nina@prospect.example>", "Request for a quote: 250 units",
     "Please quote 250 units.\n"),
    ("price-list", "Omar Haddad <omar@prospect.example>", "Price list for resellers",
     "Do you have one?\n"),
    ("demo", "Paula Silva <paula@startup.example>", "Demo next week?", "We would like to see a demo.\n"),
    ("pricing", "Quinn <quinn@startup.example>", "Pricing for non-profits", "What would 20 seats cost?\n"),
    ("rfp", "Buying Office <buying@city.example>", "RFP 2026-03: maintenance",
     "See the attached terms.\n"),
    ("angebot", "Ralf Groß <ralf@interessent.example>", "Anfrage: Angebot für 40 Geräte",
     "Bitte senden Sie uns ein Angebot.\n"),
    ("devis", "Sophie Gérard <sophie@prospect.example>", "Demande de devis",
     "Pouvez-vous nous faire un devis ?\n"),
    ("presupuesto", "Tomás Ruiz <tomas@prospecto.example>", "Solicitud de presupuesto",
     "Necesitamos 15 licencias.\n"),
    ("oferta", "Urszula Nowak <urszula@firma.example>", "Zapytanie ofertowe", "Prosimy o ofertę.\n"),
    ("mitsumori", "田中一郎 <ichiro@kigyo.example>", "見積もりのお願い", "お見積もりをお願いいたします。\n"),
    ("partner", "Vera <vera@partner.example>", "Partnership idea", "Shall we talk?\n"),
    ("thanks", "Will <will@customer.example>", "Thank you for the visit", "It was a pleasure.\n"),
)  # fmt: skip


def messages() -> Iterator[Sample]:
    """Give enquiries of many kinds, most of them to the sales desk."""
    for number, (name, sender, subject, body) in enumerate(ENQUIRIES):
        person, _, address = sender.rpartition(" <")
        written = sender if person.isascii() else f"{word(person, encoding='bq'[number % 2])} <{address}"
        part = both(body, f"<p>{body.strip()}</p>") if number % 2 else text(body, cte="quoted-printable")
        if name == "rfp":
            part = multi("mixed", part, attached("terms.pdf", "application/pdf", pdf("Terms of RFP 2026-03")))
        yield mail(
            f"sales/{name}", written, subject if subject.isascii() else word(subject), part, to=TO_SALES
        )
    yield from _others()


FORM = "".join(
    f"{field}: {value}\n"
    for field, value in (
        ("Name", "Xenia"),
        ("Company", "Startup"),
        ("Phone", "+49 30 5550177"),
        ("Wants", "a demo"),
    )
)
OTHERS: tuple[tuple[str, str, str, Part, dict[str, Any]], ...] = (
    (
        "sales/web-form",
        "Website <forms@www.acme.example>",
        "Contact form: demo wanted",
        text(FORM),
        {"to": TO_SALES, "extra": [("Reply-To", "Xenia <xenia@startup.example>")]},
    ),
    (
        "sales/card",
        "Yann <yann@prospect.example>",
        "My business card, and a quote please",
        multi(
            "mixed",
            text("Nice to meet you.\n"),
            attached(
                "yann.vcf",
                "text/vcard",
                b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Yann\r\nEND:VCARD\r\n",
                cte="7bit",
            ),
            attached("card.jpg", "image/jpeg", JPEG),
        ),
        {"to": TO_SALES},
    ),
    (
        "sales/both-desks",
        "Zara <zara@prospect.example>",
        "Quote, and a question on my account",
        text("Two things.\n"),
        {"to": f"{TO_SUPPORT}, {TO_SALES}"},
    ),
    (
        "sales/wrong-desk",
        "Nina Berg <nina@prospect.example>",
        "Quote for 10 more units",
        text("I hope this is the right address.\n"),
        {"extra": [("Cc", "sales@acme.example")]},
    ),
    (
        "sales/group",
        "Omar Haddad <omar@prospect.example>",
        "Demo for our team",
        html("<p>When?</p>"),
        {"to": 'Desks: "Acme Sales" <sales@acme.example>, sales.emea@acme.example;'},
    ),
)


def _others() -> Iterator[Sample]:
    for name, sender, subject, part, options in OTHERS:
        yield mail(name, sender, subject, part, **options)
