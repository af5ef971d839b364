from __future__ import annotations

from typing import ClassVar

from engine.rules.address_condition import AddressCondition


class From(AddressCondition):
    """The sender's address, from the From field."""

    key = "from"
    fields: ClassVar[tuple[str, ...]] = ("From",)
    examples = ("from: '@partner.example'", "from: {domain: '*.partner.example', name: {contains: Ann}}")
