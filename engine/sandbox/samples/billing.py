"""Invoices, reminders, receipts: what the finance team should see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.sandbox.samples.files import archive, pdf, png
from engine.sandbox.samples.wire import Part, Sample, attached, both, html, mail, multi, text, word

# name, sender, subject, file name, how the file name is written, how the PDF is declared
INVOICES = (
    ("plain", "Accounts <billing@partner.example>", "Invoice 2026-0117", "invoice-2026-0117.pdf", "plain",
     "application/pdf"),
    ("hosting", "Hosting Ltd <billing@hosting.example>", "Your invoice INV-88341", "INV-88341.pdf", "name",
     "application/pdf"),
    ("octet", "Paper & Co <office@paper.example>", "Invoice no. 5521 for January", "5521.pdf", "plain",
     "application/octet-stream"),
    ("german", "Müller GmbH <rechnung@lieferant.example>", "Rechnung Nr. 2026/0032", "Rechnung_März.pdf",
     "extended", "application/pdf"),
    ("german-word", "Schäfer AG <buchhaltung@schaefer.example>", "Ihre Rechnung 70021",
     "Rechnung für März.pdf", "word", "application/pdf"),
    ("french", "Société Durand <compta@durand.example>", "Facture 2026-55", "facture n°55.pdf", "extended",
     "application/pdf"),
    ("spanish", "Ibérica S.L. <cuentas@iberica.example>", "Factura 3309", "factura.pdf", "plain",
     "application/x-pdf"),
    ("polish", "Zakład Łódź <faktury@zaklad.example>", "Faktura VAT 12/2026", "faktura.pdf", "plain",
     "application/pdf"),
    ("japanese", "株式会社サプライ <keiri@supply.example>", "請求書 INV-2026-7", "請求書.pdf", "extended",
     "application/pdf"),
    ("long-name", "Accounts <billing@partner.example>", "Invoice 2026-0118",
     "invoice-2026-0118-for-the-supply-of-a-rather-large-number-of-rather-small-parts.pdf", "continued",
     "application/pdf"),
    ("upper-type", "Old System <erp@legacy.example>", "INVOICE 000451", "000451.PDF", "plain",
     "APPLICATION/PDF"),
    ("no-name", "Robot <erp@factory.example>", "Invoice 99812", "x.pdf", "bare", "application/pdf"),
)  # fmt: skip

REMINDERS = (
    ("first", "Accounts <billing@partner.example>", "Payment reminder: invoice 2026-0099", "utf-8"),
    ("second", "Hosting Ltd <billing@hosting.example>", "Second reminder for INV-80001", "us-ascii"),
    ("overdue", "Collections <collections@paper.example>", "Invoice 4410 is overdue", "utf-8"),
    (
        "german",
        "Müller GmbH <rechnung@lieferant.example>",
        "Zahlungserinnerung zu Rechnung 2026/0011",
        "iso-8859-1",
    ),
    ("mahnung", "Schäfer AG <buchhaltung@schaefer.example>", "2. Mahnung: Rechnung 69877", "windows-1252"),
    ("french", "Société Durand <compta@durand.example>", "Rappel de paiement : facture 2026-40", "utf-8"),
)


def messages() -> Iterator[Sample]:
    """Give invoices, then reminders, then the rest of what has to do with money."""
    for name, sender, subject, filename, style, kind in INVOICES:
        part = multi("mixed", _words(name, subject), attached(filename, kind, pdf(subject), style))
        yield mail(f"billing/invoice-{name}", _named(sender), _coded(subject), part)
    for name, sender, subject, charset in REMINDERS:
        part = text(f"{subject}\n\nPlease pay within 7 days.\n", charset, "quoted-printable")
        yield mail(f"billing/reminder-{name}", _named(sender), _coded(subject), part)
    yield from _others()


def _words(name: str, subject: str) -> Part:
    plain = f"Dear customer,\n\nplease find attached: {subject}\n\nKind regards\n"
    return both(plain, f"<p>Please find attached: <b>{subject}</b></p>") if len(name) % 2 else text(plain)


def _named(sender: str) -> str:
    name, _, address = sender.rpartition("<")
    return sender if name.isascii() else f"{word(name.strip(), encoding='q')} <{address}"


def _coded(subject: str) -> str:
    return subject if subject.isascii() else word(subject)


BILLING = "Accounts <billing@partner.example>"
PACKED = archive(invoice_pdf=pdf("Invoice 2026-0120"), list_csv=b"no;sum\n1;99\n")
LOGO = png(40, 20, seed=11)
OTHERS: tuple[tuple[str, str, str, Part, dict[str, Any]], ...] = (
    (
        "billing/scan",
        "Paper & Co <office@paper.example>",
        "Invoice 5533 (scanned)",
        multi(
            "mixed",
            text("Scanned for you.\n"),
            attached("5533.pdf", "application/pdf", pdf("Invoice 5533", ballast=320_000)),
        ),
        {},
    ),
    (
        "billing/zipped",
        BILLING,
        "Invoices of January, packed",
        multi(
            "mixed", text("All invoices in one file.\n"), attached("january.zip", "application/zip", PACKED)
        ),
        {},
    ),
    (
        "billing/credit-note",
        BILLING,
        "Credit note CN-7",
        multi(
            "mixed",
            text("We credit the difference.\n"),
            attached("CN-7.pdf", "application/pdf", pdf("Credit note CN-7")),
        ),
        {},
    ),
    (
        "billing/receipt",
        "Shop <receipts@shop.example>",
        "Receipt for your payment",
        html("<table><tr><td>Sum</td><td>&euro; 12.50</td></tr></table>"),
        {},
    ),
    (
        "billing/two-files",
        BILLING,
        "Invoice 2026-0121 and timesheet",
        multi(
            "mixed",
            text("Both attached.\n"),
            attached("invoice-2026-0121.pdf", "application/pdf", pdf("Invoice 2026-0121")),
            attached(
                "timesheet.xlsx",
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                archive(xl_xml=b"<workbook/>"),
            ),
        ),
        {},
    ),
    (
        "billing/xml",
        "Robot <erp@factory.example>",
        "Invoice 99813 (XRechnung)",
        multi(
            "mixed",
            text("Invoice as XML.\n"),
            attached("99813.xml", "application/xml", b'<?xml version="1.0"?><Invoice/>\n', cte="8bit"),
            attached("99813.pdf", "application/pdf", pdf("Invoice 99813")),
        ),
        {},
    ),
    (
        "billing/logo-and-pdf",
        "Hosting Ltd <billing@hosting.example>",
        "Your invoice INV-88402",
        multi(
            "mixed",
            multi(
                "related",
                html('<img src="cid:logo"><p>Thank you.</p>'),
                attached("logo.png", "image/png", LOGO).with_fields(("Content-ID", "<logo>")),
            ),
            attached("INV-88402.pdf", "application/pdf", pdf("INV-88402")),
        ),
        {},
    ),
    (
        "billing/no-file",
        BILLING,
        "Question about invoice 2026-0100",
        text("Did you receive our invoice 2026-0100?\n"),
        {},
    ),
)


def _others() -> Iterator[Sample]:
    for name, sender, subject, part, options in OTHERS:
        yield mail(name, sender, subject, part, **options)
