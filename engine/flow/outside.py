"""What the flow asks of what lies beyond mail services and Redis, declared by the one who asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Removal = Literal["removed", "changed", "gone"]


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

    async def remove(self, folder: str, path: Sequence[str], digest: str, *, acts: bool) -> Removal:
        """Remove a file if it still has this SHA-256; unless it `acts`, say what would come of it."""
        ...


class Endpoints(Protocol):
    """Other systems that the configuration names. Raises ProviderErrors and nothing else."""

    def heeds_keys(self, endpoint: str) -> bool:
        """Say whether a second call under the same key does nothing more."""
        ...

    async def call(self, endpoint: str, body: bytes, key: str) -> tuple[int, bytes]:
        """Send JSON once, under a key; give status and body of the answer.

        Raises OutcomeUnknown where the answer was lost and the key is not heeded.
        """
        ...
