from __future__ import annotations

from typing import ClassVar

from engine.rules.address_condition import AddressCondition


class Cc(AddressCondition):
    """An address in the Cc field."""

    key = "cc"
    fields: ClassVar[tuple[str, ...]] = ("Cc",)
    examples = ("cc: '@partner.example'", "cc: {domain: '*.partner.example', name: {contains: Ann}}")
