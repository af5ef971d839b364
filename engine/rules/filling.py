"""Fill the JSON that goes to another system: its texts may name parts of mail and of earlier steps."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from engine.rules.findings import unknown

USE = re.compile(r"\{\{\s*([a-z]+)((?:\.[A-Za-z0-9_-]+)*)\s*(?:\|\s*(lower|upper)\s*)?\}\}")
OWNERS = ("captures", "message", "steps", "payload", "mailbox", "rule", "run")
MESSAGE = ("key", "subject", "sender", "domain", "date", "message_id", "text")
MAX_JSON = 100_000
MAX_DEPTH = 30

Read = Callable[[str, tuple[str, ...]], Any]
"""Gives the value of an owner's field. Raises LookupError where there is none."""


def check_json(text: str) -> str:
    """Give JSON text back whose texts can be filled. Raises ValueError with what to write."""
    if len(text) > MAX_JSON:
        raise ValueError(f"is larger than {MAX_JSON:,} characters")
    for one in texts_of(json.loads(text)):
        for owner, path, _ in USE.findall(one):
            _check(owner, tuple(path.split(".")[1:]))
        left = USE.sub("", one)
        if "{{" in left or "{%" in left:
            raise ValueError("takes {{ captures.NAME }}, {{ message.subject }}, each with | lower or | upper")
    return text


def texts_of(value: Any, depth: int = 0) -> Iterator[str]:
    """Give every text of a JSON value, its keys left out. Raises ValueError for deep nesting."""
    if depth > MAX_DEPTH:
        raise ValueError(f"is nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from texts_of(inner, depth + 1)


def uses_message(text: str) -> frozenset[str]:
    """Name the parts of the message that a JSON text speaks of."""
    return frozenset(path[1:] for owner, path, _ in USE.findall(text) if owner == "message")


def fill_json(value: Any, read: Read) -> Any:
    """Fill all texts of a JSON value; one that is a single use of something else than text becomes that."""
    if isinstance(value, dict):
        return {key: fill_json(inner, read) for key, inner in value.items()}
    if isinstance(value, list):
        return [fill_json(inner, read) for inner in value]
    if not isinstance(value, str):
        return value
    alone = USE.fullmatch(value)
    if alone and not alone[3]:
        return read(alone[1], tuple(alone[2].split(".")[1:]))
    return USE.sub(lambda use: _text(use, read), value)


def _text(use: re.Match[str], read: Read) -> str:
    found = read(use[1], tuple(use[2].split(".")[1:]))
    text = found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)
    return text.lower() if use[3] == "lower" else text.upper() if use[3] == "upper" else text


def _check(owner: str, path: tuple[str, ...]) -> None:
    if owner not in OWNERS:
        raise ValueError(unknown("name", owner, OWNERS))
    if owner == "message" and (len(path) != 1 or path[0] not in MESSAGE):
        raise ValueError(unknown("part of the message", ".".join(path), MESSAGE))
    wanted = {"captures": (1,), "steps": (2,), "mailbox": (0,), "rule": (0,), "run": (0,)}.get(owner)
    if wanted and len(path) not in wanted:
        raise ValueError(f"'{owner}' is written {{{{ {_EXAMPLE[owner]} }}}}")


_EXAMPLE = {"captures": "captures.order", "steps": "steps.http.number"} | {
    one: one for one in ("mailbox", "rule", "run")
}
