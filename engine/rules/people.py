"""The addresses of a message as they are compared, and sets of addresses to compare them with."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from engine.lazy import lazy
from engine.mail.address import MAX_LOCAL, Address, normal_domain
from engine.rules.text import NONE, Captures, Text

A_LABEL = "xn--"
_is_plain = re.compile(r"[!#-?A-~]++@[!#-~]*+(?<!\.)").fullmatch
"""Says whether lower case is all that an address lacks to compare: so it is with most."""


def written_domain(domain: str) -> str:
    """Give a normal domain in the letters that people write; what cannot be decoded stays."""
    return ".".join(map(_written_label, domain.split(".")))


def _written_label(label: str) -> str:
    if not label.startswith(A_LABEL):
        return label
    try:
        return label.removeprefix(A_LABEL).encode("ascii").decode("punycode")
    except UnicodeError:
        return label


def normal(address: Address) -> str:
    """Give the form of an address that compares, as `Address.normal` does."""
    text = address.address
    return text.lower() if len(text) <= MAX_LOCAL and _is_plain(text) else address.normal


class Person:
    """One address of a message; its comparable forms are made once."""

    def __init__(self, address: Address) -> None:
        self.address = address

    @lazy
    def normal(self) -> str:
        return normal(self.address)

    @lazy
    def domain(self) -> str:
        """The domain, "" if there is none."""
        return self.normal.rpartition("@")[2] if "@" in self.normal else ""

    @lazy
    def name(self) -> Text:
        return Text(self.address.name)

    @lazy
    def written(self) -> Text:
        return Text(self.address.address)

    @lazy
    def compared(self) -> Text:
        return Text(self.normal)

    @lazy
    def spelt(self) -> Text:
        """As compared, with the domain in the letters that its A-labels stand for."""
        return Text(f"{self.normal.rpartition('@')[0]}@{written_domain(self.domain)}")

    @property
    def spellings(self) -> tuple[Text, ...]:
        """What globs are fitted to."""
        return (self.compared, self.spelt) if A_LABEL in self.domain else (self.compared,)


class People:
    """All addresses of a header field; what is compared of them together is gathered once."""

    def __init__(self, addresses: tuple[Address, ...]) -> None:
        self._addresses = addresses

    @lazy
    def each(self) -> tuple[Person, ...]:
        return tuple(map(Person, self._addresses))

    @lazy
    def keys(self) -> list[str]:
        """Every address, and every domain as `@x.example`."""
        found = []
        for address in self._addresses:
            text = normal(address)
            found.append(text)
            at = text.rfind("@")
            if at >= 0:
                found.append(text[at:])
        return found

    @lazy
    def domains(self) -> frozenset[str]:
        return frozenset([person.domain for person in self.each if person.domain])


class Joined(People):
    """All addresses of several header fields; each is compared with what it is in its own."""

    def __init__(self, fields: Iterable[People]) -> None:
        self._fields = tuple(fields)

    @lazy
    def each(self) -> tuple[Person, ...]:
        return tuple(chain.from_iterable(people.each for people in self._fields))

    @lazy
    def keys(self) -> list[str]:
        return list(chain.from_iterable(people.keys for people in self._fields))


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

    @cached_property
    def keys(self) -> frozenset[str]:
        """The addresses, and the domains as `@x.example`."""
        return self.addresses.union("@" + domain for domain in self.domains)

    def finder(self) -> Callable[[People], Captures | None]:
        """Make the function that looks for any of many in the set."""
        keys, parents = self.keys, self.parents
        if not parents:
            return lambda people: None if keys.isdisjoint(people.keys) else NONE

        def find(people: People) -> Captures | None:
            if not keys.isdisjoint(people.keys):
                return NONE
            return NONE if any(domain.endswith(parents) for domain in people.domains) else None

        return find


def address_set(texts: Iterable[str]) -> AddressSet:
    """Gather `ann@x.example`, `@x.example` and `@*.x.example`."""
    addresses, domains = set(), set()
    for text in texts:
        if text.startswith("@"):
            domains.add(text[1:])
        else:
            addresses.add(Address("", text).normal)
    return AddressSet(frozenset(addresses), *domain_sets(domains))


def domain_sets(texts: Iterable[str]) -> tuple[frozenset[str], tuple[str, ...]]:
    exact = frozenset(normal_domain(text) for text in texts if not text.startswith("*."))
    parents = tuple(sorted("." + normal_domain(text[2:]) for text in texts if text.startswith("*.")))
    return exact, parents
