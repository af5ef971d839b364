"""The front matter of a template file: a YAML map between two `---` lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.errors import Place, RuleError
from engine.templating import front_keys as keys
from engine.templating.front_yaml import Fields, Value, read_yaml
from engine.templating.grammar import unknown
from engine.templating.inputs import Input
from engine.templating.locales import Choice

FENCE = "---"
MAX_FRONT = 16_384


@dataclass(frozen=True, slots=True)
class Front:
    """What stands above the body; `body_line` is the body's first line in the file."""

    body: str
    body_line: int
    place: Place
    subject: Value | None = None
    from_name: Value | None = None
    sender: Value | None = None
    """The address that it leaves from, one of the mailbox's own; a name may stand before it."""
    reply_to: tuple[Value, ...] = ()
    headers: tuple[tuple[Value, Value], ...] = ()
    inputs: tuple[tuple[Value, Input], ...] = ()
    sample: Mapping[str, Any] = field(default_factory=dict)
    layout: Value | None = None
    images: tuple[tuple[Value, Value], ...] = ()
    attach: tuple[keys.Attach, ...] = ()
    locale: Value | None = None
    variants: tuple[Choice, ...] | None = None
    given: frozenset[str] = frozenset()
    """The keys that were written."""


READ: Mapping[str, Callable[[Value, Any], Any]] = {
    "subject": keys.text,
    "from_name": keys.text,
    "from": keys.address,
    "reply_to": keys.addresses,
    "headers": keys.headers,
    "inputs": keys.inputs,
    "sample": keys.sample,
    "layout": keys.text,
    "images": keys.images,
    "attach": keys.attach,
    "locale": keys.locale,
    "variants": keys.variants,
}
KEYS = frozenset(READ)
IN_LAYOUTS = frozenset({"images"})
NOT_IN_VARIANTS = frozenset({"inputs", "sample", "variants", "locale"})


def read_front(file: str, source: str) -> Front:
    """Split a template file. Raises RuleError."""
    split = _split(file, source)
    if split is None:
        raise RuleError(f"begins with front matter between two lines `{FENCE}`", Place(file, 1, 1))
    front = _read(file, *split, KEYS)
    if front.subject is None:
        raise RuleError("`subject` is missing from the front matter", Place(file, 1, 1))
    if front.sender and front.from_name and keys.name_of(front.sender):
        raise RuleError("`from` has a name already: take it, or `from_name`, out", front.from_name.place)
    return front


def read_layout(file: str, source: str) -> Front:
    """Split a layout, whose front matter may be absent. Raises RuleError."""
    split = _split(file, source)
    return _read(file, *split, IN_LAYOUTS) if split else Front(source, 1, Place(file, 1, 1))


def read_variant(file: str, source: str) -> Front:
    """Split a template in another language; what it leaves out is as in the template. Raises RuleError."""
    front = read_front(file, source)
    for key in sorted(front.given & NOT_IN_VARIANTS):
        raise RuleError(f"`{key}` stands in the template itself, for all languages alike", front.place)
    return front


def _split(file: str, source: str) -> tuple[str, str, int] | None:
    """Give head, body and the body's first line."""
    lines = source.removeprefix("\ufeff").splitlines(keepends=True)
    fences = [number for number, line in enumerate(lines) if line.rstrip() == FENCE][:2]
    if len(fences) < 2 or fences[0] != 0:
        return None
    head = "".join(lines[1 : fences[1]])
    if len(head) > MAX_FRONT:
        raise RuleError(f"front matter holds at most {MAX_FRONT:,} characters", Place(file, 1, 1))
    return head, "".join(lines[fences[1] + 1 :]), fences[1] + 2


def _read(file: str, head: str, body: str, body_line: int, known: frozenset[str]) -> Front:
    tree = read_yaml(file, head) if head.strip() or known == KEYS else Fields({}, Place(file, 1, 1))
    values: dict[str, Any] = {}
    for name, (key, node) in tree.fields.items():
        if name not in known:
            raise RuleError(unknown("key", name, known), key.place)
        values["sender" if name == "from" else name] = READ[name](key, node)
    given = frozenset(tree.fields)
    made = Front(body, body_line, Place(file, 1, 1), **values, given=given)
    keys.check_sample(made.sample, {entry.name: entry for _, entry in made.inputs}, tree)
    return made
