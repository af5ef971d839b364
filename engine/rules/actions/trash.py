from __future__ import annotations

from typing import ClassVar

from engine.rules.placing import Placing


class Trash(Placing):
    """Move the message to the trash."""

    key = "trash"
    examples = ("trash: true", "trash: {scope: thread}")
    puts: ClassVar[tuple[str, ...]] = ("TRASH",)
    takes: ClassVar[tuple[str, ...]] = ("INBOX",)
