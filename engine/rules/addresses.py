"""Address kinds: how a parsed address is compared, never the raw header."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from engine.mail.address import normal_domain
from engine.rules import hints
from engine.rules.findings import unknown
from engine.rules.patterns import Globs, Pattern, Regexes
from engine.rules.people import AddressSet, People, Person, address_set, domain_sets
from engine.rules.strict import NOT_EMPTY, TEXT_SCHEMA, Flag, Strict, Words, some
from engine.rules.text import NONE, Captures, Text, TextKinds, fold, possible, sure


def read_domain(text: str) -> str:
    """Check `x.example` or `*.x.example`. Raises ValueError."""
    domain = text.strip().removeprefix("@")
    rest = domain.removeprefix("*.")
    if not rest or any(char in rest for char in "*?@ /:,;<>") or not normal_domain(rest):
        raise ValueError(f"'{text}' is no domain; write x.example, or *.x.example for its subdomains")
    return domain


def read_address(text: str) -> str:
    """Check `ann@x.example` or `@x.example`. Raises ValueError."""
    address = text.strip()
    if address.startswith("@"):
        return "@" + read_domain(address)
    if "," in address or "<" in address:
        raise ValueError(f"'{text}' is more than an address; {_bare(address)}")
    if not address or any(char in address for char in "<>,\n\t"):
        raise ValueError(f"'{text}' is no address; write ann@x.example, or @x.example for a domain")
    if "@" not in address and "." in address:
        raise ValueError(f"'{text}' has no '@'; write '@{address}' for everybody at that domain")
    if "@" not in address and " " in address:
        raise ValueError(f"'{text}' is no address; for a display name write {{name: {address}}}")
    if "@" not in address:
        raise ValueError(
            f"'{text}' has no '@'; write {address}@x.example, or a glob: {{glob: '{address}@*'}}"
        )
    if "*" in address:
        raise ValueError(f"'{text}' has a '*'; write it as a glob: {{glob: '{address}'}}")
    return address


def _bare(text: str) -> str:
    if "," in text:
        return f"write a list: [{', '.join(part.strip() for part in text.split(','))}]"
    name, _, address = text.partition("<")
    return f"write {{is: {address.rstrip('> ')}, name: {name.strip() or '...'}}}, or the address alone"


_MANY = {"anyOf": [TEXT_SCHEMA, {"type": "array", "items": TEXT_SCHEMA, "minItems": 1}]}
AddressText = Annotated[Words, AfterValidator(read_address)]
Addresses = Annotated[tuple[AddressText, ...], BeforeValidator(some), WithJsonSchema(_MANY)]
DomainText = Annotated[Words, AfterValidator(read_domain)]
Domains = Annotated[tuple[DomainText, ...], BeforeValidator(some), WithJsonSchema(_MANY)]


@dataclass(frozen=True)
class ListRef:
    """A named list and what it holds."""

    name: str
    entries: tuple[str, ...]


def _find_list(value: Any, info: ValidationInfo) -> ListRef:
    lists: Mapping[str, tuple[str, ...]] = (info.context or {}).get("lists", {})
    if not isinstance(value, str):
        raise ValueError("must be the name of a list")
    if value not in lists:
        raise ValueError(unknown("list", value, lists))
    return ListRef(value, lists[value])


_OneList = Annotated[ListRef, BeforeValidator(_find_list), PlainSerializer(lambda ref: ref.name)]
Lists = Annotated[tuple[_OneList, ...], BeforeValidator(some), WithJsonSchema(_MANY)]

Test = Callable[[Person], Captures | None]


class AddressKinds(Strict):
    """Ways to compare an address. All that are given must hold of one and the same address."""

    hints: ClassVar[Mapping[str, str]] = hints.ADDRESS
    bare: ClassVar[str] = "is"
    map_schema: ClassVar[Mapping[str, Any]] = NOT_EMPTY

    is_: Addresses | None = Field(
        None, alias="is", description="The whole address; `@x.example` for a domain."
    )
    domain: Domains | None = Field(None, description="The exact domain; `*.x.example` for its subdomains.")
    glob: Globs | None = Field(None, description="The whole address; `*` any run, `?` one character.")
    regex: Regexes | None = Field(None, description="An RE2 pattern, found anywhere in the address.")
    list_: Lists | None = Field(None, alias="list", description="A list of this file, by name.")
    name: TextKinds | None = Field(None, description="The display name, which anybody can choose freely.")
    exists: Flag | None = Field(None, description="Whether there is any address at all.")

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not any(getattr(self, name) is not None for name in AddressKinds.model_fields):
            raise ValueError(f"asks nothing; write one of {', '.join(self.keys())}")
        if self.exists is False and self.tests:
            raise ValueError("what does not exist cannot be compared: take 'exists: false' out")
        return self

    @cached_property
    def tests(self) -> tuple[Test, ...]:
        """One function per kind that is given."""
        tests = [_within(wanted) for wanted in self.sets]
        if self.glob is not None:
            tests.append(_globs(self.glob))
        for kinds, read in ((self._regexes, _written), (self.name, _name)):
            if kinds is not None:
                tests.append(_text(kinds, read))
        return tuple(tests)

    @cached_property
    def sets(self) -> tuple[AddressSet, ...]:
        """The kinds that compare with fixed addresses or domains."""
        sets: list[AddressSet] = []
        if self.is_ is not None:
            sets.append(address_set(self.is_))
        if self.domain is not None:
            sets.append(AddressSet(frozenset(), *domain_sets(self.domain)))
        if self.list_ is not None:
            sets.append(address_set(text for ref in self.list_ for text in ref.entries))
        return tuple(sets)

    @property
    def _regexes(self) -> TextKinds | None:
        return None if self.regex is None else TextKinds.model_construct(regex=self.regex)

    def match(self, person: Person) -> Captures | None:
        """Compare one address; None means no match."""
        found = NONE
        for test in self.tests:
            captures = test(person)
            if captures is None:
                return None
            if captures:
                found = {**captures, **found}
        return found

    def finder(self) -> Callable[[People], Captures | None]:
        """Make the function that finds the first address that all kinds hold of."""
        if self.exists is False:
            return lambda people: None if people.each else NONE
        if len(self.tests) == len(self.sets) == 1:
            return self.sets[0].finder()
        match = self.tests[0] if len(self.tests) == 1 else self.match

        def find(people: People) -> Captures | None:
            for person in people.each:
                found = match(person)
                if found is not None:
                    return found
            return None

        return find

    @property
    def possible_captures(self) -> frozenset[str]:
        return possible(self.regex) | (self.name.possible_captures if self.name else frozenset())

    @property
    def sure_captures(self) -> frozenset[str]:
        return sure(self.regex) | (self.name.sure_captures if self.name else frozenset())


def _within(wanted: AddressSet) -> Test:
    has = wanted.has
    return lambda person: NONE if has(person) else None


def _globs(globs: tuple[Pattern, ...]) -> Test:
    """Fit globs to an address; both spellings of its domain fit, however the glob spells it."""
    # A domain of blanks alone has no other spelling.
    patterns = tuple({glob.mapped(fit) for glob in globs for fit in (fold, encoded) if fit(glob.source)})

    def test(person: Person) -> Captures | None:
        texts = [text.folded_bytes for text in person.spellings]
        return NONE if any(glob.search(text) is not None for text in texts for glob in patterns) else None

    return test


def encoded(source: str) -> str:
    """Write the domain of a glob in A-labels, as far as no wildcard stands in a label."""
    local, at, domain = fold(source).rpartition("@")
    labels = (label if set(label) & set("*?\\") else normal_domain(label) for label in domain.split("."))
    return f"{local}{at}{'.'.join(labels)}"


def _text(kinds: TextKinds, read: Callable[[Person], Text]) -> Test:
    return lambda person: kinds.match(read(person))


def _written(person: Person) -> Text:
    return person.written


def _name(person: Person) -> Text:
    return person.name
