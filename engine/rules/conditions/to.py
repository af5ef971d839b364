from __future__ import annotations

from typing import ClassVar

from engine.rules.address_condition import AddressCondition


class To(AddressCondition):
    """An address in the To field."""

    key = "to"
    fields: ClassVar[tuple[str, ...]] = ("To",)
    examples = ("to: '@partner.example'", "to: {domain: '*.partner.example', name: {contains: Ann}}")
