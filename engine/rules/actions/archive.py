from __future__ import annotations

from typing import ClassVar

from engine.rules.placing import Placing


class Archive(Placing):
    """Take the message out of the inbox."""

    key = "archive"
    examples = ("archive: true", "archive: {scope: thread}")
    takes: ClassVar[tuple[str, ...]] = ("INBOX",)
