from __future__ import annotations

from typing import ClassVar

from engine.rules.placing import Placing


class Untrash(Placing):
    """Take the message out of the trash; into the inbox it comes with `label: INBOX` beside it."""

    key = "untrash"
    examples = ("untrash: true", "untrash: {scope: thread}")
    takes: ClassVar[tuple[str, ...]] = ("TRASH",)
