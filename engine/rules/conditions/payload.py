from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from engine.mail.needs import NOTHING, Needs
from engine.rules.clues import Clues
from engine.rules.condition import Condition
from engine.rules.kind_clues import text_clues
from engine.rules.payload import EXAMPLE, Path, read_path, text_of
from engine.rules.shown import shown
from engine.rules.text import NONE, Captures, Text, TextKinds
from engine.rules.view import View

MAX_NUMBER = 100
"""Signs of a number that is compared."""


def _number(value: Any) -> Decimal:
    found = _decimal(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("must be a number, such as 100 or -2.5")
    return found


def _decimal(text: str) -> Decimal | None:
    """Read a number; None for what is none, or none that is finite."""
    try:
        number = Decimal(text) if len(text) <= MAX_NUMBER and "_" not in text else None
    except InvalidOperation:
        return None
    return number if number is not None and number.is_finite() else None


PlainNumber = Annotated[
    Decimal,
    BeforeValidator(_number),
    PlainSerializer(str),
    WithJsonSchema({"type": ["number", "string"], "pattern": r"^\s*[-+]?(\d|\.\d)"}),
]


def _path(value: Any) -> Path:
    if not isinstance(value, str):
        raise ValueError(f"must be a path, such as {EXAMPLE}")
    return read_path(value)


PathText = Annotated[
    Path,
    BeforeValidator(_path),
    PlainSerializer(lambda path: path.source),
    WithJsonSchema({"type": ["string", "number", "boolean"]}),
]


@dataclass(frozen=True, slots=True)
class PayloadTexts:
    """The single values at one path, as texts."""

    rank: ClassVar[int] = 2
    path: Path

    def texts(self, view: View) -> Iterable[Text]:
        return [Text(text) for text in map(text_of, self.path.values(view)) if text is not None]

    def keys(self, view: View) -> Iterable[str]:
        return [text.folded for text in self.texts(view)]


class Payload(TextKinds, Condition):
    """A value of the JSON that the event brings along, as events of hooks do. The path alone asks for any.

    All kinds must hold of one and the same value. `[*]` in a path stands for each member of a list; null
    counts as absent; numbers compare as text the way they were written.
    """

    key = "payload"
    bare: ClassVar[str] = ""
    map_schema: ClassVar[Mapping[str, Any]] = {}
    examples = (
        "payload: {path: order.status, is: [paid, shipped]}",
        "payload: {path: 'items[*].price', gt: 99.90}",
        "payload: {path: customer.email, ends_with: '@bigcustomer.example'}",
    )

    path: PathText = Field(description=f"Where to look: {EXAMPLE}.")
    gt: PlainNumber | None = Field(None, description="A number, more than.")
    gte: PlainNumber | None = Field(None, description="A number, at least.")
    lt: PlainNumber | None = Field(None, description="A number, less than.")
    lte: PlainNumber | None = Field(None, description="A number, at most.")
    eq: PlainNumber | None = Field(None, description="A number, exactly: 1.0 is 1.")

    @classmethod
    def spread(cls, data: Any) -> Any:
        if isinstance(data, str):
            raise ValueError(
                f"must be a map; write {{path: {data}, exists: true}}, or another kind beside the path"
            )
        return super().spread(data)

    @model_validator(mode="after")
    def _absent_has_no_value(self) -> Self:
        if self.exists is False and (self.tests or self._compares):
            raise ValueError("what does not exist cannot have a value: take 'exists: false' out")
        return self

    @property
    def needs(self) -> Needs:
        return NOTHING

    @property
    def clues(self) -> Clues | None:
        return text_clues(self, PayloadTexts(self.path)) if self.tests or self._compares else None

    @cached_property
    def _compares(self) -> bool:
        return any(getattr(self, name) is not None for name in ("gt", "gte", "lt", "lte", "eq"))

    def check(self, view: View) -> Captures | None:
        values = self.path.values(view)
        if self.exists is False:
            return None if values else NONE
        for value in values:
            found = self._of_one(value)
            if found is not None:
                return found
        return None

    def _of_one(self, value: Any) -> Captures | None:
        if not self.tests and not self._compares:
            return NONE
        text = text_of(value)
        if text is None or (self._compares and not self._holds(text)):
            return None
        return self.match(Text(text)) if self.tests else NONE

    def _holds(self, text: str) -> bool:
        number = _decimal(text)
        return number is not None and (
            (self.gt is None or number > self.gt)
            and (self.gte is None or number >= self.gte)
            and (self.lt is None or number < self.lt)
            and (self.lte is None or number <= self.lte)
            and (self.eq is None or number == self.eq)
        )

    def seen(self, view: View) -> str:
        values = self.path.values(view)
        return shown(text if (text := text_of(value)) is not None else _kind(value) for value in values)


def _kind(value: Any) -> str:
    return f"a {'map' if isinstance(value, Mapping) else 'list'} of {len(value)}"
