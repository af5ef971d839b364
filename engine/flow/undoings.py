"""What undoing asks of the store, and what it is given."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from engine.flow.clock import Clock
from engine.flow.drafts import Drafts
from engine.flow.outside import Folders
from engine.flow.ports import Provider
from engine.flow.recorded import Recorded, Undone
from engine.flow.stores import Lease
from engine.flow.summaries import Summaries
from engine.flow.suppression import Suppressions


class Undoings(Protocol):
    """What undoing asks of the store."""

    def lease(self, lane: str) -> AbstractAsyncContextManager[Lease | None]: ...

    async def get(self, run: str) -> Recorded | None: ...

    async def touching(
        self, mailbox: str, keys: Iterable[str], threads: Iterable[str], since: int
    ) -> list[Recorded]:
        """Give the mailbox's runs that change labels of some messages, or of whole threads.

        Those since then, and earlier ones with steps that may have waited.
        """
        ...

    async def saving(self, undone: Collection[str], since: int) -> set[tuple[str, str]]:
        """Give folder and path of the files that other runs since then have saved, or found saved."""
        ...

    async def tread(self, lane: str, lease: Lease, steps: Sequence[str], answered: int, now: int) -> None:
        """Note label changes of ours. Raises LeaseLost."""
        ...

    async def give_up(
        self,
        lane: str,
        lease: Lease,
        waiting: Mapping[str, Mapping[int, Mapping[str, str]]],
        now: int,
    ) -> None:
        """Give steps that wait their receipts, by run, unless one is tried just now. Raises LeaseLost."""
        ...

    async def mark(self, lane: str, lease: Lease, undone: Mapping[str, Undone], now: int) -> None:
        """Mark runs as undone, each once. Raises LeaseLost."""
        ...


@dataclass(frozen=True)
class Undoing:
    """What undoing needs."""

    store: Undoings
    provider: Callable[[str], Provider]
    folders: Folders
    summaries: Summaries
    drafts: Drafts
    suppressions: Suppressions
    clock: Clock
    by: str
    """Who does it."""
