from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from engine.rules.action import MAX_LABEL, Action, filled
from engine.rules.captures import only_plain
from engine.rules.effects import ChangeLabels, Effect
from engine.rules.placing import REACH, ScopeField
from engine.rules.strict import TEXT_SCHEMA, Words, some
from engine.rules.text import Captures


def _label_name(text: str) -> str:
    if not text.strip() or text != text.strip() or not text.isprintable() or len(text) > MAX_LABEL:
        raise ValueError(
            f"must be a label's name: one line of at most {MAX_LABEL} characters, no blanks around it"
        )
    if text.startswith("/") or text.endswith("/") or "//" in text:
        raise ValueError(f"'{text}' has an empty part in its path; write Parent/Child")
    if not only_plain(text):
        raise ValueError("a label takes {{ captures.NAME }}, | lower, | upper and no more")
    return text


_NAME = {**TEXT_SCHEMA, "pattern": r"^[^\s/](.*[^\s/])?$"}
Labels = Annotated[
    tuple[Annotated[Words, AfterValidator(_label_name)], ...],
    BeforeValidator(some),
    WithJsonSchema({"anyOf": [_NAME, {"type": "array", "items": _NAME, "minItems": 1}]}),
]


class Label(Action):
    """Put labels on and take labels off, by their full path. A label that does not exist yet is made."""

    key = "label"
    bare: ClassVar[str] = "add"
    map_schema: ClassVar[Mapping[str, Any]] = {"anyOf": [{"required": ["add"]}, {"required": ["remove"]}]}
    examples = (
        "label: {add: [Finance/Invoices], remove: [INBOX]}",
        "label: Finance",
        "label: {add: Done, scope: thread}",
    )

    add: Labels | None = Field(None, description="Labels to put on.")
    remove: Labels | None = Field(None, description="Labels to take off.")
    scope: ScopeField = Field("message", description=REACH)

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not self.add and not self.remove:
            raise ValueError("changes nothing; write add or remove")
        both = sorted(set(self.add or ()) & set(self.remove or ()))
        if both:
            raise ValueError(f"both adds and removes '{both[0]}'")
        return self

    def effects(self, captures: Captures) -> tuple[Effect, ...]:
        add, remove = filled(self.add or (), captures), filled(self.remove or (), captures)
        left = tuple(label for label in remove if label not in add)
        return (ChangeLabels(add=add, remove=left, scope=self.scope),)

    def shown(self, captures: Captures) -> Any:
        return {
            key: list(filled(tuple(value), captures)) if key in ("add", "remove") else value
            for key, value in self.dumped.items()
        }

    def texts(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        named: dict[str, Any] = {"add": self.add or (), "remove": self.remove or ()}
        for key, labels in named.items():
            for index, label in enumerate(labels):
                yield (key, index), label
