from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, PlainValidator, WithJsonSchema

from engine.rules.action import Action
from engine.rules.effects import DeleteMessage, Effect
from engine.rules.placing import REACH, ScopeField
from engine.rules.text import Captures

FOR_GOOD = "deletes for good, which nothing takes back: write {permanent: true}, or use trash: true"


def _permanent(value: Any) -> Any:
    if value not in ("true", True):
        raise ValueError(FOR_GOOD)
    return True


class Delete(Action):
    """Delete the message for good, once nothing else is to be done with it. It is a rule's last action."""

    key = "delete"
    last: ClassVar[bool] = True
    map_schema: ClassVar[Mapping[str, Any]] = {"required": ["permanent"]}
    examples = ("delete: {permanent: true}", "delete: {permanent: true, scope: thread}")

    permanent: Annotated[Literal[True], PlainValidator(_permanent), WithJsonSchema({"const": True})] = Field(
        description="Always true: it is written so that nobody deletes by mistake."
    )
    scope: ScopeField = Field("message", description=REACH)

    @classmethod
    def spread(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "permanent" not in data:
            raise ValueError(FOR_GOOD)
        return super().spread(data)

    def effects(self, captures: Captures) -> tuple[Effect, ...]:
        return (DeleteMessage(scope=self.scope),)
