from __future__ import annotations

from typing import ClassVar

from engine.rules.address_condition import AddressCondition


class ReplyTo(AddressCondition):
    """An address in the Reply-To field, where answers go; false where there is none."""

    key = "reply_to"
    fields: ClassVar[tuple[str, ...]] = ("Reply-To",)
    examples = (
        "reply_to: '@partner.example'",
        "reply_to: {domain: '*.partner.example', name: {contains: Ann}}",
    )
