from __future__ import annotations

from typing import ClassVar

from engine.rules.address_condition import AddressCondition
from engine.rules.condition import Check
from engine.rules.people import People
from engine.rules.shown import shown
from engine.rules.view import View


class Sender(AddressCondition):
    """Who handed the message in: the address of the Sender field, else of From."""

    key = "sender"
    fields: ClassVar[tuple[str, ...]] = ("Sender", "From")
    examples = ("sender: '@partner.example'", "sender: {domain: lists.partner.example}")

    def make_check(self) -> Check:
        find = self.finder()
        return lambda view: find(_senders(view))

    def seen(self, view: View) -> str:
        return shown(self._told(person.address) for person in _senders(view).each)


def _senders(view: View) -> People:
    """RFC 5322 (section 3.6.2): no Sender field means that the author sent it himself."""
    senders = view.people(("Sender",))
    return senders if senders.each else view.people(("From",))
