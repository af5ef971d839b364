"""What conditions read: one message, with every text parsed and folded at most once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar, cast

from engine.errors import Missing, Unreadable
from engine.mail.automated import automated
from engine.mail.message import Message
from engine.mail.needs import Need
from engine.rules.addresses import Person
from engine.rules.text import Text

T = TypeVar("T")


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
        """Every value of a header field, decoded, in order."""
        return self._once(
            f"header {name.lower()}", lambda: tuple(map(Text, self.message.headers.texts(name)))
        )

    def people(self, field: str) -> tuple[Person, ...]:
        """Every address of a header field, in order."""
        return self._once(f"people {field}", lambda: tuple(map(Person, self.message.addresses(field))))

    def label_texts(self) -> tuple[Text, ...]:
        return tuple(map(Text, sorted(self.message.labels)))

    def automated(self) -> frozenset[str]:
        return self._once("automated", lambda: automated(self.message.headers))

    def content_missing(self) -> Missing | Unreadable:
        """Make the error that says why the raw bytes are not known."""
        for need, reason in self.message.unreadable:
            if need is Need.CONTENT:
                return Unreadable(need, reason)
        return Missing(Need.CONTENT)

    def _once(self, key: str, make: Callable[[], T]) -> T:
        if key not in self._cache:
            self._cache[key] = make()
        return cast(T, self._cache[key])
