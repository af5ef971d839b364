"""Mail of odd structure, and mail that is broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import reduce

from engine.sandbox.samples.files import GIF, JPEG, pdf, png
from engine.sandbox.samples.wire import Part, Sample, attached, both, forwarded, html, mail, multi, text

ANN = "Ann <ann@customer.example>"
HELLO = text("Hello.\n", "us-ascii", "7bit")
INNER = mail("odd/inner", "bob@customer.example", "Inside", both("Inside.\n", "<p>Inside</p>"))[1]
DEEP = reduce(lambda part, level: multi("mixed" if level % 2 else "alternative", part), range(12), HELLO)

STRUCTURES: tuple[tuple[str, str, Part], ...] = (
    ("odd/deep", "Twelve levels", DEEP),
    ("odd/many-parts", "Forty parts", multi("mixed", *(text(f"Part {n}\n") for n in range(40)))),
    (
        "odd/text-around-file",
        "Before and after",
        multi("mixed", text("Before.\n"), attached("a.pdf", "application/pdf", pdf("A")), text("After.\n")),
    ),
    (
        "odd/three-alternatives",
        "Three bodies",
        multi("alternative", text("Hi\n"), text("*Hi*\n", subtype="markdown"), html("<b>Hi</b>")),
    ),
    (
        "odd/inline-images",
        "Images without HTML",
        multi(
            "mixed",
            text("Two images.\n"),
            *(
                Part(
                    (
                        ("Content-Type", kind),
                        ("Content-Transfer-Encoding", "binary"),
                        ("Content-Disposition", "inline"),
                    ),
                    data,
                )
                for kind, data in (("image/gif", GIF), ("image/jpeg", JPEG))
            ),
        ),
    ),
    (
        "odd/external-body",
        "File elsewhere",
        multi(
            "mixed",
            text("It is there.\n"),
            Part(
                (("Content-Type", 'message/external-body; access-type=URL; URL="https://files.example/a"'),),
                b"Content-Type: application/pdf\r\n\r\n",
            ),
        ),
    ),
    (
        "odd/partial",
        "Part 1 of 2",
        Part(
            (("Content-Type", 'message/partial; number=1; total=2; id="p@customer.example"'),),
            b"Subject: whole\r\n\r\nfirst half\r\n",
        ),
    ),
    ("odd/message-alone", "Only a forwarded message", forwarded(INNER)),
    (
        "odd/message-base64",
        "Forwarded in base64",
        multi("mixed", text("See.\n"), attached("mail.eml", "message/rfc822", INNER)),
    ),
    (
        "odd/unknown-type",
        "Unknown type",
        multi("mixed", text("See.\n"), attached("data.bin", "x-acme/x-thing", b"\0\1\2\3" * 64)),
    ),
    (
        "odd/apple-double",
        "From a Mac",
        multi(
            "mixed",
            text("See.\n"),
            multi(
                "appledouble",
                attached("a.png", "application/applefile", b"\0\5\x16\7" * 8),
                attached("a.png", "image/png", png(8, 8)),
            ),
        ),
    ),
    (
        "odd/tnef",
        "From Outlook",
        multi(
            "mixed",
            text("See.\n"),
            attached("winmail.dat", "application/ms-tnef", b"\x78\x9f\x3e\x22\x01\x00"),
        ),
    ),
    (
        "odd/same-names",
        "Two files of one name",
        multi(
            "mixed",
            text("See.\n"),
            attached("a.pdf", "application/pdf", pdf("First")),
            attached("a.pdf", "application/pdf", pdf("Second")),
        ),
    ),
    (
        "odd/path-in-name",
        "A path as a name",
        multi("mixed", text("See.\n"), attached("../../etc/report.pdf", "application/pdf", pdf("Report"))),
    ),
)

BROKEN: tuple[tuple[str, str, Part], ...] = (
    ("broken/no-end", "Cut off", multi("mixed", text("First.\n"), text("Second.\n"), closed=False)),
    (
        "broken/no-parts",
        "No parts",
        Part((("Content-Type", 'multipart/mixed; boundary="x"'),), b"Nothing.\r\n"),
    ),
    (
        "broken/no-boundary",
        "No boundary",
        Part((("Content-Type", "multipart/mixed"),), b"--x\r\n\r\nHi\r\n--x--\r\n"),
    ),
    (
        "broken/base64",
        "Bad base64",
        Part(
            (("Content-Type", "text/plain; charset=utf-8"), ("Content-Transfer-Encoding", "base64")),
            b"SGVsbG8h*\r\nZ29vZA\r\n",
        ),
    ),
    (
        "broken/quoted-printable",
        "Bad quoted-printable",
        Part(
            (
                ("Content-Type", "text/plain; charset=utf-8"),
                ("Content-Transfer-Encoding", "quoted-printable"),
            ),
            b"100=% =G1 =\r\nend=\r\n",
        ),
    ),
    (
        "broken/wrong-encoding",
        "Says base64, is plain",
        Part(
            (("Content-Type", "text/plain"), ("Content-Transfer-Encoding", "base64")),
            b"This is not base64 at all.\r\n",
        ),
    ),
    (
        "broken/unknown-encoding",
        "Unknown encoding",
        Part((("Content-Type", "text/plain"), ("Content-Transfer-Encoding", "x-gzip64")), b"Hello\r\n"),
    ),
    ("broken/content-type", "Bad content type", Part((("Content-Type", "text; charset"),), b"Hello\r\n")),
    ("broken/nul", "With a NUL", Part((("Content-Type", "text/plain"),), b"before\0after\r\n")),
    (
        "broken/preamble",
        "With a preamble",
        multi(
            "mixed",
            text("Body.\n"),
            preamble=b"This is a multi-part message.\r\n",
            epilogue=b"trailing junk\r\n",
        ),
    ),
)

DAMAGED: tuple[tuple[str, Part, Callable[[bytes], bytes]], ...] = (
    ("bare-lf", both("Hello.\n", "<p>Hello</p>"), lambda raw: raw.replace(b"\r\n", b"\n")),
    ("mbox-line", HELLO, lambda raw: b"From ann@customer.example Mon Jan  5 08:00:00 2026\r\n" + raw),
    ("junk-line", HELLO, lambda raw: raw.replace(b"Subject:", b"this is no header field\r\nSubject:", 1)),
    ("headers-only", HELLO, lambda raw: raw.partition(b"\r\n\r\n")[0] + b"\r\n"),
)
"""What happens to a message as a whole on its way."""


def messages() -> Iterator[Sample]:
    """Give odd structures, then broken parts, then broken messages."""
    for name, subject, part in (*STRUCTURES, *BROKEN):
        yield mail(name, ANN, subject, part)
    for name, part, damage in DAMAGED:
        file, raw = mail(f"broken/{name}", ANN, "A question", part)
        yield file, damage(raw)
