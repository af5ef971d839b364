"""What messages are told apart by where rules remember them: a fact, a header field, a text of several."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from engine.rules.conditions.header import field_name
from engine.rules.findings import unknown
from engine.rules.memory import Sighting, in_ms, who
from engine.rules.payload import read_path, text_of
from engine.rules.strict import Strict, Words
from engine.rules.text import fold
from engine.rules.view import View

MAX_KEY = 2_000
"""Characters of a key's text that tell it from others."""


def _person(view: View, *fields: str) -> str:
    """The first address of the first field that has one, as addresses compare."""
    people = (person for field in fields for person in view.people((field,)).each)
    return next((person.normal for person in people), "")


def _header(view: View, name: str) -> str:
    return next((text.folded[:MAX_KEY] for text in view.header(name)), "")


FACTS: Mapping[str, Callable[[View], str]] = {
    "message_id": lambda view: view.message.message_id[:MAX_KEY],
    "thread": lambda view: view.message.thread,
    "from": lambda view: _person(view, "From"),
    "sender": lambda view: _person(view, "Sender", "From"),
    "domain": lambda view: _person(view, "From").rpartition("@")[2],
    "to": lambda view: _person(view, "To"),
    "subject": lambda view: _header(view, "subject"),
    "list_id": lambda view: _header(view, "list-id"),
    "mailbox": lambda view: view.message.mailbox,
}
"""Each is "" where the message has no such thing."""

_USE = re.compile(r"\{\{\s*+([^{}\s](?:[^{}]*[^{}\s])?)\s*+\}\}")
Read = Callable[[View], str]


def _reader(name: str) -> Read:
    """Make the function that reads one placeholder. Raises ValueError."""
    if name in FACTS:
        return FACTS[name]
    kind, _, rest = name.partition(".")
    if kind == "header" and rest:
        header = field_name(rest).lower()
        return lambda view: _header(view, header)
    if kind == "payload" and rest:
        path = read_path(rest)
        return lambda view: " ".join(text or "" for text in map(text_of, path.values(view)))[:MAX_KEY]
    raise ValueError(unknown("placeholder", name, [*FACTS, "header.NAME", "payload.PATH"]))


def _template(text: str) -> str:
    names = _USE.findall(text)
    left = _USE.sub("", text)
    if not names or "{{" in left or "}}" in left:
        raise ValueError(
            f"'{text}' must name what it is made of, such as '{{{{ from }}}} {{{{ header.X-Ticket }}}}'"
        )
    for name in names:
        _reader(name)
    return text


def _fact(value: Any) -> Any:
    if not isinstance(value, str) or value not in FACTS:
        raise ValueError(unknown("fact", str(value), FACTS))
    return value


class MemoryKey(Strict):
    """A fact, or {header: NAME}, or {template: TEXT}; messages for which it is the same belong together."""

    bare: ClassVar[str] = "fact"
    map_schema: ClassVar[Mapping[str, Any]] = {"minProperties": 1}

    fact: Annotated[str, BeforeValidator(_fact), WithJsonSchema({"enum": sorted(FACTS)})] | None = Field(
        None, description=f"One of {', '.join(FACTS)}."
    )
    header: Annotated[Words, AfterValidator(field_name)] | None = Field(
        None, description="The first value of this header field, case ignored."
    )
    template: Annotated[Words, AfterValidator(_template)] | None = Field(
        None,
        description="A text of any facts, header.NAME, payload.PATH: `{{ from }} {{ header.X-Ticket }}`.",
    )

    @model_validator(mode="after")
    def _asks_one_thing(self) -> Self:
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("write one of: a fact such as message_id, {header: NAME}, {template: TEXT}")
        return self

    @cached_property
    def value(self) -> Read:
        """Read it from a message; "" where none of it is there. Raises ConditionError."""
        if self.fact is not None:
            return FACTS[self.fact]
        if self.header is not None:
            return _reader(f"header.{self.header}")
        return _filled(self.template or "")

    @property
    def spec(self) -> str:
        """Tell this way of telling messages apart from others."""
        given = (("fact", self.fact), ("header", (self.header or "").lower()), ("template", self.template))
        return next(f"{name}:{value}" for name, value in given if value)


def _filled(template: str) -> Read:
    pieces = _USE.split(template)
    texts, readers = pieces[::2], [_reader(name) for name in pieces[1::2]]

    def read(view: View) -> str:
        values = [reader(view) for reader in readers]
        if not any(values):
            return ""
        return "\0".join(fold(value) for value in values) + "\0" + "\0".join(texts)

    return read


def sighting(view: View) -> Sighting:
    """When this message arrived, else when it is judged, and which it is."""
    return view.kept(" sighting", lambda: (in_ms(view.message.received or view.now), who(view.beside.event)))
