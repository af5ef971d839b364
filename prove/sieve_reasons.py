"""Why our verdict on a message differs from Pigeonhole's, told from the message's own bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.errors import HeaderParseError
from email.header import decode_header, make_header

from engine.imports.sieve.catalog import ADDRESS_FIELDS

EMPTY_LINE = (
    "the message begins with an empty line, which Pigeonhole takes for the end of the header and we do not"
)
NO_FIELD = "a line of the header is no field: which fields stand before and after it is read differently"
ENCRYPTED = (
    "the message is encrypted: its subject and text are unknown to our rules, whatever they seem to say"
)
NOT_ASCII = "'{}' holds bytes that are not ASCII"
BLANKS = "'{}' holds several blanks in a row, which are one to us"
NO_ADDRESS = (
    "'{}' is no list of addresses by RFC 5322: Pigeonhole compares its text, we what addresses it holds"
)
WORDS = "'{}' holds an encoded word that is broken or of an uncommon character set"

NEXT_LINE = (
    "'{}' begins on a continuation line: to Pigeonhole its text begins with a blank, to us it does not"
)
ONE_CHARACTER = (
    "`?` beside `*`: Pigeonhole 0.5.19 is off by a character there (`*?*` does not fit `0`; RFC 5228, 2.7.1)"
)

_FIELD = re.compile(rb"[!-9;-~]+[ \t]*:")
_FOLD = re.compile(rb"\r?\n(?=[ \t])")
_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ENCRYPTED = re.compile(
    rb"^content-type:\s*(?:multipart/encrypted|application/(?:x-)?pkcs7-mime)", re.I | re.M
)

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]++"
_DOTTED = rf"{_ATOM}(?:\.{_ATOM})*+"
_QUOTED = r'"(?:[^"\\]++|\\.)*+"'
_BLANK = r"[ \t]*+(?:\((?:[^()\\]++|\\.)*+\)[ \t]*+)*+"
_SPEC = rf"(?:{_DOTTED}|{_QUOTED})@(?:{_DOTTED}|\[[^\]]*+\])"
_MAILBOX = rf"{_BLANK}(?:{_SPEC}|(?:(?:{_ATOM}|{_QUOTED}){_BLANK})*+<{_BLANK}{_SPEC}{_BLANK}>){_BLANK}"
_LIST = re.compile(rf"{_MAILBOX}(?:,{_MAILBOX})*+")
"""What is a list of addresses beyond doubt: no groups, nothing obsolete."""
_WORD = re.compile(rb"=\?(?:utf-8|iso-8859-\d+|us-ascii)\?[bq]\?[^ ?]*\?=", re.I)


def reasons(raw: bytes, test: str) -> list[str]:
    """Give every reason that this message offers for a test of Sieve to come out differently."""
    return list(dict.fromkeys(_reasons(raw, test)))


def _reasons(raw: bytes, test: str) -> Iterator[str]:
    if raw[:1] in (b"\n", b"\r"):
        yield EMPTY_LINE
        return
    if re.search(r":matches[^:]*(?:\?\*|\*\?)", test):
        yield ONE_CHARACTER
    header = re.split(rb"\r?\n\r?\n", raw, maxsplit=1)[0]
    lines = _FOLD.sub(b"\0", header).replace(b"\r\n", b"\n").split(b"\n")
    if not all(_FIELD.match(line) for line in lines):
        yield NO_FIELD
    if _ENCRYPTED.search(header) and re.search(r"subject|body", test, re.I):
        yield ENCRYPTED
    named = {text.lower() for text in _TEXT.findall(test)}
    people = named & ADDRESS_FIELDS if "address" in test else set()
    people |= {"from", "sender", "return-path"} if "envelope" in test else set()
    for line in lines:
        name, _, value = line.partition(b":")
        field = name.decode("latin-1").strip().lower()
        if field in named | people:
            yield from _of_field(field, value, field in people)


def _of_field(field: str, folded: bytes, people: bool) -> Iterator[str]:
    if folded.lstrip(b" \t").startswith(b"\0"):
        yield NEXT_LINE.format(field)
    value = folded.replace(b"\0", b"")
    if not value.isascii():
        yield NOT_ASCII.format(field)
    if re.search(r"\t|  ", _decoded(value).strip()):
        yield BLANKS.format(field)
    if people and not _LIST.fullmatch(value.decode("latin-1").strip()):
        yield NO_ADDRESS.format(field)
    if b"=?" in _WORD.sub(b"", value):
        yield WORDS.format(field)


def _decoded(value: bytes) -> str:
    """Read encoded words by the standard library, which none of the two uses."""
    text = value.decode("latin-1")
    try:
        return str(make_header(decode_header(text)))
    except (ValueError, LookupError, HeaderParseError):
        return text
