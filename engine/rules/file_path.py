"""Where a rule saves a file: its author's pattern, filled with what mail says, which leads nowhere else."""

from __future__ import annotations

import re
from collections.abc import Mapping

from engine.mail.bodies import file_name
from engine.rules.findings import unknown

_USE = re.compile(r"\{\{\s*([a-z]+)\.([A-Za-z_][A-Za-z0-9_]*)\s*(?:\|\s*(lower|upper)\s*)?\}\}")
FIELDS: Mapping[str, frozenset[str]] = {
    "file": frozenset({"name", "stem", "suffix", "number"}),
    "message": frozenset({"key", "subject", "sender", "domain", "date", "year", "month", "day"}),
}
MAX_LEVELS = 10
MAX_PATTERN = 500
MAX_BYTES = 200
"""Bytes of one name; file systems take 255, and a number may follow."""
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?", re.I | re.S)
"""Devices to some systems, whatever follows the dot."""


def check_pattern(pattern: str) -> str:
    """Give a pattern back that is one. Raises ValueError with what to write."""
    if len(pattern) > MAX_PATTERN or not pattern.isprintable() or "\\" in pattern:
        raise ValueError(f"must be one line of at most {MAX_PATTERN} characters, with / between folders")
    parts = pattern.split("/")
    if any(part.strip(". ") == "" for part in parts):
        raise ValueError("leads out of its folder, or has an empty part; write 2026/{{ file.name }}")
    if len(parts) > MAX_LEVELS:
        raise ValueError(f"is nested deeper than {MAX_LEVELS} folders")
    for owner, field, _ in _USE.findall(pattern):
        known = FIELDS.get(owner)
        if owner != "captures" and (known is None or field not in known):
            names = [f"{one}.{field}" for one, fields in FIELDS.items() for field in fields]
            raise ValueError(unknown("field", f"{owner}.{field}", names))
    left = _USE.sub("", pattern)
    if "{{" in left or "{%" in left:
        raise ValueError("takes {{ file.name }}, {{ captures.NAME }}, each with | lower or | upper")
    return pattern


def fill_path(pattern: str, values: Mapping[str, str]) -> tuple[str, ...]:
    """Fill a pattern; `values` by `owner.field`. No value adds a level, climbs or becomes a device."""
    return tuple(_name(_USE.sub(lambda use: _filled(use, values), part)) for part in pattern.split("/"))


def _filled(use: re.Match[str], values: Mapping[str, str]) -> str:
    value = values.get(f"{use[1]}.{use[2]}", "")
    cased = value.lower() if use[3] == "lower" else value.upper() if use[3] == "upper" else value
    line = "".join(char if char.isprintable() else " " for char in cased)
    return file_name(line) if line.strip() else ""


def _name(text: str) -> str:
    """Make one name: no device, not hidden, short enough with room for a number."""
    name = file_name(text)
    if _RESERVED.fullmatch(name):
        name = f"_{name}"
    stem, dot, suffix = name.rpartition(".")
    if not stem or len(suffix) > 10:
        stem, dot, suffix = name, "", ""
    room = MAX_BYTES - len(f"{dot}{suffix}".encode())
    cut = stem.encode("utf-8", "replace")[:room].decode("utf-8", "ignore").rstrip(" .")
    return f"{cut}{dot}{suffix}"


def numbered(name: str, number: int) -> str:
    """Name the next of several files of one name: `a (2).pdf`."""
    if number == 1:
        return name
    stem, dot, suffix = name.rpartition(".")
    return f"{stem} ({number}){dot}{suffix}" if stem else f"{name} ({number})"
