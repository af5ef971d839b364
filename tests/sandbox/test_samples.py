"""The sample mail: real enough, varied enough, the same each time."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message as Parsed

import filetype
import pytest

from engine.mail.address import Address
from engine.mail.mime import from_raw
from engine.sandbox.samples import sample_messages
from engine.sandbox.samples.files import archive, pdf, png

SAMPLES = sample_messages()
MESSAGES = {name: from_raw(raw, key=name) for name, raw in SAMPLES}


def shape(part: Parsed) -> object:
    """What a part looks like from outside: types, charset, encoding, disposition, and its parts."""
    inner = part.get_payload() if part.is_multipart() else []
    return (
        part.get_content_type(),
        part.get_content_charset(),
        str(part.get("Content-Transfer-Encoding", "")),
        part.get_content_disposition(),
        tuple(shape(child) for child in inner if isinstance(child, Parsed)),
    )


def test_names_are_unique_and_the_bytes_stay_the_same() -> None:
    assert len({name for name, _ in SAMPLES}) == len(SAMPLES)
    assert sample_messages() == SAMPLES
    assert 200 <= len(SAMPLES) <= 300


def test_structures_are_as_varied_as_real_mail() -> None:
    parsed = [message_from_bytes(raw) for _, raw in SAMPLES]
    bodies = {shape(mail) for mail in parsed}
    headers = {frozenset(name.lower() for name in mail.keys()) for mail in parsed}  # noqa: SIM118 # repeated names
    assert len(bodies) >= 60
    assert len(headers) >= 40


def test_sizes_go_up_to_a_few_hundred_kilobytes() -> None:
    sizes = sorted(len(raw) for _, raw in SAMPLES)
    assert sizes[0] < 400
    assert 300_000 < sizes[-1] < 600_000
    assert sum(sizes) < 2_000_000


def addresses() -> Iterator[Address]:
    for message in MESSAGES.values():
        for field in ("From", "To", "Cc", "Reply-To", "Sender", "Delivered-To"):
            yield from message.addresses(field)


def test_every_address_is_in_a_reserved_domain() -> None:
    found = {address.domain for address in addresses() if address.domain}
    assert {domain.rpartition(".")[2] for domain in found} <= {"example", "test"}


@pytest.mark.parametrize(
    ("name", "subject", "text"),
    [
        pytest.param(
            "support/de-hilfe", "Hilfe bei der Anmeldung", "Jürgen Müller", id="ISO-8859-1, quoted-printable"
        ),
        pytest.param("support/pl-haslo", "Nie działa hasło", "Proszę o reset hasła", id="Windows-1250, 8bit"),
        pytest.param("support/ru-vopros", "Вопрос по заказу 48344", "Где мой заказ", id="KOI8-R, 8bit"),
        pytest.param("support/ja-shitsumon", "ログインできません", "お世話に", id="ISO-2022-JP"),
        pytest.param("support/zh-bangzhu", "无法登录", "我无法登录", id="GB18030, base64"),
        pytest.param("support/ar-talab", "طلب رقم 48410", "أين طلبي", id="Windows-1256"),
        pytest.param("support/emoji", "App 📱 broken 😢", "🙏", id="emoji"),
        pytest.param(
            "odd/raw-latin1-headers", "Grüße aus Köln", "Hello", id="undeclared Latin-1 in the header"
        ),
        pytest.param("odd/html-only", "Only HTML", "Ünïcödé & more", id="HTML alone"),
        pytest.param("broken/no-end", "Cut off", "Second.", id="a missing terminator"),
    ],
)
def test_what_a_person_reads(name: str, subject: str, text: str) -> None:
    message = MESSAGES[f"{name}.eml"]
    assert message.subject == subject
    assert text in message.text


@pytest.mark.parametrize(
    ("name", "filename", "sniffed"),
    [
        pytest.param("billing/invoice-plain", "invoice-2026-0117.pdf", "application/pdf", id="a PDF"),
        pytest.param(
            "billing/invoice-german", "Rechnung_März.pdf", "application/pdf", id="a name by RFC 2231"
        ),
        pytest.param(
            "billing/invoice-german-word", "Rechnung für März.pdf", "application/pdf", id="a name by RFC 2047"
        ),
        pytest.param("support/screenshot", "screen.png", "image/png", id="a PNG"),
        pytest.param("support/many-pictures", "IMG_101.jpg", "image/jpeg", id="a JPEG"),
        pytest.param("support/logs", "logs.zip", "application/zip", id="a zip"),
        pytest.param(
            "suspicious/zip-in-disguise", "invoice.pdf", "application/zip", id="a zip that says PDF"
        ),
    ],
)
def test_files_are_what_they_seem(name: str, filename: str, sniffed: str) -> None:
    file = MESSAGES[f"{name}.eml"].attachments[0]
    assert (file.name, file.sniffed) == (filename, sniffed)


def test_files_are_real() -> None:
    assert filetype.guess(png(8, 8)).mime == "image/png"
    with zipfile.ZipFile(io.BytesIO(archive(a_txt=b"x"))) as packed:
        assert packed.testzip() is None
        assert packed.namelist() == ["a.txt"]
    made = pdf("Title", ballast=100)
    start = int(made.rsplit(b"startxref\n", 1)[1].split()[0])
    assert made[start:].startswith(b"xref\n0 7\n")
    for number, line in enumerate(made[start:].split(b"\n")[3:9], 1):
        assert made[int(line[:10]) :].startswith(b"%d 0 obj" % number)


def test_threads_hang_together() -> None:
    turns = [MESSAGES[f"thread/delivery-{turn}.eml"] for turn in range(1, 6)]
    ids = [turn.message_id for turn in turns]
    assert [turn.headers.text("In-Reply-To") for turn in turns[1:]] == ids[:-1]
    assert turns[-1].headers.text("References").split() == ids[:-1]
