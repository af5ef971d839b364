from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, WithJsonSchema

from engine.mail.needs import Need, Needs
from engine.rules.choices import chooser
from engine.rules.clues import Clue, Clues, How
from engine.rules.condition import Condition
from engine.rules.shown import shown
from engine.rules.sources import AutomatedKinds
from engine.rules.text import NONE, Captures
from engine.rules.view import View

KINDS = frozenset({"auto_reply", "bounce", "list", "bulk", "calendar"})
_KINDS = chooser("kind of automated mail", KINDS)
_ONE = {"enum": sorted(KINDS)}
_SCHEMA = {"anyOf": [{"type": "boolean"}, _ONE, {"type": "array", "items": _ONE, "minItems": 1}]}


def _read(value: Any) -> bool | tuple[str, ...]:
    if value in ("yes", "on"):
        raise ValueError(f"write true for '{value}', or a list of kinds")
    return value == "true" if value in ("true", "false") else _KINDS(value)


class Automated(Condition):
    """Written by a machine: true for any kind, or a list of kinds of which one must hold."""

    key = "automated"
    bare: ClassVar[str] = "kinds"
    only_bare: ClassVar[bool] = True
    examples = ("automated: true", "automated: [bounce, auto_reply]")

    kinds: Annotated[bool | tuple[str, ...], BeforeValidator(_read), WithJsonSchema(_SCHEMA)] = Field(
        description="The kinds of automated mail."
    )

    @property
    def needs(self) -> Needs:
        return frozenset({Need.HEADERS})

    @property
    def clues(self) -> Clues | None:
        if isinstance(self.kinds, bool):
            return (Clue(AutomatedKinds(), How.ANY),) if self.kinds else None
        return (Clue(AutomatedKinds(), How.IS, frozenset(self.kinds)),)

    def check(self, view: View) -> Captures | None:
        found = view.automated()
        if isinstance(self.kinds, bool):
            return NONE if bool(found) is self.kinds else None
        return None if found.isdisjoint(self.kinds) else NONE

    def seen(self, view: View) -> str:
        return shown(sorted(view.automated()))
