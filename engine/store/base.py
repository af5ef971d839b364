"""What the parts of the store share: the client, the key prefix, the scripts and the queue's name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from engine.store.jobs import JOB_TTL_MS, Job, new_job, queue_name
from engine.store.scripts import Scripts
from engine.store.shortcut import Shortcut

__all__ = ["JOB_TTL_MS", "Base", "chunks"]

CHUNK = 1000
"""Lua's unpack takes some thousands of words; one command never has more than this."""

T = TypeVar("T")


def chunks(items: Sequence[T]) -> Iterator[list[T]]:
    """Part a list into what one command may carry."""
    for start in range(0, len(items), CHUNK):
        yield list(items[start : start + CHUNK])


@dataclass(frozen=True)
class Base:
    """One database and prefix. Keys are `prefix:part:part`."""

    redis: Any
    """A client of `connect`; redis-py 5 annotates half its commands as awaitable or not, so: Any."""
    prefix: str = "postroom"
    shortcut: Shortcut = field(default_factory=Shortcut)

    @cached_property
    def scripts(self) -> Scripts:
        return Scripts(self.redis, self.prefix)

    @property
    def queue(self) -> str:
        return queue_name(self.prefix)

    def key(self, *parts: str) -> str:
        return ":".join((self.prefix, *parts))

    def drain_job(self, lane: str) -> Job:
        return new_job("drain", lane)

    def execute_job(self, run: str) -> Job:
        return new_job("execute", run)

    def poll_job(self, mailbox: str) -> Job:
        return new_job("poll", mailbox)

    def hear_job(self, mailbox: str) -> Job:
        return new_job("hear", mailbox)
