"""Who wrote a message, under whatever tag: machines have a fresh one for each answer. Pure."""

from __future__ import annotations

from hashlib import sha256

from engine.mail.address import Address
from engine.mail.compose import answer_to
from engine.mail.message import Message

FIELDS = ("From", "Reply-To", "Sender")
MOST = 5


def writers(message: Message) -> tuple[str, ...]:
    """Name who wrote it and who is answered, the author first."""
    people = [one for field in FIELDS for one in message.addresses(field)[:MOST]]
    return tuple(dict.fromkeys(known_as(one) for one in (*people, answer_to(message)) if one))


def known_as(person: Address) -> str:
    """Name somebody by a digest, the same for `desk@x.example` and `desk+4711@x.example`."""
    return sha256(person.untagged.encode("utf-8", "replace")).hexdigest()[:16]
