"""Hostile raw messages of any size, by what is the matter with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

Make = Callable[[int], bytes]
"""Gives about so many bytes."""

HEAD = b"From: a@b.example\nSubject: a\n"
MIXED = HEAD + b'Content-Type: multipart/mixed; boundary="b"\n\n'
NAMELESS = HEAD + b"Content-Type: multipart/mixed\n\n"
NEST = b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n"
DEPTH = 45
TOO_DEEP = 60
"""What lies within each other is read once for each level, up to a bound, which this is beyond."""


def _of(head: bytes, piece: bytes, tail: bytes = b"") -> Make:
    return lambda size: head + piece * max(1, size // len(piece)) + tail


def _numbered(head: bytes, piece: bytes, tail: bytes = b"") -> Make:
    """Write a number of fixed width into each piece."""
    length = len(piece % 0) + 5
    return lambda size: head + b"".join(piece % (100_000 + n) for n in range(max(1, size // length))) + tail


def _nested(size: int) -> bytes:
    return b"".join(NEST % (n, n) for n in range(TOO_DEEP + size // 55))


def _parts_deep_down(size: int) -> bytes:
    return b"".join(NEST % (n, n) for n in range(DEPTH)) + b"--b%d\n\na\n" % (DEPTH - 1) * (size // 9)


def _encoded(encoding: bytes, piece: bytes, kind: bytes = b"text/plain") -> Make:
    head = b"Content-Type: %s; name=a\nContent-Transfer-Encoding: %s\n\n" % (kind, encoding)
    return _of(HEAD + head, piece)


def _charset(name: bytes, piece: bytes) -> Make:
    return _of(HEAD + b"Content-Type: text/plain; charset=%s\n\n" % name, piece)


MAILS: Mapping[str, Make] = {
    "many fields of one name": _of(b"", b"Subject: a\n", b"\nx"),
    "many fields of many names": _numbered(b"", b"X-%d: a\n", b"\nx"),
    "fields without a name": _of(b"", b": a\n", b"\nx"),
    "a field folded very often": _of(b"Subject: a", b"\n a", b"\n\nx"),
    "encoded words folded very often": _of(b"Subject: a", b"\n =?utf-8?q?a?=", b"\n\nx"),
    "a huge name of a field": _of(b"", b"a", b": x\n\nx"),
    "a line that is no field": _of(b"", b"a", b"\n\nx"),
    "blanks before a colon": _of(b"a", b" ", b"x\n\n"),
    "line breaks that are none": _of(b"Subject: a\n", b"\r", b"x\n\n"),
    "many Received": _of(b"", b"Received: by a; Thu, 1 Jan 2026 00:00:00 +0000\n", b"\n"),
    "many results of servers": _of(b"", b"Authentication-Results: mx.example; spf=pass\n", b"\n"),
    "many fields of addresses": _of(b"", b"To: a@b, (c) d@e\n", b"\n"),
    "empty parts": _of(MIXED, b"--b\n"),
    "small parts": _of(MIXED, b"--b\n\na\n"),
    "closed parts": _of(MIXED, b"--b--\n"),
    "attached files": _of(MIXED, b"--b\nContent-Disposition: attachment; filename=a.pdf\n\n%PDF\n"),
    "parts of HTML": _of(MIXED, b"--b\nContent-Type: text/html\n\n<p>a\n"),
    "messages in a digest": _of(
        HEAD + b"Content-Type: multipart/digest; boundary=b\n\n", b"--b\n\nA: b\n\nx\n"
    ),
    "lines that are nearly a boundary": _of(MIXED, b"--b x\n"),
    "boundaries in one line": _of(MIXED, b"--b"),
    "blanks behind a boundary": _of(MIXED + b"--b", b" ", b"x\n"),
    "lines that could be a boundary": _of(NAMELESS, b"\n--aaa\n"),
    "dashes where a boundary could be": _of(NAMELESS, b"-"),
    "carriage returns where a boundary could be": _of(NAMELESS + b"\n--a", b"\r"),
    "multiparts in multiparts": _nested,
    "many parts deep down": _parts_deep_down,
    "messages in messages": _of(b"", b"Content-Type: message/rfc822\n\n"),
    "base64 with padding everywhere": _encoded(b"base64", b"Zg==\n"),
    "base64 of nothing but padding": _encoded(b"base64", b"="),
    "base64 with dirt": _encoded(b"base64", b"Zg!="),
    "a file in base64 of single bytes": _encoded(b"base64", b"Zg= ", b"application/pdf"),
    "quoted-printable of blanks": _encoded(b"quoted-printable", b" "),
    "quoted-printable of lines": _encoded(b"quoted-printable", b" =\n"),
    "quoted-printable of nothing": _encoded(b"quoted-printable", b"="),
    "UTF-7 left open": _charset(b"utf-7", b"+"),
    "shifts of ISO-2022-JP": _charset(b"iso-2022-jp", b"\x1b$B"),
    "bytes in no charset": _charset(b"utf-8", b"\xff"),
    "shifts of HZ": _charset(b"hz", b"~{"),
    "separators of an mbox": _of(HEAD + b"\n", b"\nFrom a 10:00\n"),
    "quoted separators of an mbox": _of(HEAD + b"\n", b">"),
}
