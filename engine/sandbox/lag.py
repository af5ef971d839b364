"""A search that trails behind writes, as an index that is filled in the background does."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

ARRIVALS = ("messagesAdded", "messagesImported", "messagesImportedNew")


@dataclass(slots=True)
class Lag:
    """What was written too short ago for a search to know."""

    seconds: float = 0.0
    _written: deque[tuple[float, int, Mapping[str, Any]]] = field(default_factory=deque)

    def note(self, now: float, mailbox: int, changes: Mapping[str, Any]) -> None:
        """Remember one history record for as long as the search does not know it."""
        self._forget(now)
        if self.seconds:
            self._written.append((now, mailbox, changes))

    def before(self, now: float, mailbox: int) -> dict[str, frozenset[str] | None]:
        """What a search takes for the labels of messages changed since: by message id, None if not there."""
        self._forget(now)
        known: dict[str, frozenset[str] | None] = {}
        for _, row, changes in reversed(self._written):
            if row == mailbox:
                for message, labels in _undone(changes):
                    known[message] = labels
        return known

    def _forget(self, now: float) -> None:
        while self._written and self._written[0][0] <= now - self.seconds:
            self._written.popleft()


def _undone(changes: Mapping[str, Any]) -> Iterator[tuple[str, frozenset[str] | None]]:
    """The labels of each message of a record before it was written."""
    for key in ARRIVALS:
        for entry in changes.get(key, ()):
            yield entry["message"]["id"], None
    labels: dict[str, set[str]] = {}
    for key, undo in (("labelsAdded", set.difference_update), ("labelsRemoved", set.update)):
        for entry in changes.get(key, ()):
            shown = entry["message"]
            undo(labels.setdefault(shown["id"], set(shown["labelIds"])), entry["labelIds"])
    yield from ((id_, frozenset(before)) for id_, before in labels.items())
