from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from engine.mail.needs import Need, Needs
from engine.rules.addresses import AddressKinds
from engine.rules.clues import Clues
from engine.rules.condition import Check, Condition
from engine.rules.conditions.header import field_name
from engine.rules.kind_clues import address_clues
from engine.rules.shown import shown
from engine.rules.strict import TEXT_SCHEMA, Words, some
from engine.rules.view import View

_MANY = {"anyOf": [TEXT_SCHEMA, {"type": "array", "items": TEXT_SCHEMA, "minItems": 1}]}
FieldNames = Annotated[
    tuple[Annotated[Words, AfterValidator(field_name)], ...], BeforeValidator(some), WithJsonSchema(_MANY)
]


class Address(AddressKinds, Condition):
    """An address in header fields that have no condition of their own, such as Return-Path."""

    key = "address"
    bare: ClassVar[str] = ""
    map_schema: ClassVar[Mapping[str, Any]] = {"minProperties": 2}
    examples = (
        "address: {header: Return-Path, domain: '*.x.example'}",
        "address: {header: [Delivered-To, X-Original-To], is: info@acme.example}",
    )

    header: FieldNames = Field(description="The header fields, by name; case is ignored.")

    @classmethod
    def spread(cls, data: Any) -> Any:
        if isinstance(data, str):
            raise ValueError("must be a map; write {header: Return-Path, is: ann@x.example}")
        return super().spread(data)

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name.lower() for name in self.header))

    @property
    def needs(self) -> Needs:
        return frozenset({Need.HEADERS})

    @property
    def clues(self) -> Clues | None:
        return address_clues(self, self.fields)

    def make_check(self) -> Check:
        find, fields = self.finder(), self.fields
        return lambda view: find(view.people(fields))

    def seen(self, view: View) -> str:
        return shown(person.address.address for person in view.people(self.fields).each)
