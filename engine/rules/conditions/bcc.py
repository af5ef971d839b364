from __future__ import annotations

from typing import ClassVar

from engine.rules.address_condition import AddressCondition


class Bcc(AddressCondition):
    """An address in the Bcc field, which only mail that was sent from here has as a rule."""

    key = "bcc"
    fields: ClassVar[tuple[str, ...]] = ("Bcc",)
    examples = ("bcc: '@partner.example'", "bcc: {domain: '*.partner.example', name: {contains: Ann}}")
