"""Who wrote a message, under whatever tag: machines have a fresh one for each answer. Pure."""

from __future__ import annotations

from hashlib import sha256

from engine.mail.address import Address
from engine.mail.compose import answer_to
from engine.mail.message import Message
from engine.rules.reach import PUBLIC

FIELDS = ("From", "Reply-To", "Sender")
MOST = 5
OUR_MESSAGE_ID = ".postroom@"
"""Stands in the Message-ID of all that we send or draft."""
SHARED = frozenset({"ac", "co", "com", "edu", "go", "gov", "ne", "net", "or", "org"})
"""What stands before a country where nobody has it for himself, as in `co.uk`."""


def writers(message: Message) -> tuple[str, ...]:
    """Name who wrote it and who is answered, the author first."""
    people = [one for field in FIELDS for one in message.addresses(field)[:MOST]]
    return tuple(dict.fromkeys(known_as(one) for one in (*people, answer_to(message)) if one))


def known_as(person: Address) -> str:
    """Name somebody by a digest, the same for `desk@x.example` and `desk+4711@x.example`."""
    return _digest(person.untagged)


def behalf(message: Message) -> str:
    """Name as whom the author counts when an answer goes elsewhere, "" for as the author.

    A form writes for all who fill it in, and each of them is somebody else. A machine that wants each answer
    at a fresh address has all of these in one domain, so that counts, unless people of all kinds have it.
    What refers to mail of ours comes from no form.
    """
    to, authors = answer_to(message), message.addresses("From")
    if to is None or not authors or refers_to_ours(message):
        return ""
    house, author = _house(to.domain), authors[0]
    if any(_house(one.domain) == house for one in authors):
        return ""
    if not PUBLIC.isdisjoint((to.domain, house)):
        return known_as(to)
    return _digest(f"{author.untagged} for {house}")


def refers_to_ours(message: Message) -> bool:
    """Say whether a message answers automatic mail of our own, or says so."""
    told = (*message.headers.all("In-Reply-To"), *message.headers.all("References"))
    return any(OUR_MESSAGE_ID in text for text in told)


def _house(domain: str) -> str:
    """Give the domain that somebody registered, as far as its labels tell."""
    labels = domain.split(".")
    shared = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in SHARED
    return ".".join(labels[-3 if shared else -2 :])


def _digest(name: str) -> str:
    return sha256(name.encode("utf-8", "replace")).hexdigest()[:16]
