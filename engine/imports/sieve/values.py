"""Variables (RFC 5229): texts that are partly known, partly what a test will have captured."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from engine.imports.sieve.cond import Site

_USE = re.compile(r"\$\{(?:[A-Za-z_][A-Za-z0-9_]*\.)*([A-Za-z_][A-Za-z0-9_]*|[0-9]{1,3})\}")
_ENCODED = re.compile(
    r"\$\{(hex|unicode):((?:[ \t\r\n]*+[0-9a-f]++)++)[ \t\r\n]*+\}", re.IGNORECASE | re.ASCII
)
MAX_VALUE = 4_000
"""Characters of a variable that are kept (RFC 5229, section 3 asks for 4000)."""


@dataclass(frozen=True)
class Use:
    """What a group of a test captured, perhaps in lower or upper case."""

    site: Site
    group: int
    case: str = ""
    wish: str = ""
    """What the script calls it."""


@dataclass(frozen=True)
class Unknown:
    """A text that cannot be told; the reason is."""

    why: str


Value = tuple[str | Use | Unknown, ...]
Matched = Site | tuple[str, ...] | Unknown | None
"""What ${0}, ${1}, ... stand for: a test's captures, known texts, what cannot be told, or nothing yet."""


def uses(text: str) -> list[str]:
    """Name the variables that a text reads, in lower case."""
    return [name.lower() for name in _USE.findall(text)]


def decode(text: str) -> str:
    """Decode `${hex:...}` and `${unicode:...}` (RFC 5228, section 2.4.2.4)."""
    return _ENCODED.sub(_decoded, text) if "${" in text else text


def _decoded(found: re.Match[str]) -> str:
    codes = [int(code, 16) for code in found[2].split()]
    if found[1].lower() == "hex":
        return bytes(codes).decode("utf-8", "replace") if max(codes) < 256 else found[0]
    valid = all(code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF for code in codes)
    return "".join(map(chr, codes)) if valid else found[0]


def expand(text: str, variables: Mapping[str, Value], matched: Matched) -> Value:
    """Put in what variables stand for; one that was never set is empty."""
    pieces: list[str | Use | Unknown] = []
    at = 0
    for found in _USE.finditer(text):
        pieces.append(text[at : found.start()])
        pieces += _lookup(found[1].lower(), variables, matched)
        at = found.end()
    return joined([*pieces, text[at:]])


def _lookup(name: str, variables: Mapping[str, Value], matched: Matched) -> Value:
    if not name.isdigit():
        return variables.get(name, ())
    group = int(name)
    if isinstance(matched, Unknown):
        return (matched,)
    if isinstance(matched, Site):
        return (Use(matched, group),) if group <= matched.groups else ()
    return (matched[group],) if matched and group < len(matched) else ()


def joined(pieces: Iterable[str | Use | Unknown]) -> Value:
    """Join neighbouring texts, and drop empty ones."""
    made: list[str | Use | Unknown] = []
    for piece in pieces:
        if isinstance(piece, str) and made and isinstance(made[-1], str):
            made[-1] += piece
        elif piece != "":
            made.append(piece)
    return tuple(piece[:MAX_VALUE] if isinstance(piece, str) else piece for piece in made)


def known(value: Value) -> str | None:
    """Give a text that is wholly known, else None."""
    if all(isinstance(piece, str) for piece in value):
        return "".join(piece for piece in value if isinstance(piece, str))
    return None


def named(value: Value, name: str) -> Value:
    """Remember what the script calls a capture that is a variable's whole value."""
    if len(value) == 1 and isinstance(value[0], Use) and not value[0].wish:
        return (replace(value[0], wish=name),)
    return value


_CASES: Mapping[str, Callable[[str], str]] = {"lower": str.lower, "upper": str.upper}
_KNOWN_ONLY: Mapping[str, Callable[[str], str]] = {
    "lowerfirst": lambda text: text[:1].lower() + text[1:],
    "upperfirst": lambda text: text[:1].upper() + text[1:],
    "quotewildcard": lambda text: re.sub(r"([*?\\])", r"\\\1", text),
    "quoteregex": lambda text: re.sub(r"([][\\.*+?{}()|^$])", r"\\\1", text),
    "encodeurl": lambda text: re.sub(r"[^A-Za-z0-9._~-]", _percent, text),
    "length": lambda text: str(len(text)),
}
_ORDER = ("lower", "upper", "lowerfirst", "upperfirst", "quotewildcard", "quoteregex", "encodeurl", "length")
"""How modifiers follow each other (RFC 5229, section 4.1)."""


def _percent(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode())


def modified(value: Value, modifiers: Iterable[str]) -> Value:
    """Apply the modifiers of `set`."""
    given = set(modifiers)
    for name in _ORDER:
        if name in given:
            value = _modified(value, name)
    return value


def _modified(value: Value, name: str) -> Value:
    if name in _CASES:
        return tuple(_cased(piece, name) for piece in value)
    text = known(value)
    if text is None:
        return (Unknown(f"':{name}' of what a test captured"),)
    return joined([_KNOWN_ONLY[name](text)])


def _cased(piece: str | Use | Unknown, case: str) -> str | Use | Unknown:
    if isinstance(piece, str):
        return _CASES[case](piece)
    return replace(piece, case=case) if isinstance(piece, Use) else piece
