"""Whether a message is what a search line asks for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property

from engine.mail.address import Address, normal_domain, parse_address
from engine.mail.dates import message_date
from engine.mail.message import Message
from engine.mail.query import AllOf, AnyOf, Date, Field, Label, MessageId, Not, Query, Size, Words
from engine.mail.unicode import normalize

_WORD = re.compile(r"[^\W_]+")
_WRITTEN_TOGETHER = re.compile("[\u0e00-\u0eff\u1000-\u109f\u2e80-\uffdc]")
"""Thai, Lao, Burmese and the scripts of East Asia part no words."""
_SAME_IN_LABELS = re.compile(r"[\s/_-]+")

_PEOPLE = {"from": "From", "to": "To", "cc": "Cc", "bcc": "Bcc", "deliveredto": "Delivered-To"}


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
        return _words((message.subject, *people, *files, message.text))

    @cached_property
    def labels(self) -> frozenset[str]:
        return frozenset(_label(name) for name in self.message.labels)


def _holds(query: Query, seen: _Seen) -> bool:
    match query:
        case AllOf(queries):
            return all(_holds(each, seen) for each in queries)
        case AnyOf(queries):
            return any(_holds(each, seen) for each in queries)
        case Not(inner):
            return not _holds(inner, seen)
        case Words(text):
            return _says(seen.words, text)
        case Label(name):
            return _label(name) in seen.labels
        case _:
            return _fact(query, seen.message)


def _fact(query: Query, message: Message) -> bool:
    match query:
        case Field(name, text):
            return _in_field(name, text, message)
        case Size(above, below):
            return (above is None or message.size > above) and (below is None or message.size < below)
        case Date():
            return _in_time(query, message)
        case MessageId(wanted):
            return message.message_id.strip("<>") == wanted
        case _:
            return bool(message.attachments)


def _in_field(name: str, text: str, message: Message) -> bool:
    if name in _PEOPLE:
        return any(_is_person(one, text) for one in message.addresses(_PEOPLE[name]))
    if name == "filename":
        return any(_says(_words([attachment.name]), text) for attachment in message.attachments)
    return _says(_words(message.headers.texts("List-ID" if name == "list" else name)), text)


def _is_person(person: Address, text: str) -> bool:
    """Compare a whole address, a domain with its subdomains, or words of name and address."""
    wanted = text.strip()
    if wanted.startswith("@"):
        return person.domain == normal_domain(wanted[1:])
    if "@" in wanted:
        return person.normal == parse_address(wanted).normal
    if "." in wanted and f".{person.domain}".endswith(f".{normal_domain(wanted)}"):
        return True
    return _says(_words([person.name, person.local, person.domain if "." not in wanted else ""]), wanted)


def _in_time(query: Date, message: Message) -> bool:
    """Compare the time of arrival, else the Date field; a message without either is at no time."""
    came = message.received or message_date(message.headers)
    if came is None:
        return False
    return (query.since is None or came >= query.since) and (query.until is None or came < query.until)


def _words(texts: Iterable[str]) -> str:
    """Fold texts into words with one blank around each; texts are kept apart by a bar."""
    folded = (normalize("NFC", normalize("NFC", text).casefold()) for text in texts)
    return " | ".join(f" {' '.join(_WORD.findall(text))} " for text in folded)


def _says(words: str, text: str) -> bool:
    """Whether words stand in a row; what has no letter or digit in it is found everywhere."""
    wanted = _words([text])
    if not wanted.strip():
        return True
    return (wanted.strip() if _WRITTEN_TOGETHER.search(wanted) else wanted) in words


def _label(name: str) -> str:
    return _SAME_IN_LABELS.sub("-", name.casefold())
