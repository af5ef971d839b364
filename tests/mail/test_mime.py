"""MIME parts, attachments and text. Every case from real mail stands here in our own words."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import Missing
from engine.mail.archive import read_archive
from engine.mail.message import Message
from engine.mail.mime import (
    MAX_DEPTH,
    MAX_PARTS,
    MimePart,
    from_raw,
    is_attachment,
    leaves,
    parse,
    part_text,
    to_message,
)
from engine.mail.needs import NOTHING, Need
from engine.mail.transfer import decode_base64
from tests.growth import is_linear

MIXED = b"Content-Type: multipart/mixed; boundary=b\n\n"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40


def types(raw: bytes) -> list[str]:
    return [part.type for part in leaves(parse(raw))]


def text(raw: bytes) -> str:
    return from_raw(raw, key="k").text


def part(headers: bytes, body: bytes = b"x") -> bytes:
    return b"--b\n" + headers + (b"\n\n" if headers else b"\n") + body + b"\n"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(b"", ["text/plain"], id="nothing"),
        pytest.param(b"Content-Type: Text/HTML\n\nx", ["text/html"], id="type in lower case"),
        pytest.param(b"Content-Type: text\n\nx", ["text/plain"], id="a type without a subtype"),
        pytest.param(MIXED + b"pre\n--b\n\none\n--b\n\ntwo\n--b--\nepi", ["text/plain"] * 2, id="two parts"),
        pytest.param(MIXED + b"--b\n\none\n--b\n\ntwo", ["text/plain"] * 2, id="never closed"),
        pytest.param(MIXED + b"--b \t\r\n\none\n--b--  ", ["text/plain"], id="blanks after the boundary"),
        pytest.param(MIXED + b"--bb\n\none\n--b\n\ntwo", ["text/plain"], id="a longer line is no boundary"),
        pytest.param(MIXED + b"--b--", ["multipart/mixed"], id="no parts at all"),
        pytest.param(MIXED + b"text alone", ["text/plain"], id="no boundary in the body"),
        pytest.param(
            b"Content-Type: multipart/mixed\n\n--z\nContent-Type: text/html\n\nx\n--z--",
            ["text/html"],
            id="no boundary named",
        ),
        pytest.param(
            b"Content-Type: multipart/mixed; boundary=a\n\nx\n--z z\ncontent-type: text/html\n\nx\n--z z--",
            ["text/html"],
            id="another boundary named",
        ),
        pytest.param(
            b"Content-Type: multipart/mixed; boundary=a\n\nx\n-----\nhello\n-----\n",
            ["text/plain"],
            id="lines of dashes are no boundary",
        ),
        pytest.param(
            b'Content-Type: multipart/mixed\n boundary="b"\n\n--b\n\nx\n--b--',
            ["text/plain"],
            id="no semicolon",
        ),
        pytest.param(
            b"Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: x\n\ny\n--b--",
            ["message/rfc822"],
            id="a digest holds messages",
        ),
        pytest.param(
            MIXED + part(b"Content-Type: message/rfc822", MIXED), ["message/rfc822"], id="a message"
        ),
        pytest.param(
            b"Content-Type: multipart/mixed; boundary=" + b"x" * 700 + b"\n\n--" + b"x" * 700 + b"\n\na",
            ["text/plain"],
            id="a boundary of 700 characters",
        ),
        pytest.param(MIXED.replace(b"\n", b"\r") + b"--b\r\rone\r--b--\r", ["text/plain"], id="bare CR"),
        pytest.param(
            MIXED + b"--b\n--b\nContent-Type: text/html\n--b--", ["text/plain", "text/html"], id="empty"
        ),
    ],
)
def test_finds_the_parts(raw: bytes, expected: list[str]) -> None:
    assert types(raw) == expected


def test_the_line_break_before_a_boundary_is_not_the_part_s() -> None:
    bodies = [one.body for one in leaves(parse(MIXED + b"--b\r\n\r\none\r\n\r\n--b\n\ntwo\n--b--"))]
    assert bodies == [b"one\r\n", b"two"]


def test_an_enclosed_message_keeps_its_bytes() -> None:
    inner = b"Subject: inner\r\n\r\nhello\r\n"
    for encoding, body in ((b"7bit", inner), (b"base64", base64.encodebytes(inner))):
        raw = MIXED + part(b"Content-Type: message/rfc822\nContent-Transfer-Encoding: " + encoding, body)
        (found,) = leaves(parse(raw))
        assert found.body is not None
        assert found.body.strip() == inner.strip()
        assert is_attachment(found)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        pytest.param(b'Content-Disposition: attachment; filename="a b.pdf"', "a b.pdf", id="quoted"),
        pytest.param(
            b"Content-Disposition: attachment; filename=a b.pdf; size=1", "a b.pdf", id="not quoted"
        ),
        pytest.param(b"Content-Type: application/pdf; NAME=a.pdf", "a.pdf", id="in the type"),
        pytest.param(b'Content-Type: application/pdf name="a.pdf"', "a.pdf", id="no semicolon"),
        pytest.param(b'Content-Disposition: ;\n filename="a.pdf"', "a.pdf", id="no disposition"),
        pytest.param(b"Content-Disposition: inline; filename*=utf-8''%C3%BC.pdf", "ü.pdf", id="RFC 2231"),
        pytest.param(
            b"Content-Disposition: attachment; filename*1*=%BC.pdf; filename*0*=utf-8''%C3",
            "ü.pdf",
            id="RFC 2231 sections out of order, cut inside a character",
        ),
        pytest.param(
            b'Content-Disposition: attachment; filename*0="a"; filename*1=".pdf"',
            "a.pdf",
            id="plain sections",
        ),
        pytest.param(
            b"Content-Disposition: attachment; filename*=%41.pdf", "A.pdf", id="RFC 2231 less its charset"
        ),
        pytest.param(b'Content-Type: x/y; name="=?utf-8?q?=C3=BC?=.pdf"', "ü.pdf", id="RFC 2047"),
        pytest.param(
            b'Content-Type: x/y; name="=?utf-8?q?=C3=BC?=\n =?utf-8?q?=2Epdf?="',
            "ü.pdf",
            id="RFC 2047 folded",
        ),
        pytest.param("Content-Type: x/y; name=管理.doc".encode(), "管理.doc", id="raw UTF-8"),
        pytest.param(b'Content-Type: x/y; name="C:\\tmp\\a.pdf"', "C:\\tmp\\a.pdf", id="a Windows path"),
        pytest.param(b'Content-Type: x/y; name="a \\"b\\".pdf"', 'a "b".pdf', id="escaped quotes"),
        pytest.param(b'Content-Type: x/y; name="a.pdf', "a.pdf", id="a quote that never ends"),
        pytest.param(b"Content-Disposition: attachment", "", id="none"),
    ],
)
def test_reads_file_names(fields: bytes, name: str) -> None:
    (found,) = leaves(parse(MIXED + part(fields)))
    assert found.filename == name
    assert is_attachment(found)


@pytest.mark.parametrize(
    ("encoding", "body", "expected"),
    [
        pytest.param(b"base64", b"aGk", b"hi", id="no padding"),
        pytest.param(b"BASE64 ", b"a G\n k=", b"hi", id="blanks inside"),
        pytest.param(b"base64", b"aGk=aGk=", b"hihi", id="two texts in a row"),
        pytest.param(b"base64", b"aGk=\n____\nThe list", b"hi", id="a list's footer below"),
        pytest.param(b"base64", b"aGkxa", b"hi1", id="a digit too many"),
        pytest.param(b"base64", b"*!", b"", id="no base64 at all"),
        pytest.param(b"quoted-printable", b"a=\nb=3D=zz", b"ab==zz", id="quoted-printable with an error"),
        pytest.param(b"x-uuencode", b"begin 644 a\n", b"begin 644 a\n", id="uuencode stays as it is"),
        pytest.param(b"base9000", b"x", b"x", id="an unknown encoding"),
        pytest.param(b'"base64"', b"aGk=", b"hi", id="quotes around the encoding"),
    ],
)
def test_takes_transfer_encodings_off(encoding: bytes, body: bytes, expected: bytes) -> None:
    found = parse(b"Content-Transfer-Encoding: " + encoding + b"\n\n" + body)
    assert found.body == expected
    assert found.size == len(expected)


@pytest.mark.parametrize(
    ("charset", "body", "expected"),
    [
        pytest.param(b"utf-8", "ü".encode(), "ü", id="UTF-8"),
        pytest.param(b'"ISO-8859-1"', b"\xfc", "ü", id="Latin-1 in quotes"),
        pytest.param(b"us-ascii", "ü".encode(), "ü", id="UTF-8 called ASCII"),
        pytest.param(b"us-ascii", b"\xfc", "ü", id="Latin-1 called ASCII"),
        pytest.param(b"utf-8", b"Gr\xfc\xdfe", "Grüße", id="Latin-1 called UTF-8"),
        pytest.param(b"utf-8", "ü".encode() + b"\xfc", "ü\ufffd", id="UTF-8 with one error"),
        pytest.param(b"gb2312", "你好！".encode(), "你好！", id="UTF-8 called GB 2312"),
        pytest.param(b"iso-2022-jp", "テスト".encode("euc_jp"), "テスト", id="EUC-JP called ISO-2022-JP"),
        pytest.param(b"big5", "永久".encode("big5"), "永久", id="Big5"),
        pytest.param(b"koi8-r", "Список".encode("koi8-r"), "Список", id="KOI8-R"),
        pytest.param(b"utf-16", "ü".encode("utf-16"), "ü", id="UTF-16 with its mark"),
        pytest.param(b"windows-1251", b"\x98", "\ufffd", id="an undefined byte"),
        pytest.param(b"DEFAULT", b"\xfc", "ü", id="an unknown charset"),
        pytest.param(b"rot13", b"uv", "uv", id="a codec that is no charset"),
        pytest.param(b"idna", b"xn--a", "xn--a", id="a codec that takes quadratic time"),
        pytest.param(
            b"utf-8", b"\xef\xbb\xbfa\r\nb\r\r\nc\rd\0", "a\nb\nc\nd", id="marks, line breaks and NUL"
        ),
    ],
)
def test_decodes_text(charset: bytes, body: bytes, expected: str) -> None:
    assert text(b"Content-Type: text/plain; charset=" + charset + b"\n\n" + body) == expected


ALTERNATIVE = MIXED.replace(b"mixed", b"alternative")
HTML = part(b"Content-Type: text/html", b"<p>html</p>")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(ALTERNATIVE + part(b"", b"plain") + HTML, "plain", id="plain wins over HTML"),
        pytest.param(ALTERNATIVE + part(b"", b" \n") + HTML, "html", id="HTML where plain says nothing"),
        pytest.param(MIXED + part(b"", b"one") + part(b"", b"two"), "one\ntwo", id="plain parts are joined"),
        pytest.param(
            MIXED + part(b"", b"one") + part(b"Content-Disposition: attachment", b"two"),
            "one",
            id="no attachment",
        ),
        pytest.param(
            MIXED + part(b"", b"a") + part(b"Content-Type: text/plain; name=x", b"b"), "a", id="no file"
        ),
        pytest.param(
            b"Content-Type: text/plain; name=a.txt\n\nhello", "hello", id="a message that is one file"
        ),
        pytest.param(b"Content-Type: text/enriched\n\nhello", "hello", id="an unknown kind of text"),
        pytest.param(b"Content-Type: text/calendar\n\nBEGIN:VCALENDAR", "", id="a calendar is data"),
        pytest.param(MIXED + part(b"Content-Type: message/rfc822", b"\nx"), "", id="an enclosed message"),
    ],
)
def test_the_text_that_a_person_reads(raw: bytes, expected: str) -> None:
    assert text(raw).strip() == expected


def test_everything_of_a_raw_message_is_known() -> None:
    raw = b"Subject: s\nMessage-ID: <1@x>\n" + MIXED
    raw += part(
        b"Content-Type: image/jpeg; name=a.jpg\nContent-Transfer-Encoding: base64", base64.b64encode(PNG)
    )
    message = from_raw(raw, key="k", mailbox="m", labels=frozenset({"INBOX"}))
    (attachment,) = message.attachments
    assert (message.key, message.mailbox, set(message.labels)) == ("k", "m", {"INBOX"})
    assert (message.subject, message.message_id, message.size) == ("s", "<1@x>", len(raw))
    assert (attachment.name, attachment.type, attachment.size) == ("a.jpg", "image/jpeg", len(PNG))
    assert (attachment.sniffed, attachment.sha256) == ("image/png", hashlib.sha256(PNG).hexdigest())


@pytest.mark.parametrize(
    ("needs", "known"),
    [
        pytest.param({Need.HEADERS}, [], id="the header alone"),
        pytest.param({Need.BODY}, ["text"], id="the text and no files"),
        pytest.param({Need.CONTENT}, ["attachments"], id="files and no text"),
    ],
)
def test_a_whole_message_is_cut_down_to_what_is_needed(needs: set[Need], known: list[str]) -> None:
    held = from_raw(MIXED + part(b""), key="k").holding(frozenset(needs))
    assert [name for name in ("text", "attachments") if _is_known(held, name)] == known
    assert held.holding(NOTHING) is held


def _is_known(message: Message, name: str) -> bool:
    try:
        getattr(message, name)
    except Missing:
        return False
    return True


def test_bytes_that_were_not_fetched_stay_unknown() -> None:
    root = parse(MIXED + part(b"") + part(b"Content-Type: x/y; name=n", b"bytes"))
    held = to_message(root, key="k", content=False)
    assert held.text == "x"
    assert (held.attachments[0].sniffed, held.attachments[0].sha256) == (None, None)
    bare = to_message(MimePart(root.headers, root.type, "", None, 0), key="k", content=False)
    for read in ("text", "attachments", "size"):
        with pytest.raises(Missing):
            getattr(bare, read)
    body = MimePart(root.headers, "text/plain", "", None, 5, attachment_id="a1")
    pdf = MimePart(root.headers, "application/pdf", "a.pdf", None, 9, attachment_id="a2")
    fetched = to_message(MimePart(root.headers, root.type, "", None, 0, (body, pdf)), key="k", content=True)
    assert [(one.size, one.sniffed, one.id) for one in fetched.attachments] == [(9, None, "a2")]
    with pytest.raises(Missing):
        _ = fetched.text
    assert part_text(body) == ""


def nested(levels: int) -> bytes:
    one = b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n"
    return b"".join(one % (level, level) for level in range(levels)) + b"\nhi"


def test_depth_and_number_of_parts_are_bounded() -> None:
    assert types(nested(MAX_DEPTH)) == ["text/plain"]
    assert types(nested(MAX_DEPTH + 1)) == ["multipart/mixed"]
    assert len(types(MIXED + b"--b\n\nx\n" * (MAX_PARTS + 9))) == MAX_PARTS
    assert types(nested(20_000)) == ["multipart/mixed"]


def test_a_megabyte_of_line_breaks_is_read() -> None:
    body = b"\r" * 1_000_000
    assert from_raw(b"A: 1\n\n" + body, key="k").text == ""
    assert from_raw(b"A: 1\n\n" + body + b"x", key="k").text.strip() == "x"


@pytest.mark.parametrize("piece", [b"--b\n", b"\n--b ", b"\n--a\ncontent", b"-", b"\r", b"=\n", b"\n-- "])
@pytest.mark.parametrize(
    "head", [MIXED, MIXED.replace(b"=b", b"=" + b"-" * 60), b"Content-Type: multipart/x\n\n"]
)
def test_reading_is_linear(head: bytes, piece: bytes) -> None:
    assert is_linear(
        lambda size: to_message(parse(head + piece * (size // len(piece))), key="k", content=True), 30_000
    )


def test_base64_of_paddings_is_linear() -> None:
    assert is_linear(lambda size: decode_base64(b"=A" * size), 20_000)


def test_base64_of_lines_encoded_one_by_one_is_read_whole() -> None:
    line = base64.b64encode(b"x" * 40) + b"\n"
    assert decode_base64(line * 20_000) == b"x" * 800_000


def test_base64_is_read_up_to_so_many_paddings() -> None:
    assert len(decode_base64(b"aGk=" * 1_000_000)) == 2 * 4_000_000 // 32


LINES = st.sampled_from(
    [
        *(
            b"Content-Type: multipart/mixed; boundary=b",
            b"Content-Type: text/html; charset=utf-7",
            b"--b",
            b"--b--",
        ),
        *(
            b"Content-Transfer-Encoding: base64",
            b"Content-Disposition: attachment; filename*0*=x''%",
            b"",
            b"\r",
        ),
        *(
            b"Content-Type: message/rfc822",
            b"<p>&#99999999999999;<",
            b"=?utf-8?q?=C3?=",
            b"+2AA-",
            b" folded",
        ),
    ]
)


@given(st.binary(max_size=400) | st.lists(LINES | st.binary(max_size=20), max_size=30).map(b"\n".join))
def test_no_bytes_make_it_raise(raw: bytes) -> None:
    message = from_raw(raw, key="k")
    pieces = (message.text, message.subject, *(f"{one.name}{one.type}" for one in message.attachments))
    "".join(pieces).encode()


@given(st.binary(max_size=400) | st.lists(LINES | st.binary(max_size=20), max_size=30).map(b"\n".join))
def test_what_is_read_when_asked_for_is_what_is_read_at_once(raw: bytes) -> None:
    later, now = from_raw(raw, key="k"), to_message(parse(raw), key="k", content=True, size=len(raw))
    assert (later.headers, later.size) == (now.headers, now.size)
    assert (later.types, later.attachments, later.text) == (now.types, now.attachments, now.text)
    assert later.holding(frozenset(Need)) == now


@pytest.mark.corpus
def test_every_message_of_the_corpus_is_read(corpus: Path) -> None:
    archives = sorted(corpus.glob("*/messages.zip"))
    entries = [entry for archive in archives for entry in read_archive(archive)]
    assert [entry.name for entry in entries if entry.error] == []
    for entry in entries:
        message = from_raw(entry.raw, key=entry.name)
        written = [
            message.text,
            *message.headers.texts("Subject"),
            *(one.name for one in message.attachments),
        ]
        for field in ("From", "To", "Cc", "Reply-To", "Sender"):
            written += [f"{one.name} {one.normal}" for one in message.addresses(field)]
        "".join(written).encode()
    assert len(entries) > 2_000
