"""Images and files of outgoing mail: where they hang, what they are called, how large they may be."""

from __future__ import annotations

from dataclasses import replace
from email.headerregistry import BaseHeader
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.mail.bodies import MAX_FILES, MAX_FILES_SIZE, File, UnsendableError, file_name
from engine.mail.compose import compose
from tests.mail.test_compose import PLAIN, read

LOGO = File("logo.png", "image/png", b"\x89PNG\r\n\x1a\n\0", "logo.1@acme.example")
TERMS = File("terms.pdf", "application/pdf", b"%PDF-1.7\n\xe2\xe3")


def shape(part: EmailMessage) -> object:
    """A part's type, with those of what it holds."""
    inner = [shape(each) for each in part.iter_parts()] if part.is_multipart() else []  # type: ignore[arg-type]
    return (part.get_content_type(), inner) if inner else part.get_content_type()


def test_images_hang_on_the_html_and_files_on_the_mail() -> None:
    second = replace(LOGO, id="two@acme.example")
    mail = read(compose(replace(PLAIN, files=(TERMS, LOGO, second))))
    related = ("multipart/related", ["text/html", "image/png", "image/png"])
    assert shape(mail) == (
        "multipart/mixed",
        [("multipart/alternative", ["text/plain", related]), "application/pdf"],
    )
    images = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert [part["Content-ID"] for part in images] == ["<logo.1@acme.example>", "<two@acme.example>"]
    assert images[0].get_payload(decode=True) == LOGO.content
    assert images[0].get_content_disposition() == "inline"
    assert [file.get_filename() for file in mail.iter_attachments()] == ["terms.pdf"]


def test_a_mail_leaves_no_classes_behind() -> None:
    compose(PLAIN)
    known = len(object.__subclasses__()) + len(BaseHeader.__subclasses__())
    compose(replace(PLAIN, subject="another"))
    assert len(object.__subclasses__()) + len(BaseHeader.__subclasses__()) == known


def test_files_make_the_same_bytes_each_time_in_seven_bits() -> None:
    files = (LOGO, replace(TERMS, name="Verträge 2026.pdf"), File("a.eml", "message/rfc822", b"A: b\n\nHi\n"))
    raw = compose(replace(PLAIN, files=files))
    assert raw == compose(replace(PLAIN, files=files))
    assert raw.isascii()
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert max(map(len, raw.split(b"\r\n"))) <= 78
    assert not [part.defects for part in read(raw).walk() if part.defects]
    assert "Verträge 2026.pdf" in [part.get_filename() for part in read(raw).walk()]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        pytest.param(b"Subject: x\n\nHello\n", "message/rfc822", id="a plain message is a message"),
        pytest.param("Subject: ü\n\n".encode(), "application/octet-stream", id="one of 8 bits is a file"),
        pytest.param(b"X: " + b"y" * 999, "application/octet-stream", id="one of long lines is a file"),
    ],
)
def test_an_attached_message_is_never_encoded(content: bytes, kind: str) -> None:
    mail = read(compose(replace(PLAIN, files=(File("a.eml", "message/rfc822", content),))))
    assert [part.get_content_type() for part in mail.iter_attachments()] == [kind]


@pytest.mark.parametrize(
    ("files", "why"),
    [
        pytest.param((TERMS,) * (MAX_FILES + 1), "has 51 files", id="too many files"),
        pytest.param(
            (replace(TERMS, content=b"x" * (MAX_FILES_SIZE + 1)),), "bytes, more than", id="too large"
        ),
        pytest.param((replace(LOGO, id="a\r\nX: y@z"),), "Content-ID", id="an id of two lines"),
    ],
)
def test_files_that_cannot_go_are_refused(files: tuple[File, ...], why: str) -> None:
    with pytest.raises(UnsendableError, match=why):
        compose(replace(PLAIN, files=files))


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300), st.text(max_size=40))
def test_no_name_or_type_of_a_file_adds_a_field_or_a_path(name: str, kind: str) -> None:
    mail = read(compose(replace(PLAIN, files=(replace(TERMS, name=name, type=kind),))))
    assert mail.keys() == [*read(compose(PLAIN)).keys()]
    (part,) = mail.iter_attachments()
    assert set(part.keys()) == {
        "Content-Type",
        "Content-Transfer-Encoding",
        "Content-Disposition",
        "MIME-Version",
    }
    assert part.get_payload(decode=True) == TERMS.content
    assert part.get_filename() == file_name(name)
    assert not set(file_name(name)) & set("\r\n/\\\0")


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        pytest.param("../../etc/passwd", "etc passwd", id="a path"),
        pytest.param("a\r\nBcc: x", "a Bcc x", id="line breaks"),
        pytest.param("...", "file", id="dots alone"),
        pytest.param("", "file", id="nothing"),
        pytest.param("x" * 200 + ".pdf", "x" * 116 + ".pdf", id="a long name keeps its ending"),
        pytest.param("Rechnung März.pdf", "Rechnung März.pdf", id="letters of any language"),
    ],
)
def test_names_of_files_are_cleaned(name: str, clean: str) -> None:
    assert file_name(name) == clean


def test_answers_go_where_reply_to_says() -> None:
    mail = read(compose(replace(PLAIN, reply_to=PLAIN.to)))
    assert str(mail["Reply-To"]) == "Ann <ann@partner.example>"
