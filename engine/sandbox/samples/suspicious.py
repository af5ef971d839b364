"""Harmless look-alikes of what a mail desk should mistrust, and signed or sealed mail."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from engine.sandbox.samples.files import archive
from engine.sandbox.samples.wire import Part, Sample, attached, both, html, mail, multi, text, word

HARMLESS = b"This is a harmless text file of Postroom's sample mail.\r\n"
TRICKS = (
    ("boss", "Acme Support <acme.support@freemail.example>", "Are you at your desk?"),
    ("address-as-name", '"support@acme.example" <x91@freemail.example>', "Mailbox almost full"),
    (
        "encoded-name",
        f"{word('Acme Support <support@acme.example>')} <x92@freemail.example>",
        "Verify your account",
    ),
    ("ceo", "The Boss (ceo@acme.example) <boss.acme@freemail.example>", "Quick favour"),
    ("homograph", f"{word('Асме Support')} <help@acrne.example>", "Your ticket"),
    ("idn", "Acme Billing <billing@xn--cme-8ka.example>", "New bank details"),
)


def messages() -> Iterator[Sample]:
    """Give display-name tricks, files nobody should open, then signatures and ciphertext."""
    for name, sender, subject in TRICKS:
        rich = (
            f'<p>{subject}</p><p><a href="https://acme.example.login.example/">https://acme.example</a></p>'
        )
        yield mail(f"suspicious/{name}", sender, subject, both(f"{subject}\n", rich))
    yield from _files()
    yield from _flagged()
    yield from _sealed()


def _files() -> Iterator[Sample]:
    for name, filename, kind in (
        ("double-extension", "invoice.pdf.exe", "application/octet-stream"),
        ("script", "document.js", "application/javascript"),
        ("screensaver", "photo.scr", "image/jpeg"),
        ("macro", "order.docm", "application/vnd.ms-word.document.macroEnabled.12"),
        ("right-to-left", "invoice\u202efdp.exe", "application/pdf"),
    ):
        style = "plain" if filename.isascii() else "extended"
        part = multi("mixed", text("Please open.\n"), attached(filename, kind, HARMLESS, style))
        yield mail(f"suspicious/{name}", "Delivery <delivery@freemail.example>", "Your document", part)
    packed = archive(invoice_exe=HARMLESS)
    yield mail(
        "suspicious/zip-in-disguise",
        "Delivery <delivery@freemail.example>",
        "Invoice",
        multi("mixed", text("See file.\n"), attached("invoice.pdf", "application/pdf", packed)),
    )


def _flagged() -> Iterator[Sample]:
    verdict = (
        "mx.acme.example; spf=fail smtp.mailfrom=bank.example; dkim=none; dmarc=fail header.from=bank.example"
    )
    for name, subject, fields in (
        ("spam-flag", "You won", [("X-Spam-Flag", "YES"), ("X-Spam-Status", "Yes, score=12.3 required=5.0")]),
        ("spam-score", "Cheap watches", [("X-Spam-Flag", "YES"), ("X-Spam-Level", "**********")]),
        ("dmarc-fail", "Your account is locked", [("Authentication-Results", verdict)]),
    ):
        yield mail(
            f"suspicious/{name}",
            "Win <win@lottery.example>",
            subject,
            html(f"<p>{subject}</p>"),
            extra=fields,
        )


SIGNED = text("Signed words.\n", "us-ascii", "7bit")
BLOB = base64.b64decode("MIAGCSqGSIb3DQEHAqCAMIACAQExAA==")
ARMOUR = "-----BEGIN PGP SIGNATURE-----\r\n\r\niHUEABYKAB0=\r\n=abcd\r\n-----END PGP SIGNATURE-----\r\n"
SIGNATURE = Part((("Content-Type", "application/pgp-signature; name=signature.asc"),), ARMOUR.encode())
CIPHERTEXT = Part(
    (("Content-Type", "application/octet-stream; name=encrypted.asc"),),
    ARMOUR.replace("SIGNATURE", "MESSAGE").encode(),
)
VERSION = Part((("Content-Type", "application/pgp-encrypted"),), b"Version: 1\r\n")
SEALED = (
    ("smime-signed", multi(
        "signed", SIGNED, attached("smime.p7s", "application/pkcs7-signature; name=smime.p7s", BLOB),
        params='; protocol="application/pkcs7-signature"; micalg=sha-256')),
    ("smime-opaque", attached(
        "smime.p7m", "application/pkcs7-mime; smime-type=signed-data; name=smime.p7m", BLOB)),
    ("smime-encrypted", attached(
        "smime.p7m", "application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m", BLOB)),
    ("pgp-signed", multi(
        "signed", SIGNED, SIGNATURE, params='; protocol="application/pgp-signature"; micalg=pgp-sha512')),
    ("pgp-encrypted", multi(
        "encrypted", VERSION, CIPHERTEXT, params='; protocol="application/pgp-encrypted"')),
    ("pgp-inline", text("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nHello\n" + ARMOUR)),
)  # fmt: skip
KEY = "addr=kim@integrator.example; prefer-encrypt=mutual;\r\n keydata=mDMEXEcE6RYJKwYBBAHaRw8BAQdA"


def _sealed() -> Iterator[Sample]:
    for name, part in SEALED:
        yield mail(f"sealed/{name}", "Rita <rita@partner.example>", f"Sealed: {name}", part)
    kim = "Kim <kim@integrator.example>"
    yield mail("sealed/autocrypt", kim, "With a key", text("Hello.\n"), extra=[("Autocrypt", KEY)])
