from __future__ import annotations

from typing import ClassVar

from engine.rules.placing import Placing


class Spam(Placing):
    """Move the message to spam."""

    key = "spam"
    examples = ("spam: true", "spam: {scope: thread}")
    puts: ClassVar[tuple[str, ...]] = ("SPAM",)
    takes: ClassVar[tuple[str, ...]] = ("INBOX",)
