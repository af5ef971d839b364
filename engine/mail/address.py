"""Mail addresses and their domains (RFC 5322, section 3.4; IDNA 2008)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice

import idna

from engine.mail.address_list import mailboxes
from engine.mail.charset import without_surrogates
from engine.mail.unicode import normalize
from engine.mail.words import decode_words, tidy

MAX_ADDRESSES = 1_000
MAX_ADDRESS_TEXT = 65_536
"""Characters of all fields together that are read."""
MAX_ADDRESS_FIELDS = 50
MAX_LOCAL = 320
"""Characters of a local part that are compared; mail knows 64 (RFC 5321, section 4.5.3.1.1)."""
MAX_DOMAIN = 255


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox: the name shown for it, and its address as written."""

    name: str
    address: str

    @property
    def local(self) -> str:
        """What stands before the last `@`, quotes taken off."""
        return unquote(self.address.rpartition("@")[0] or self.address)

    @property
    def domain(self) -> str:
        """The domain in lower case and A-labels, "" if there is none."""
        return normal_domain(self.address.rpartition("@")[2]) if "@" in self.address else ""

    @property
    def normal(self) -> str:
        """The form that compares: folded local part, `@`, normal domain."""
        local = normalize("NFC", self.local[:MAX_LOCAL]).casefold()
        return f"{local}@{self.domain}" if "@" in self.address else local

    @property
    def untagged(self) -> str:
        """The normal form less what stands behind a `+`: mail comes to the same person (RFC 5233)."""
        local, at, domain = self.normal.rpartition("@")
        return f"{local.partition('+')[0] or local}{at}{domain}"


def parse_addresses(values: Iterable[str]) -> tuple[Address, ...]:
    """Read every mailbox of raw address fields, groups flattened; at most MAX_ADDRESSES.

    Encoded words are decoded after the structure is known, so none of them can become an address.
    """
    return _parsed(tuple(values))


@lru_cache(maxsize=32)
def _parsed(values: tuple[str, ...]) -> tuple[Address, ...]:
    """Remember the last fields, which every rule reads again."""
    found = chain.from_iterable(mailboxes(value) for value in _bounded(values[:MAX_ADDRESS_FIELDS]))
    people = (Address(tidy(decode_words(name)), without_surrogates(spec)) for name, spec in found)
    return tuple(islice((one for one in people if one.name or one.address), MAX_ADDRESSES))


def _bounded(values: Iterable[str]) -> Iterator[str]:
    left = MAX_ADDRESS_TEXT
    for value in values:
        yield value[:left]
        left = max(0, left - len(value))


def parse_address(text: str) -> Address:
    """Read the first mailbox of a text; both fields are "" when there is none."""
    return next(iter(parse_addresses([text])), Address("", ""))


def normal_domain(text: str) -> str:
    """Give a domain in lower case and A-labels; what IDNA refuses is kept as it is, folded."""
    domain = text.strip().rstrip(".").lower()
    if domain.isascii() or len(domain) > MAX_DOMAIN:
        return domain
    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except UnicodeError:
        return ".".join(_label(part) for part in normalize("NFKC", domain).casefold().split("."))


def _label(label: str) -> str:
    """Encode what IDNA 2008 no longer allows and registries still sell, such as emoji."""
    try:
        return label if label.isascii() else "xn--" + label.encode("punycode").decode("ascii")
    except UnicodeError:
        return label


def unquote(local: str) -> str:
    """Take the quotes off a quoted local part."""
    if len(local) > 1 and local[0] == local[-1] == '"':
        return local[1:-1].replace("\\\\", "\0").replace("\\", "").replace("\0", "\\")
    return local
