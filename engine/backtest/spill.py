"""Where what was judged waits on disk until its turn comes, so that memory stays flat."""

from __future__ import annotations

import pickle
import tempfile
from array import array
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Spill(AbstractContextManager["Spill[T]"], Generic[T]):
    """Values in a nameless file of ours; given back in the order of a number, ties as they were put in."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
        self._orders, self._places = array("q"), array("q")
        self._end = 0

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._orders)

    def put(self, order: int, value: T) -> None:
        self.put_dumped(order, dump(value))

    def put_dumped(self, order: int, dumped: bytes) -> None:
        """Put in what another process has dumped."""
        self._file.write(dumped)
        self._orders.append(order)
        self._places.append(self._end)
        self._end += len(dumped)

    def __iter__(self) -> Iterator[T]:
        self._file.flush()
        for at in sorted(range(len(self._orders)), key=self._orders.__getitem__):
            self._file.seek(self._places[at])
            value: T = pickle.load(self._file)  # noqa: S301 - we wrote it ourselves
            yield value


def load(dumped: bytes) -> Any:
    """Read what `dump` has made, in this run of ours."""
    return pickle.loads(dumped)  # noqa: S301 - we wrote it ourselves


def dump(value: object) -> bytes:
    """Make the bytes that a Spill holds."""
    return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
