"""Make a rule live in the text of its file, and leave everything else as it stands there."""

from __future__ import annotations

from engine.rules.places import place_of
from engine.rules.ruleset import Rule
from engine.rules.yaml import parse_yaml


def made_live(text: str, rule: Rule) -> tuple[str, int]:
    """Write `live` where a rule's file says `shadow`; gives the text, and the number of the line.

    Raises ValueError where the file says something else there.
    """
    file = rule.place.file
    place = place_of(parse_yaml(text, file), (*rule.location, "state"), file)
    lines = text.split("\n")
    line = lines[place.line - 1]
    before, after = line[: place.column - 1], line[place.column - 1 :]
    quote = after[:1] if after[:1] in ("'", '"') else ""
    written = f"{quote}shadow{quote}"
    if not after.startswith(written):
        raise ValueError(f"{file}:{place.line} does not say 'shadow'")
    lines[place.line - 1] = f"{before}live{after.removeprefix(written)}"
    return "\n".join(lines), place.line
