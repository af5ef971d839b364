"""What conditions read: one message, with every text parsed and folded at most once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from engine.errors import Missing, Unreadable
from engine.mail.automated import automated
from engine.mail.message import Message
from engine.mail.needs import Need
from engine.rules.addresses import Person
from engine.rules.text import Text

AUTOMATED = " automated"
"""Where the cache keeps the kinds of automated mail: no header field has such a name."""


class View:
    """A message under judgement; reading what was not fetched raises Missing."""

    def __init__(self, message: Message, now: datetime, cache: dict[str, Any] | None = None) -> None:
        self.message = message
        self.now = now
        self._cache: dict[str, Any] = {} if cache is None else cache

    def relabelled(self, labels: frozenset[str]) -> View:
        """See the same message with the labels that earlier rules planned."""
        return View(self.message.relabelled(labels), self.now, self._cache)

    @property
    def labels(self) -> frozenset[str]:
        return self.message.labels

    def header(self, name: str) -> tuple[Text, ...]:
        """Every value of a header field, decoded, in order; `name` in lower case."""
        found: tuple[Text, ...] | None = self._cache.get(name)
        if found is None:
            found = self._cache[name] = tuple(map(Text, self.message.headers.texts(name)))
        return found

    def people(self, field: str) -> tuple[Person, ...]:
        """Every address of a header field, in order; `field` capitalised, unlike a header's name."""
        found: tuple[Person, ...] | None = self._cache.get(field)
        if found is None:
            found = self._cache[field] = tuple(map(Person, self.message.addresses(field)))
        return found

    def label_texts(self) -> tuple[Text, ...]:
        return tuple(map(Text, sorted(self.message.labels)))

    def automated(self) -> frozenset[str]:
        found: frozenset[str] | None = self._cache.get(AUTOMATED)
        if found is None:
            found = self._cache[AUTOMATED] = automated(self.message.headers)
        return found

    def content_missing(self) -> Missing | Unreadable:
        """Make the error that says why the raw bytes are not known."""
        for need, reason in self.message.unreadable:
            if need is Need.CONTENT:
                return Unreadable(need, reason)
        return Missing(Need.CONTENT)
