"""What the conditions on addresses have in common."""

from __future__ import annotations

from typing import ClassVar

from engine.mail.needs import Need, Needs
from engine.rules.addresses import AddressKinds, Person
from engine.rules.condition import Condition
from engine.rules.shown import shown
from engine.rules.text import Captures
from engine.rules.view import View


class AddressCondition(AddressKinds, Condition):
    """Looks at the parsed addresses of some header fields, of which one must match."""

    fields: ClassVar[tuple[str, ...]]

    @property
    def needs(self) -> Needs:
        return frozenset({Need.HEADERS})

    def people(self, view: View) -> tuple[Person, ...]:
        if len(self.fields) == 1:
            return view.people(self.fields[0])
        return tuple(person for field in self.fields for person in view.people(field))

    def check(self, view: View) -> Captures | None:
        return self.match_any(self.people(view))

    def seen(self, view: View) -> str:
        return shown(str(person.address.address) for person in self.people(view))
