"""What somebody may have to read of a message before a question can be answered."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Need(StrEnum):
    """One part of a message. Identity, thread, labels, size and date come with every fetch."""

    LABELS = "labels"
    """Known from the event itself: no fetch."""
    HEADERS = "headers"
    """All header fields; also size and date of arrival."""
    BODY = "body"
    """The text a person reads."""
    ATTACHMENTS = "attachments"
    """Names, declared types and sizes."""
    CONTENT = "content"
    """The raw bytes: sniffed types and digests of attachments."""
    THREAD = "thread"
    """The other messages of its thread: a call of its own, beside the message's."""


Needs = frozenset[Need]

NOTHING: Needs = frozenset()


def union(needs: Iterable[Needs]) -> Needs:
    """What all of them together ask for."""
    return NOTHING.union(*needs)
