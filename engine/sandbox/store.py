"""The database with its clock, and who is told when a mailbox changes."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from engine.sandbox.lag import Lag
from engine.sandbox.schema import CONTENT


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One hosted mailbox."""

    row: int
    address: str
    aliases: tuple[str, ...]
    groups: tuple[str, ...]
    status: str
    created: int
    history: int
    floor: int
    """History ids below this one have expired."""


@dataclass(slots=True)
class Store:
    """All state of one sandbox. Calls never await, so each transaction is atomic to the event loop."""

    db: sqlite3.Connection
    ring: Callable[[str, int], None] = lambda _address, _history: None
    """Called with (address, newest history id) after a change of messages is committed."""
    clock: Callable[[], float] = time.time
    history_horizon: int = 0
    """How many of a mailbox's newest records can be reached; 0 for all."""
    lag: Lag = field(default_factory=Lag)
    _rung: dict[str, int] = field(default_factory=dict)
    _written: list[tuple[int, dict[str, object]]] = field(default_factory=list)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what is written inside, or nothing of it."""
        self.db.execute("BEGIN")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            self._rung.clear()
            self._written.clear()
            raise
        self.db.execute("COMMIT")
        self._note()
        rung, self._rung = self._rung, {}
        for address, history in rung.items():
            self.ring(address, history)

    def now(self) -> int:
        """Epoch milliseconds."""
        return int(self.clock() * 1000)

    def mailbox(self, address: str) -> Mailbox | None:
        """Find the mailbox with exactly this address, in any case."""
        row = self.db.execute("SELECT * FROM mailboxes WHERE address = ?", (address.casefold(),)).fetchone()
        return _mailbox(row) if row else None

    def mailboxes(self) -> list[Mailbox]:
        return [_mailbox(row) for row in self.db.execute("SELECT * FROM mailboxes ORDER BY row")]

    def next_history(self, box: Mailbox) -> int:
        """Take the next history id; ids rise with gaps, as Zoom's do."""
        taken = self.db.execute(
            "UPDATE mailboxes SET history = history + 1 + history % 3 WHERE row = ? RETURNING history",
            (box.row,),
        ).fetchone()
        return int(taken["history"])

    def record(self, box: Mailbox, changes: dict[str, object], *, message: bool = True) -> int:
        """Write one history record; only changes of messages ring."""
        history = self.next_history(box)
        record = json.dumps({"id": str(history), **changes})
        self.db.execute("INSERT INTO history VALUES (?, ?, ?)", (box.row, history, record))
        if message:
            self._rung[box.address] = history
            self._written.append((box.row, changes))
        return history

    def _note(self) -> None:
        written, self._written = self._written, []
        for row, changes in written:
            self.lag.note(self.clock(), row, changes)

    def clear(self) -> None:
        """Forget everything."""
        for table in CONTENT:
            self.db.execute(f"DELETE FROM {table}")  # noqa: S608 - a constant


def _mailbox(row: sqlite3.Row) -> Mailbox:
    return Mailbox(
        row=row["row"],
        address=row["address"],
        aliases=tuple(json.loads(row["aliases"])),
        groups=tuple(json.loads(row["groups"])),
        status=row["status"],
        created=row["created"],
        history=row["history"],
        floor=row["floor"],
    )
