"""What the flow asks of what lies beyond mail services and Redis, declared by the one who asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Chosen:
    """A path below a folder, and whether the very file lies there already."""

    path: str
    existed: bool


class Folders(Protocol):
    """Folders that the configuration names. Raises Rejected and Unavailable."""

    async def choose(self, folder: str, path: Sequence[str], content: bytes, taken: frozenset[str]) -> Chosen:
        """Say under which free name a file would lie, or where it lies already; not at a `taken` path."""
        ...

    async def store(self, folder: str, path: Sequence[str], content: bytes) -> str:
        """Write a file under this name, or the next that is free, or find it there; give its path."""
        ...
