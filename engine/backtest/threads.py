"""The threads of an archive, as its messages' own fields tell them in the order of arrival."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.mail.message import Conversation


@dataclass(slots=True)
class _Thread:
    name: str
    messages: int = 0
    replied: bool = False


class Threads:
    """Grows message by message; who refers to none that came before begins a thread."""

    def __init__(self) -> None:
        self._by_id: dict[str, _Thread] = {}

    def join(self, name: str, ids: Sequence[str], *, ours: bool) -> tuple[str, Conversation]:
        """Put a message into its thread; `ids` are its own and those that it refers to."""
        known = (self._by_id[each] for each in ids if each in self._by_id)
        thread = next(known, None) or _Thread(name)
        for each in ids:
            if each:
                self._by_id.setdefault(each, thread)
        seen = Conversation(thread.messages == 0, thread.messages + 1, thread.replied)
        thread.messages += 1
        thread.replied = thread.replied or ours
        return thread.name, seen
