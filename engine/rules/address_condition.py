"""What the conditions on addresses have in common."""

from __future__ import annotations

from typing import ClassVar

from engine.mail.address import Address
from engine.mail.needs import Need, Needs
from engine.rules.addresses import AddressKinds
from engine.rules.clues import Clues
from engine.rules.condition import Check, Condition
from engine.rules.kind_clues import address_clues
from engine.rules.shown import shown
from engine.rules.view import View


class AddressCondition(AddressKinds, Condition):
    """Looks at the parsed addresses of some header fields, of which one must match."""

    fields: ClassVar[tuple[str, ...]]

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
        return shown(self._told(person.address) for person in view.people(self.fields).each)

    def _told(self, address: Address) -> str:
        """What of an address is compared."""
        if self.name is None:
            return address.address
        alone = self.model_fields_set == {"name"}
        return address.name if alone else f"{address.name} <{address.address}>"
