"""Header fields and encoded words."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.headers import MAX_FIELDS, MAX_HEADER_BYTES, Headers, decode_words, parse_headers
from engine.mail.mime import parse
from engine.mail.words import tidy
from tests.growth import is_linear


def test_names_compare_without_case_and_values_keep_their_order() -> None:
    headers = Headers([("Received", "one"), ("SUBJECT", "hello"), ("received", "two")])
    assert headers.all("RECEIVED") == ("one", "two")
    assert headers.text("subject") == "hello"
    assert "Subject" in headers
    assert "Cc" not in headers
    assert headers.text("Cc") == ""
    assert list(headers) == [("Received", "one"), ("SUBJECT", "hello"), ("received", "two")]


def test_a_field_counts_as_often_as_it_is_there() -> None:
    headers = Headers([("X", "yes")] * 3)
    assert headers.all("x") == headers.texts("X") == ("yes",) * 3


@pytest.mark.parametrize(
    ("raw", "pairs"),
    [
        pytest.param(b"A: 1\nB: 2\n\nC: 3\n", [("A", "1"), ("B", "2")], id="LF, body left alone"),
        pytest.param(b"A: 1\r\nB: 2\r\n\r\nC: 3", [("A", "1"), ("B", "2")], id="CRLF"),
        pytest.param(b"A: 1\rB: 2\r\rC: 3", [("A", "1"), ("B", "2")], id="bare CR and nothing else"),
        pytest.param(b"A: 1\r\r\nB: 2\r\r\n\r\r\nC: 3", [("A", "1"), ("B", "2")], id="a CR too many"),
        pytest.param(
            b"A: 1\n\t2\n 3\nB: 4\n", [("A", "1\t2 3"), ("B", "4")], id="folded fields are unfolded"
        ),
        pytest.param(b"A: 1\n \n 2\nB: 3\n", [("A", "1  2"), ("B", "3")], id="a folded line of blanks alone"),
        pytest.param(b"From x Mon Jan 1\nA: 1\n", [("A", "1")], id="an mbox line before the fields"),
        pytest.param(b">From x\n y: 1\nA: 1\n", [("A", "1")], id="an mbox line that is folded"),
        pytest.param(b"From : x\nA: 1\n", [("From", "x"), ("A", "1")], id="a sender, not an mbox line"),
        pytest.param(b"  " * 99 + b"\nA: 1\n\nx", [("A", "1")], id="a line of blanks before the fields"),
        pytest.param(b" A: 1\nB: 2\n", [("A", "1"), ("B", "2")], id="a blank before the first name"),
        pytest.param(b"\xef\xbb\xbfA: 1\n", [("A", "1")], id="a byte order mark"),
        pytest.param(b"A : 1\n", [("A", "1")], id="blanks before the colon"),
        pytest.param(b"N\xe4me: 1\nB: 2\n", [("N\xe4me", "1"), ("B", "2")], id="a name that is not ASCII"),
        pytest.param(b": no name\nB: 2\n", [("B", "2")], id="no name at all"),
        pytest.param(b"A: 1\nno field\nB: 2\n", [("A", "1")], id="a line that is no field begins the body"),
        pytest.param(b"\nA: 1", [("A", "1")], id="an empty line first"),
        pytest.param(b"", [], id="nothing"),
        pytest.param("A: Grüße\n".encode(), [("A", "Grüße")], id="raw UTF-8"),
        pytest.param(b"A: Gr\xfc\xdfe\n", [("A", "Grüße")], id="raw Latin-1"),
        pytest.param(b"A: \x93hi\x94\n", [("A", "“hi”")], id="raw Windows-1252"),
        pytest.param(b"A: a\0b\n", [("A", "a\0b")], id="a NUL stays in the raw value"),
    ],
)
def test_reads_fields_however_lines_end(raw: bytes, pairs: list[tuple[str, str]]) -> None:
    assert list(parse_headers(raw)) == pairs


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        pytest.param("=?utf-8?Q?Gr=C3=BC=C3=9Fe?=", "Grüße", id="quoted-printable"),
        pytest.param("=?UTF-8?B?R3LDvMOfZQ==?=", "Grüße", id="base64"),
        pytest.param("=?utf-8?b?R3LDvMOfZQ?=", "Grüße", id="base64 without padding"),
        pytest.param("=?utf-8?q?a?=  =?utf-8?q?b?=", "ab", id="blanks between two words go"),
        pytest.param("x =?utf-8?q?a?= y", "x a y", id="blanks beside plain text stay"),
        pytest.param("=?utf-8?q?=C3?= =?utf-8?q?=BC?=", "ü", id="a character cut in two"),
        pytest.param("=?utf-8?q?a_b?=", "a b", id="underscores are blanks"),
        pytest.param("=?utf-8?q?What?now?=", "What?now", id="a question mark inside"),
        pytest.param("=?utf-8?q?a b?=", "a b", id="a blank inside"),
        pytest.param("Re:=?utf-8?q?a?=!", "Re:a!", id="no blanks around"),
        pytest.param("=?utf-8*en?q?a?=", "a", id="a language (RFC 2231)"),
        pytest.param("=?x-unknown?q?=FC?=", "ü", id="an unknown charset"),
        pytest.param("=?iso-8859-1?q?=80?=", "€", id="Latin-1 is taken for Windows-1252"),
        pytest.param("=?gb2312?b?yMs=?=", "人", id="GB 2312"),
        pytest.param("=?iso-2022-jp?B?GyRCJUYlOSVIGyhC?=", "テスト", id="ISO-2022-JP"),
        pytest.param("=?ks_c_5601-1987?B?x9G9ww==?=", "한시", id="Korean by its old name"),
        pytest.param("=?utf-7?q?+2AA-?=", "\ufffd", id="a lone surrogate out of UTF-7"),
        pytest.param("\ud800", "\ufffd", id="a lone surrogate as it stands"),
        pytest.param("=?unicode_escape?q?=5Cn?=", "\\n", id="a codec that is no charset"),
        pytest.param("=?utf-8?q?open", "=?utf-8?q?open", id="a word that never ends"),
        pytest.param("=?utf-8?x?a?=", "=?utf-8?x?a?=", id="an unknown encoding"),
    ],
)
def test_decodes_words(raw: str, text: str) -> None:
    assert Headers([("Subject", raw)]).text("Subject") == text


def test_tidies_whitespace_and_drops_nul() -> None:
    headers = Headers([("Subject", " a \t\r\n b\0 "), ("Subject", "=?utf-8?q?a=0D=0ABcc:_x?=")])
    assert headers.texts("Subject") == ("a b", "a Bcc: x")


@given(st.binary(max_size=300))
def test_headers_alone_equal_the_whole_message_s(raw: bytes) -> None:
    assert parse_headers(raw) == parse(raw).headers


@given(st.text(max_size=200) | st.text("=?utf-8QBqb_ab41\t", max_size=200))
def test_decoding_never_raises_and_gives_writable_text(raw: str) -> None:
    decode_words(raw).encode()


@given(st.text(st.characters(blacklist_categories=["Cs", "Cc", "Z"]), max_size=60))
def test_reads_back_what_the_standard_library_encodes(text: str) -> None:
    from email.header import Header

    encoded = Header(text, "utf-8", maxlinelen=60).encode(linesep="\n").replace("\n", "")
    assert decode_words(encoded) == text or "=?" not in encoded


def test_bounds_count_and_size_of_fields() -> None:
    assert len(parse_headers(b"A: 1\n" * (MAX_FIELDS + 50))) == MAX_FIELDS
    long = b"A: " + b"x" * (MAX_HEADER_BYTES + 50) + b"\nB: 1\n\nbody"
    assert len(parse_headers(long).text("A")) < MAX_HEADER_BYTES
    assert parse(long).body == b"body"


@pytest.mark.parametrize("piece", [b"=?", b"=?a?q?", b" \n", b"a: b\n", b":\n", b"\r", b"=?utf-8?b?YQ==?= "])
def test_reading_is_linear(piece: bytes) -> None:
    assert is_linear(
        lambda size: parse_headers(b"Subject: " + piece * (size // len(piece))).text("Subject"), 30_000
    )


@given(st.text("ab \t\n\f\x1c\0\x85\u3000é\ud800"))
def test_whitespace_of_ascii_is_tidied(text: str) -> None:
    assert tidy(text) == " ".join(re.findall(r"[^ \t\n\r\f\v]+", text.replace("\0", ""))).strip()
