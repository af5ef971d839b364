"""What the actions have in common that act by labels or on the message itself: how far they reach."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field, PlainValidator, WithJsonSchema

from engine.rules.action import Action
from engine.rules.effects import ChangeLabels, Effect, Scope
from engine.rules.findings import unknown
from engine.rules.text import Captures

SCOPES: tuple[Scope, ...] = ("message", "thread")


def _scope(value: Any) -> Any:
    if value not in SCOPES:
        raise ValueError(unknown("scope", str(value), SCOPES))
    return value


ScopeField = Annotated[Scope, PlainValidator(_scope), WithJsonSchema({"enum": list(SCOPES)})]
REACH = "`thread`: every message of the thread, as it is when that is carried out."


class Placing(Action):
    """An action that puts mail in a place, and whose only setting is how far it reaches."""

    shorthand: ClassVar[Mapping[str, Any]] = {"anyOf": [{"const": True}, {"type": "null"}]}
    puts: ClassVar[tuple[str, ...]] = ()
    takes: ClassVar[tuple[str, ...]] = ()

    scope: ScopeField = Field("message", description=REACH)

    @classmethod
    def spread(cls, data: Any) -> Any:
        if data in ("true", None):
            return {}
        if not isinstance(data, dict):
            raise ValueError("write true, or {scope: thread}")
        return super().spread(data)

    def dump(self) -> Any:
        return super().dump() or True

    def effects(self, captures: Captures) -> tuple[Effect, ...]:
        return (ChangeLabels(add=self.puts, remove=self.takes, scope=self.scope),)
