"""Bytes of any declared charset as text that every consumer can encode again."""

from __future__ import annotations

import codecs
import re
from functools import lru_cache

_SUPERSETS = {
    # What senders call these is in practice the wider one (WHATWG Encoding Standard, section 4.2).
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "big5": "cp950",
    "iso2022_jp": "iso2022_jp_ext",
}
_ALIASES = {
    "windows-31j": "cp932",
    "x-sjis": "cp932",
    "x-gbk": "gb18030",
    "x-mac-roman": "mac_roman",
    "windows-874": "cp874",
    "iso-8859-8-i": "iso8859-8",
    "iso-8859-8-e": "iso8859-8",
    "utf8mb4": "utf-8",
    "unicode": "utf-16",
}
# Text codecs that are no charsets: quadratic in time, or giving meaning to backslashes.
_NO_CHARSETS = {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "mbcs", "oem"}
_MISTAKEN = {"iso2022_jp_ext": ("euc_jp",)}
_SURROGATES = re.compile("[\ud800-\udfff]")


def decode(data: bytes, charset: str = "") -> str:
    """Decode bytes; where they are not in the charset named, what they are instead; errors replaced.

    An unknown charset is UTF-8, else Windows-1252.
    """
    codec = _codec(charset) if charset else ""
    if codec in ("", "ascii"):
        return _guess(data)
    for likely in (codec, "utf-8", *_MISTAKEN.get(codec, ())):
        try:
            return _clean(data.decode(likely))
        except (UnicodeError, LookupError, ValueError):
            continue
    text = data.decode(codec, "replace")
    return _windows(data) if codec == "utf-8" and _is_foreign(text) else _clean(text)


def _is_foreign(text: str) -> bool:
    """Whether decoding gave nothing but errors beside ASCII."""
    return text.replace("\ufffd", "").isascii()


def without_surrogates(text: str) -> str:
    """Put U+FFFD for lone surrogates, which no UTF-8 writer takes."""
    try:
        text.encode()  # Many times as fast as to search.
    except UnicodeEncodeError:
        return _SURROGATES.sub("\ufffd", text)
    return text


def _clean(text: str) -> str:
    return without_surrogates(text).removeprefix("\ufeff")


def _guess(data: bytes) -> str:
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError:
        return _windows(data)


def _windows(data: bytes) -> str:
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return data.decode("latin-1")


@lru_cache(maxsize=256)
def _codec(charset: str) -> str:
    """Name Python's codec for a charset, "" when there is none."""
    name = charset.strip().strip("\"'").lower()[:60]
    try:
        info = codecs.lookup(_ALIASES.get(name, name))
    except (LookupError, ValueError):
        return ""
    if info.name.replace("_", "-") in _NO_CHARSETS or not getattr(info, "_is_text_encoding", True):
        return ""
    return _SUPERSETS.get(info.name, info.name)
