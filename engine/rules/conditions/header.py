from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from engine.mail.needs import Need, Needs
from engine.rules.clues import Clues
from engine.rules.condition import Check, Condition
from engine.rules.finding import text_finder
from engine.rules.kind_clues import text_clues
from engine.rules.shown import shown
from engine.rules.sources import HeaderTexts
from engine.rules.strict import Words
from engine.rules.text import TextKinds
from engine.rules.view import View

_FIELD_NAME = re.compile(r"[!-9;-~]{1,200}", re.ASCII)


def field_name(text: str) -> str:
    """Check the name of a header field (RFC 5322, section 2.2). Raises ValueError."""
    if not _FIELD_NAME.fullmatch(text):
        raise ValueError(f"'{text}' is no header name, such as X-Spam")
    return text


class Header(TextKinds, Condition):
    """A header field by its name: one of its values, decoded. The name alone asks whether it is there."""

    key = "header"
    bare: ClassVar[str] = ""
    map_schema: ClassVar[Mapping[str, Any]] = {}
    examples = ("header: {name: X-Spam, contains: yes}", "header: {name: List-Id, exists: false}")

    name: Annotated[Words, AfterValidator(field_name)] = Field(
        description="The header's name; case is ignored."
    )

    @classmethod
    def spread(cls, data: Any) -> Any:
        if isinstance(data, str):
            raise ValueError(
                f"must be a map; write {{name: {data}, exists: true}}, or another kind beside the name"
            )
        if isinstance(data, dict) and len(data) == 1 and not set(data) & set(cls.keys()):
            name = next(iter(data))
            raise ValueError(f"write {{name: {name}, is: ...}}, or another kind beside the name")
        return super().spread(data)

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if self.exists is False and self.tests:
            raise ValueError("what does not exist cannot have a text: take 'exists: false' out")
        return self

    @property
    def needs(self) -> Needs:
        return frozenset({Need.HEADERS})

    @property
    def clues(self) -> Clues | None:
        return text_clues(self, HeaderTexts(self.name.lower()))

    def make_check(self) -> Check:
        find, name = text_finder(self), self.name.lower()
        return lambda view: find(view.header(name))

    def seen(self, view: View) -> str:
        return shown(text.raw for text in view.header(self.name.lower()))
