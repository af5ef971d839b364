"""What the parts of the store share: the client, the key prefix, the scripts and the queue's name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from engine.store.jobs import JOB_TTL_MS, Job, new_job, queue_name
from engine.store.scripts import Scripts

__all__ = ["JOB_TTL_MS", "Base"]


@dataclass(frozen=True)
class Base:
    """One database and prefix. Keys are `prefix:part:part`."""

    redis: Any
    """A client of `connect`; redis-py 5 annotates half its commands as awaitable or not, so: Any."""
    prefix: str = "postroom"

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
