"""Header fields without what is personal in them: names, types and the words of protocols stay."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Sequence

from engine.mail.automated import cues
from engine.mail.charset import decode
from engine.mail.words import decode_words, tidy
from engine.record import carriers
from engine.record.kept import Keep, Kept
from engine.record.words import Words

_ENCODED = re.compile(rb"=\?([^?\s]{1,80})\?([bBqQ])\?(?:(.*?)\?=|.*+)", re.DOTALL)
"""One that never ends takes the rest, in which no other ends either."""
_PARAM = re.compile(rb';\s*+([^\s=;"]++)\s*+=\s*+("(?:[^"\\]|\\.)*+"?|[^;]*+)', re.DOTALL)
_TYPE = re.compile(rb"\s*[\w.+!#$&^-]{1,127}(?:\s*/\s*[\w.+!#$&^-]{1,127})?")
_EXTENSION = re.compile(r"(?:\.[A-Za-z0-9]{1,5}){1,2}\s*\"?\s*$")
_DATE = re.compile(
    r"\s*(?:[A-Za-z]{3},?\s+)?\d{1,2}\s+[A-Za-z]{3}\s+\d{2,4}\s+\d{1,2}:\d{2}(?::\d{2})?"
    r"\s*+(?:[+-]\d{4}|[A-Z]{1,5})?\s*+"
)
_REMARK = re.compile(r"\([^()]*\)\s*\Z")
_PREFIXES = re.compile(
    r"\s*(?:(?:re|aw|sv|antw|fwd?|wg|tr|rv|enc|i|vs|vb|doorst|转发|転送|auto)\s*(?:\[\d{1,3}\])?\s*[:：]\s*)+",
    re.I,
)

TYPED = frozenset({"content-type", "content-disposition"})
TYPE_PARAMS = frozenset(
    {b"charset", b"format", b"delsp", b"report-type", b"protocol", b"micalg", b"method", b"smime-type"}
)
FILE_PARAMS = (b"filename", b"name")
DATED = frozenset({"date", "resent-date", "delivery-date", "expires", "expiry-date", "x-received-date"})
WHOLE = frozenset({"content-transfer-encoding", "mime-version"})
ADDRESSED = re.compile(
    r"(?:resent-)?(?:from|to|cc|bcc|sender)|reply-to|return-path|delivered-to|errors-to|x-failed-recipients"
)
PLAIN = frozenset({"thread-topic", "comments", "keywords"})
PROTOCOL = re.compile(
    r"from|by|with|id|for|via|e?smtps?a?|lmtp|https?|tls|spf|dkim|dmarc|arc|iprev|auth|pass|(?:soft)?fail"
    r"|neutral|none|(?:temp|perm)error|policy|header|mailfrom|auto|submitted|generated|replied|notified"
    r"|repl(?:y|ies)|no|yes|true|false|bulk|junk|list|all|oof|r?n|dr|autoreply|autoresponder|customer|user"
    r"|notification|urn|content|classes|calendarmessage|high|low|normal|urgent",
    re.I,
)
"""Words of Received, Authentication-Results, Auto-Submitted, Precedence and their like."""
ROLES = re.compile(r"mailer|daemon|mailerdaemon|maildaemon|mdaemon|postmaster|mail|undisclosed", re.I)
_SIMPLE = re.compile(r"\s*[\w.-]{1,20}\s*")
_WORD = re.compile(r"[A-Za-z]+")


def redact_field(name: str, raw: bytes, words: Words, kept: Kept) -> bytes:
    """Redact the value of a field, in the same length."""
    if name in TYPED:
        return _typed(raw, words, kept)
    text = decode(raw.strip(b" \t\r\n"), "")
    if fixed := _SIMPLE if name in WHOLE else _DATE if name in DATED else None:
        said = _said(text)
        if fixed.fullmatch(said):
            return _worded(raw, words, [Keep(said.strip())])
    value = tidy(decode_words(text.replace("\r", "").replace("\n", "")))
    return _worded(raw, words, _known(name, value), kept.in_field(name, value, text.replace("\n", "")))


def _said(text: str) -> str:
    """A value without the remark behind it (RFC 5322, section 3.2.2), in which anything may stand."""
    return _REMARK.sub("", text)


def _known(name: str, value: str) -> list[Keep]:
    """What stays in a field of that name whatever the rules are."""
    if name == "subject":
        prefix = _PREFIXES.match(value)
        spans = [*([prefix.span()] if prefix else []), *cues(value)]
        return [Keep(value[start:end]) for start, end in spans]
    if name in PLAIN:
        return []
    if name == "received":
        _, semicolon, date = value.rpartition(";")
        said = _said(date)
        stamp = [Keep(said.strip())] if semicolon and _DATE.fullmatch(said) else []
        return [*_vocabulary(value, PROTOCOL), *stamp]
    return _vocabulary(value, ROLES if ADDRESSED.fullmatch(name) else PROTOCOL)


def _vocabulary(value: str, known: re.Pattern[str]) -> list[Keep]:
    found = dict.fromkeys(word for word in _WORD.findall(value) if known.fullmatch(word))
    return [Keep(word, alone=True) for word in found]


def _worded(raw: bytes, words: Words, *keeps: Sequence[Keep]) -> bytes:
    """Change the words of a field, encoded ones (RFC 2047) included."""
    known = [keep for some in keeps for keep in some]

    def change(text: str, codec: str) -> str:
        return words.redact(text, [span for keep in known for span in keep.spans(text)], codec)

    out, at = bytearray(), 0
    for found in _ENCODED.finditer(raw):
        if found[3] is None:
            break
        out += carriers.plain(raw[at : found.start()], "", change)
        charset = found[1].partition(b"*")[0].decode("latin-1")
        carry = carriers.base64 if found[2] in b"bB" else _quoted_word
        inside = carry(found[3], lambda data, named=charset: carriers.plain(data, named, change))  # type: ignore[misc]
        out += raw[found.start() : found.start(3)] + inside + b"?="
        at = found.end()
    return bytes(out + carriers.plain(raw[at:], "", change))


def _quoted_word(raw: bytes, work: carriers.Work) -> bytes:
    return carriers.quoted(raw, work, header=True)


def _typed(raw: bytes, words: Words, kept: Kept) -> bytes:
    """Keep the type and what describes it; file names keep their extensions."""
    out, at = bytearray(), 0
    head = _TYPE.match(raw)
    if head:
        out, at = bytearray(head[0]), head.end()
    for found in _PARAM.finditer(raw, at):
        out += _worded(raw[at : found.start()], words)
        out += raw[found.start() : found.start(2)] + _param(found[1].lower(), found[2], words, kept)
        at = found.end()
    return bytes(out + _worded(raw[at:], words))


def _param(name: bytes, value: bytes, words: Words, kept: Kept) -> bytes:
    if name.partition(b"*")[0] not in FILE_PARAMS:
        return value if name in TYPE_PARAMS else _worded(value, words)
    if name.endswith(b"*"):
        return _extended(value, words, kept)
    text = tidy(decode_words(decode(value, ""))).strip('"')
    return _worded(value, words, kept.in_file_name(text), _extension(text))


def _extended(value: bytes, words: Words, kept: Kept) -> bytes:
    """An encoded parameter (RFC 2231, section 4): its charset and language stay."""
    head = re.match(rb"[^']{0,40}'[^']{0,40}'", value)
    start = head.end() if head else 0
    charset = value.partition(b"'")[0].decode("latin-1") if head else ""

    def change(text: str, codec: str) -> str:
        keeps = [*kept.in_file_name(text), *_extension(text)]
        return words.redact(text, [span for keep in keeps for span in keep.spans(text)], codec)

    return value[:start] + carriers.percent(value[start:], lambda data: carriers.plain(data, charset, change))


def _extension(name: str) -> list[Keep]:
    found = _EXTENSION.search(name)
    ending = found[0].strip().strip('"').lower() if found else ""
    known = bool(ending) and any(mimetypes.guess_type("x" + ending))
    return [Keep(ending)] if known else []
