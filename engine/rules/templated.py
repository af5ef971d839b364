"""What the actions that write mail have in common: a template, its inputs, the mode."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, ValidationInfo, WithJsonSchema

from engine.mail.address import parse_address
from engine.rules import hints
from engine.rules.action import Action
from engine.rules.findings import unknown
from engine.rules.strict import TEXT_SCHEMA, Words, some

Mode = Literal["send", "draft"]


def _mode(value: Any) -> Any:
    if value == "approve":
        raise ValueError("mode 'approve' is not available yet; write draft, and send it by hand")
    if value not in ("send", "draft"):
        raise ValueError(unknown("mode", str(value), ("send", "draft")))
    return value


ModeField = Annotated[Mode, PlainValidator(_mode), WithJsonSchema({"enum": ["send", "draft"]})]


def _template(name: str, info: ValidationInfo) -> str:
    known = (info.context or {}).get("templates")
    if known is not None and name not in known:
        raise ValueError(unknown("template", name, known))
    return name


TemplateName = Annotated[Words, AfterValidator(_template)]


def recipient(text: str) -> str:
    """Check one address that a rule or a caller names. Raises ValueError."""
    if "{{" in text or "{%" in text:
        raise ValueError("a recipient is fixed: what a message says never decides who gets mail")
    address = parse_address(text)
    if not address.domain or not address.local or any(not char.isprintable() for char in text):
        raise ValueError(f"'{text}' is no address, such as ann@x.example")
    return text.strip()


Recipients = Annotated[
    tuple[Annotated[Words, AfterValidator(recipient)], ...],
    BeforeValidator(some),
    Field(max_length=100),
    WithJsonSchema({"anyOf": [TEXT_SCHEMA, {"type": "array", "items": TEXT_SCHEMA, "minItems": 1}]}),
]


class Templated(Action):
    """An action that fills a template in."""

    hints: ClassVar[Mapping[str, str]] = hints.TEMPLATED
    bare: ClassVar[str] = "template"

    template: TemplateName = Field(description="A template by its name.")
    with_: dict[str, Words] = Field(
        default={},
        alias="with",
        description="The template's inputs; `{{ captures.NAME }}` may stand in them.",
    )

    def texts(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        for key, text in self.with_.items():
            yield ("with", key), text
