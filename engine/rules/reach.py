"""What the configuration lets rules reach beyond their mailbox."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from engine.mail.address import normal_domain, parse_address

_PUBLIC = """
    126.com 163.com aol.com arcor.de att.net bluewin.ch btinternet.com comcast.net daum.net fastmail.com
    free.fr freenet.de gmail.com gmx.at gmx.ch gmx.com gmx.de gmx.net googlemail.com hey.com hotmail.co.uk
    hotmail.com hotmail.de hotmail.fr icloud.com kpnmail.nl laposte.net libero.it live.co.uk live.com
    live.de mac.com mail.com mail.de mail.ru mailbox.org me.com msn.com naver.com o2.pl onet.pl orange.fr
    outlook.com outlook.de pm.me posteo.de proton.me protonmail.com qq.com rediffmail.com rocketmail.com
    seznam.cz sfr.fr skynet.be t-online.de telenet.be tuta.com tutanota.com verizon.net wanadoo.fr web.de
    wp.pl yahoo.co.jp yahoo.co.uk yahoo.com yahoo.de yahoo.fr yandex.com yandex.ru ymail.com ziggo.nl
    zmail.com zoho.com
"""
PUBLIC = frozenset(_PUBLIC.split())
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
