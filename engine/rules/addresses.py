"""Address kinds: how a parsed address is compared, never the raw header."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
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

from engine.mail.address import Address, normal_domain
from engine.rules.findings import unknown
from engine.rules.patterns import Globs, Regexes
from engine.rules.strict import TEXT_SCHEMA, Flag, Strict, Words, listed
from engine.rules.text import NONE, Captures, Text, TextKinds, possible, sure


class Person:
    """One address of a message; its comparable forms are made once."""

    def __init__(self, address: Address) -> None:
        self.address = address

    @cached_property
    def normal(self) -> str:
        return self.address.normal

    @cached_property
    def domain(self) -> str:
        return self.address.domain

    @cached_property
    def name(self) -> Text:
        return Text(self.address.name)

    @cached_property
    def written(self) -> Text:
        return Text(self.address.address)

    @cached_property
    def compared(self) -> Text:
        return Text(self.normal)


@dataclass(frozen=True)
class AddressSet:
    """Whole addresses, domains, and domains whose subdomains are meant."""

    addresses: frozenset[str]
    domains: frozenset[str] = frozenset()
    parents: tuple[str, ...] = ()

    def has(self, person: Person) -> bool:
        if person.normal in self.addresses:
            return True
        domain = person.domain
        return bool(domain) and (domain in self.domains or domain.endswith(self.parents))


def address_set(texts: Iterable[str]) -> AddressSet:
    """Gather `ann@x.example`, `@x.example` and `@*.x.example`."""
    addresses, domains = set(), set()
    for text in texts:
        if text.startswith("@"):
            domains.add(text[1:])
        else:
            addresses.add(Address("", text).normal)
    return AddressSet(frozenset(addresses), *_domains(domains))


def _domains(texts: Iterable[str]) -> tuple[frozenset[str], tuple[str, ...]]:
    exact = frozenset(normal_domain(text) for text in texts if not text.startswith("*."))
    parents = tuple(sorted("." + normal_domain(text[2:]) for text in texts if text.startswith("*.")))
    return exact, parents


def read_domain(text: str) -> str:
    """Check `x.example` or `*.x.example`. Raises ValueError."""
    domain = text.strip().removeprefix("@")
    rest = domain.removeprefix("*.")
    if not rest or any(char in rest for char in "*?@ ") or not normal_domain(rest):
        raise ValueError(f"'{text}' is no domain; write x.example, or *.x.example for its subdomains")
    return domain


def read_address(text: str) -> str:
    """Check `ann@x.example` or `@x.example`. Raises ValueError."""
    address = text.strip()
    if address.startswith("@"):
        return "@" + read_domain(address)
    if not address or any(char in address for char in "<>,\n\t"):
        raise ValueError(f"'{text}' is no address; write ann@x.example, or @x.example for a domain")
    if "@" not in address and "." in address:
        raise ValueError(f"'{text}' has no '@'; write '@{address}' for everybody at that domain")
    if "*" in address:
        raise ValueError(f"'{text}' has a '*'; write it as a glob: {{glob: '{address}'}}")
    return address


_MANY = {"anyOf": [TEXT_SCHEMA, {"type": "array", "items": TEXT_SCHEMA}]}
AddressText = Annotated[Words, AfterValidator(read_address)]
Addresses = Annotated[
    tuple[AddressText, ...], BeforeValidator(listed), Field(min_length=1), WithJsonSchema(_MANY)
]
DomainText = Annotated[Words, AfterValidator(read_domain)]
Domains = Annotated[
    tuple[DomainText, ...], BeforeValidator(listed), Field(min_length=1), WithJsonSchema(_MANY)
]


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
Lists = Annotated[tuple[_OneList, ...], BeforeValidator(listed), Field(min_length=1), WithJsonSchema(_MANY)]

Test = Callable[[Person], Captures | None]


class AddressKinds(Strict):
    """Ways to compare an address. All that are given must hold of one and the same address."""

    bare: ClassVar[str] = "is"

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
        tests: list[Test] = []
        if self.is_ is not None:
            tests.append(_within(address_set(self.is_)))
        if self.domain is not None:
            tests.append(_within(AddressSet(frozenset(), *_domains(self.domain))))
        if self.list_ is not None:
            tests.append(_within(address_set(text for ref in self.list_ for text in ref.entries)))
        for kinds, read in ((self._globs, _compared), (self._regexes, _written), (self.name, _name)):
            if kinds is not None:
                tests.append(_text(kinds, read))
        return tuple(tests)

    @property
    def _globs(self) -> TextKinds | None:
        return None if self.glob is None else TextKinds.model_construct(glob=self.glob)

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

    def match_any(self, people: tuple[Person, ...]) -> Captures | None:
        """Find the first address that all kinds hold of."""
        if self.exists is False:
            return None if people else NONE
        for person in people:
            found = self.match(person)
            if found is not None:
                return found
        return None

    @property
    def possible_captures(self) -> frozenset[str]:
        return possible(self.regex) | (self.name.possible_captures if self.name else frozenset())

    @property
    def sure_captures(self) -> frozenset[str]:
        return sure(self.regex) | (self.name.sure_captures if self.name else frozenset())


def _within(wanted: AddressSet) -> Test:
    has = wanted.has
    return lambda person: NONE if has(person) else None


def _text(kinds: TextKinds, read: Callable[[Person], Text]) -> Test:
    return lambda person: kinds.match(read(person))


def _compared(person: Person) -> Text:
    return person.compared


def _written(person: Person) -> Text:
    return person.written


def _name(person: Person) -> Text:
    return person.name
