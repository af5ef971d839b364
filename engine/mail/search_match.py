"""Whether a message is what a search line asks for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property

from engine.mail.address import MAX_LOCAL, Address, normal_domain, parse_address
from engine.mail.dates import message_date
from engine.mail.message import Message
from engine.mail.query import (
    Age,
    AllOf,
    AnyOf,
    Date,
    Field,
    HasUserLabel,
    Label,
    MessageId,
    Not,
    Query,
    Size,
    Words,
)
from engine.mail.search_terms import PLACES
from engine.mail.unicode import normalize

_WORD = re.compile(r"[^\W_]+")
_WRITTEN_TOGETHER = re.compile("[\u0e00-\u0eff\u1000-\u109f\u2e80-\uffdc]")
"""Thai, Lao, Burmese and the scripts of East Asia part no words."""
SYSTEM = frozenset({*PLACES.values(), "UNREAD", "STARRED", "IMPORTANT", "CHAT"})
_SAME_IN_LABELS = re.compile(r"[\s/_-]+")

PEOPLE = {"from": "From", "to": "To", "cc": "Cc", "bcc": "Bcc", "deliveredto": "Delivered-To"}


def matches(query: Query, message: Message) -> bool:
    """Say whether a message answers a query. Raises Missing when a part it reads is not known."""
    return _holds(query, _Seen(message))


class _Seen:
    """A message and what was already made of it, so that a long line costs no more than a short one."""

    def __init__(self, message: Message) -> None:
        self.message = message

    @cached_property
    def words(self) -> str:
        message = self.message
        people = (
            f"{one.name} {one.address}" for name in ("From", "To", "Cc") for one in message.addresses(name)
        )
        files = (attachment.name for attachment in message.attachments)
        return words((message.subject, *people, *files, message.text))

    @cached_property
    def labels(self) -> frozenset[str]:
        return frozenset(label_name(name) for name in self.message.labels)


def _holds(query: Query, seen: _Seen) -> bool:
    match query:
        case AllOf(queries):
            return all(_holds(each, seen) for each in queries)
        case AnyOf(queries):
            return any(_holds(each, seen) for each in queries)
        case Not(inner):
            return not _holds(inner, seen)
        case Words(text):
            return says(seen.words, text)
        case Label() | HasUserLabel():
            return _labelled(query, seen)
        case _:
            return _fact(query, seen.message)


def _labelled(query: Label | HasUserLabel, seen: _Seen) -> bool:
    if isinstance(query, Label):
        return label_name(query.name) in seen.labels
    return any(map(is_user_label, seen.message.labels))


def _fact(query: Query, message: Message) -> bool:
    match query:
        case Field(name, text):
            return _in_field(name, text, message)
        case Size(above, below):
            return (above is None or message.size > above) and (below is None or message.size < below)
        case Date() | Age():
            return _in_time(query, message)
        case MessageId(wanted):
            return message.message_id.strip("<>") == wanted
        case _:
            return bool(message.attachments)


def _in_field(name: str, text: str, message: Message) -> bool:
    if name in PEOPLE:
        return any(is_person(one, text, message.mailbox) for one in message.addresses(PEOPLE[name]))
    if name == "filename":
        return any(says(words([attachment.name]), text) for attachment in message.attachments)
    return says(words(message.headers.texts("List-ID" if name == "list" else name)), text)


def is_user_label(name: str) -> bool:
    """Say whether somebody made a label, rather than the service: those are written in capitals."""
    return name not in SYSTEM and not name.startswith("CATEGORY_")


def is_person(person: Address, text: str, mailbox: str = "") -> bool:
    """Compare a whole address, a domain with its subdomains, or words of name and address; `me` is ours."""
    wanted = text.strip()
    if wanted.lower() == "me" and mailbox:
        return person.normal == parse_address(mailbox).normal
    if wanted.startswith("@"):
        return person.domain == normal_domain(wanted[1:])
    if "@" in wanted:
        return person.normal == parse_address(wanted).normal
    if "." in wanted and f".{person.domain}".endswith(f".{normal_domain(wanted)}"):
        return True
    local = person.local[:MAX_LOCAL]
    return says(words([person.name, local, person.domain if "." not in wanted else ""]), wanted)


def _in_time(query: Date | Age, message: Message) -> bool:
    """Compare the time of arrival, else the Date field; a message without either is at no time."""
    if isinstance(query, Age):
        return query.over is None  # Where nobody says what time it is, the message has just come.
    came = message.received or message_date(message.headers)
    if came is None:
        return False
    return (query.since is None or came >= query.since) and (query.until is None or came < query.until)


def words(texts: Iterable[str]) -> str:
    """Fold texts into words with one blank around each; texts are kept apart by a bar."""
    folded = (normalize("NFC", normalize("NFC", text).casefold()) for text in texts)
    return " | ".join(f" {' '.join(_WORD.findall(text))} " for text in folded)


def says(said: str, text: str) -> bool:
    """Whether words stand in a row."""
    return phrase(text) in said


def phrase(text: str) -> str:
    """Give words as they stand among the folded ones; what has no letter or digit in it is everywhere."""
    wanted = words([text])
    return wanted.strip() if not wanted.strip() or _WRITTEN_TOGETHER.search(wanted) else wanted


def label_name(name: str) -> str:
    return _SAME_IN_LABELS.sub("-", name.casefold())
