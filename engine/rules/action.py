"""What every action is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

from pydantic import PlainValidator, WithJsonSchema

from engine.rules.captures import fill
from engine.rules.effects import Effect
from engine.rules.strict import Strict
from engine.rules.text import Captures


class Action(Strict):
    """One line under `then`: turns its settings and the captures into effects."""

    key: ClassVar[str]
    examples: ClassVar[tuple[str, ...]]
    """Actions as YAML, as an author would write them."""

    def effects(self, captures: Captures) -> tuple[Effect, ...]:
        """Say what is to be done, in order."""
        raise NotImplementedError

    def texts(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Give every text that may use captures, with its place below the action."""
        return iter(())


def filled(labels: tuple[str, ...], captures: Captures) -> tuple[str, ...]:
    """Fill captures in label names; a name that comes out empty is none."""
    names = (fill(label, captures).strip() for label in labels)
    return tuple(dict.fromkeys(name for name in names if name))


def _switch(value: Any) -> Any:
    if value in ("true", None, {}):
        return True if value != {} else {}
    raise ValueError("takes no settings; write true")


Switch = Annotated[
    Any,
    PlainValidator(_switch),
    WithJsonSchema({"anyOf": [{"const": True}, {"type": "object", "maxProperties": 0}]}),
]
"""The value of an action without settings."""
