"""What the configuration lets rules reach beyond their mailbox."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from engine.mail.address import normal_domain, parse_address

PUBLIC = frozenset(
    [
        "aol.com",
        "gmail.com",
        "gmx.de",
        "gmx.net",
        "googlemail.com",
        "hotmail.com",
        "icloud.com",
        "live.com",
        "me.com",
        "outlook.com",
        "proton.me",
        "protonmail.com",
        "web.de",
        "yahoo.com",
        "zmail.com",
        "zoho.com",
    ]
)
"""Domains in which everybody may have a mailbox: one of ours there makes the others no own ones."""


@dataclass(frozen=True, slots=True)
class Recipients:
    """Some addresses: each by itself, or all of a domain."""

    addresses: frozenset[str] = frozenset()
    """In normal form."""
    domains: frozenset[str] = frozenset()
    above: tuple[str, ...] = ()
    """Such as `.x.example`: every domain below."""

    def include(self, text: str) -> bool:
        """Say whether an address is one of them."""
        address = parse_address(text)
        domain = address.domain
        return address.normal in self.addresses or domain in self.domains or domain.endswith(self.above)


NOBODY = Recipients()


def recipients(mailboxes: Iterable[str], allowed: Iterable[str]) -> Recipients:
    """Gather the domains of our mailboxes, and what is named: addresses, domains, `*.x.example`."""
    own = [parse_address(mailbox) for mailbox in mailboxes]
    told = [entry.removeprefix("@") for entry in allowed]
    named = [parse_address(entry).normal for entry in told if "@" in entry]
    domains = [normal_domain(entry) for entry in told if "@" not in entry and not entry.startswith("*.")]
    return Recipients(
        frozenset([*named, *(one.normal for one in own)]),
        frozenset([*domains, *(one.domain for one in own if one.domain not in PUBLIC)]),
        tuple("." + normal_domain(entry[2:]) for entry in told if entry.startswith("*.")),
    )


@dataclass(frozen=True, slots=True)
class Reach:
    """What there is; None where nothing is known of it, as without a configuration."""

    recipients: Recipients | None = None
    endpoints: frozenset[str] | None = None
    folders: frozenset[str] | None = None


UNKNOWN = Reach()
