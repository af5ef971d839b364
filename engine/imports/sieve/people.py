"""Tests of addresses as address kinds: the whole address, or one of its parts (RFC 5228, 5233)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from engine.imports.sieve.expression import Untranslatable, escaped, from_posix, from_wildcards, wildcards
from engine.imports.sieve.kinds import NUMERIC, OCTET, Comparison, Kinds, as_glob, one_or_many
from engine.rules.addresses import read_address, read_domain

BEFORE = {"localpart": r"\A", "user": r"\A", "detail": r"\A[^+@]*\+", "domain": "@"}
AFTER = {"localpart": r"@[^@]*\z", "user": r"(?:\+[^@]*)?@[^@]*\z", "detail": r"@[^@]*\z", "domain": r"\z"}
ANY = {"localpart": ".", "user": "[^+@]", "detail": "[^@]", "domain": "[^@]"}
"""What stands around a part of an address, and what it is made of."""


def address_kinds(part: str, asked: Comparison, names: Mapping[int, str]) -> list[Kinds]:
    """Give alternatives, of which one must hold of an address. Raises Untranslatable."""
    if asked.comparator == NUMERIC or asked.match not in ("is", "contains", "matches", "regex"):
        raise Untranslatable(f"addresses cannot be compared by ':{asked.match}' or as numbers")
    plain = not names and asked.comparator != OCTET and asked.match != "regex"
    if plain and part in _GLOBS:
        return _gathered(kind for key in asked.keys for kind in _GLOBS[part](asked.match, key))
    patterns = [_pattern(part, asked, key, names) for key in asked.keys]
    return [{"regex": one_or_many(patterns)}]


def _gathered(pairs: Iterable[tuple[str, str]]) -> list[Kinds]:
    found: dict[str, list[str]] = {}
    for kind, key in pairs:
        found.setdefault(kind, []).append(key)
    if "exists" in found:
        return [{"exists": True}]
    return [{kind: one_or_many(keys)} for kind, keys in found.items()]


def _whole(match: str, key: str) -> Iterator[tuple[str, str]]:
    pieces = _pieces(match, key)
    wild = [piece in ("*", "?") for piece in pieces]
    if pieces and all(piece == "*" for piece in pieces):
        yield "exists", ""
    elif not any(wild):
        yield from [_literal("".join(piece[-1] for piece in pieces))] if pieces else []
    elif pieces[:2] == ["*", "@"] and _is_domain(pieces[2:]):
        yield "domain", "".join(piece[-1] for piece in pieces[2:])
    else:
        yield "glob", as_glob(pieces)


def _literal(address: str) -> tuple[str, str]:
    if address.startswith("@"):
        return "glob", as_glob(_quoted(address))
    try:
        return "is", read_address(address)
    except ValueError:
        return "glob", as_glob(_quoted(address))


def _domain(match: str, key: str) -> Iterator[tuple[str, str]]:
    pieces = _pieces(match, key)
    if not pieces:
        return
    if _is_domain(pieces):
        yield "domain", "".join(piece[-1] for piece in pieces)
    else:
        yield "glob", as_glob(["*", "@", *pieces])


def _local(match: str, key: str) -> Iterator[tuple[str, str]]:
    pieces = _pieces(match, key)
    if pieces:
        yield "glob", as_glob([*pieces, "@", "*"])


_GLOBS = {"all": _whole, "domain": _domain, "localpart": _local}


def _pieces(match: str, key: str) -> list[str]:
    if match == "matches":
        return list(wildcards(key))
    literal = _quoted(key)
    return ["*", *literal, "*"] if match == "contains" else literal


def _quoted(text: str) -> list[str]:
    return ["\\" + char if char in "*?\\" else char for char in text]


def _is_domain(pieces: list[str]) -> bool:
    """Say whether a pattern is a domain, or `*.` and a domain."""
    rest = pieces[2:] if pieces[:2] == ["*", "."] else pieces
    domain = "".join(piece[-1] for piece in rest)
    if any(piece in ("*", "?") for piece in rest) or not domain or domain.startswith(("@", "*")):
        return False
    try:
        return read_domain(domain) == domain
    except ValueError:
        return False


def _pattern(part: str, asked: Comparison, key: str, names: Mapping[int, str]) -> str:
    """Write a pattern of the whole address that fits where a part of it does."""
    inner_names = {group: name for group, name in names.items() if group}
    inner, begins, ends = _inner(asked, key, inner_names)
    edged = "|" in inner and (begins or ends)
    if asked.match == "regex" and (part != "all" or names) and (edged or set("^$") & set(_outside(inner))):
        raise Untranslatable(f"an edge ('^' or '$') within a pattern of ':{part}'")
    inner = f"(?P<{names[0]}>{inner})" if 0 in names else f"(?:{inner})" if "|" in inner else inner
    if part == "all":
        return asked.flags + (r"\A" if begins else "") + inner + (r"\z" if ends else "")
    before = BEFORE[part] + ("" if begins else ANY[part] + "*?")
    return asked.flags + before + inner + ("" if ends else ANY[part] + "*") + AFTER[part]


def _inner(asked: Comparison, key: str, names: Mapping[int, str]) -> tuple[str, bool, bool]:
    """Give a pattern without its edges, and whether it begins and ends where the text does."""
    if asked.match == "regex":
        made = from_posix(key, "").written(names)
        begins, ends = made.startswith("^"), made.endswith("$") and not made.endswith(r"\$")
        return made[begins : len(made) - ends], begins, ends
    if asked.match == "matches":
        made = from_wildcards(key, "").written(names)
        return made.removeprefix(r"\A").removesuffix(r"\z"), True, True
    whole = asked.match == "is"
    return escaped(key), whole, whole


def _outside(expression: str) -> str:
    """Leave out bracket expressions and escaped characters."""
    made, at = [], 0
    while at < len(expression):
        if expression[at] == "\\":
            at += 2
        elif expression[at] == "[":
            at = _closing(expression, at + 1)
        else:
            made.append(expression[at])
            at += 1
    return "".join(made)


def _closing(expression: str, at: int) -> int:
    while at < len(expression) and expression[at] != "]":
        at += 2 if expression[at] == "\\" else 1
    return at + 1
