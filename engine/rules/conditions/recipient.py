from __future__ import annotations

from typing import ClassVar

from engine.rules.address_condition import AddressCondition


class Recipient(AddressCondition):
    """An address in To, Cc, Bcc or Delivered-To."""

    key = "recipient"
    fields: ClassVar[tuple[str, ...]] = ("To", "Cc", "Bcc", "Delivered-To")
    examples = ("recipient: support@acme.example", "recipient: {glob: 'support+*@acme.example'}")
