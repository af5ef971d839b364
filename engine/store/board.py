"""Everything that is watched, read at one moment: for `/metrics`, `status` and the silence alarm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from engine.flow.silence import Alarm, Hooked, Watched, alarms
from engine.mail.events import is_mailbox
from engine.store.base import Base
from engine.store.brake import Brake, read_brake
from engine.store.budget_left import Left, Limits, read_left
from engine.store.figures import Figures, Process, Series
from engine.store.halt import Halt, read_halt
from engine.store.jobs import LEAD_MS
from engine.store.mailboxes import RedisMailboxes
from engine.store.timers import RedisTimers

AT_ONCE = 100
"""Mailboxes that are read in one round trip."""
_BY_MAILBOX = ("started", "polled", "moved", "unrung", "paused-since")


@dataclass(frozen=True, slots=True)
class Box:
    """How a mailbox is configured."""

    mailbox: str
    account: str
    interval: int
    """From poll to poll in ms; 0 when webhooks alone wake it."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Since when, until when (epoch ms) and why a mailbox is left alone."""

    since: int
    until: int
    why: str

    def __str__(self) -> str:
        until = datetime.fromtimestamp(self.until / 1000, UTC)
        return f"{self.why} (tried again at {until:%H:%M:%S} UTC)"


@dataclass(frozen=True, slots=True)
class Lane:
    """One mailbox and what waits in its lane; times in epoch ms, 0 for never."""

    watched: Watched
    started: int
    queued: int
    waiting: int
    oldest: int
    """When the oldest event that is not decided was read."""
    groups: int
    """Label changes that are still to come."""
    pause: Pause | None

    @property
    def mailbox(self) -> str:
        return self.watched.mailbox


@dataclass(frozen=True, slots=True)
class Calls:
    """What waits in a lane of calls; `oldest` in epoch ms."""

    lane: str
    queued: int
    oldest: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All of it."""

    now: int
    lanes: tuple[Lane, ...]
    totals: Mapping[Series, int]
    alarms: tuple[Alarm, ...]
    budgets: tuple[Left, ...]
    processes: tuple[Process, ...]
    halt: Halt | None
    digest: str
    """Of the rules in force, "" when there never were any."""
    in_force: int
    """Since when."""
    jobs: int
    """Jobs that are due and that no worker has taken."""
    jobs_since: int
    """When the first of them was due, 0 when there is none."""
    open: int
    dead: int
    memory: int
    """What Redis uses, in bytes."""
    memory_limit: int
    """What it may use; 0 for no limit."""
    awaiting: int = 0
    """Messages that wait for a person's approval."""
    delayed: int = 0
    """Runs whose next step has an `after` that is not over; `open` counts the others."""
    timers: int = 0
    overdue: int = 0
    """Timers that should have fired some time ago."""
    calls: tuple[Calls, ...] = ()
    """Lanes of calls in which something waits."""
    brake: Brake | None = None
    """Who has paused sends, None while they go on."""


class Board:
    """Reads it, in a few round trips whatever is stored."""

    def __init__(
        self, base: Base, boxes: Sequence[Box], hooked: Sequence[str], limits: Mapping[str, Limits]
    ) -> None:
        """`hooked` are the accounts that take webhooks, `limits` each account's share of its rate limits."""
        self._base, self._redis, self._key = base, base.redis, base.key
        self._boxes, self._hooked, self._limits = boxes, hooked, limits
        self._figures = Figures(base)

    async def read(self, now: int) -> Snapshot:
        lanes = await self.lanes()
        common = await self._common(now)
        return Snapshot(
            now=now,
            lanes=tuple(lanes),
            totals=await self._figures.totals(),
            alarms=tuple(await self.alarms(lanes, now)),
            budgets=tuple(await read_left(self._base, self._limits)),
            processes=tuple(await self._figures.processes(now)),
            halt=await read_halt(self._base),
            calls=tuple(await self._calls()),
            brake=await read_brake(self._base),
            **common,
        )

    async def alarms(self, lanes: Sequence[Lane], now: int) -> list[Alarm]:
        """The silence alarm, for mailboxes and for the webhooks of their accounts."""
        marks = await self._figures.marks()

        def last(account: str, *names: str) -> int:
            return max(marks.get((name, account), 0) for name in names)

        hooks = [
            Hooked(
                account,
                signed=last(account, "signed"),
                validated=last(account, "validated"),
                refused=last(account, "refused"),
                unsigned=last(account, "forged", "stale"),
            )
            for account in self._hooked
        ]
        return alarms([lane.watched for lane in lanes], hooks, now)

    async def lanes(self) -> list[Lane]:
        """Every configured mailbox; some at a time, so that webhooks have their turn between."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for part in _BY_MAILBOX:
                pipe.hgetall(self._key(part))
            known = dict(zip(_BY_MAILBOX, await pipe.execute(), strict=True))
        known["paused"] = await RedisMailboxes(self._base).paused()
        lanes: list[Lane] = []
        for start in range(0, len(self._boxes), AT_ONCE):
            lanes += await self._some(self._boxes[start : start + AT_ONCE], known)
        return lanes

    async def _some(self, boxes: Sequence[Box], known: Mapping[str, Mapping[str, Any]]) -> list[Lane]:
        async with self._redis.pipeline(transaction=False) as pipe:
            for box in boxes:
                pipe.hgetall(self._key("habit", box.mailbox))
                pipe.xlen(self._key("events", box.mailbox))
                pipe.xrange(self._key("events", box.mailbox), count=1)
                pipe.hkeys(self._key("waiting", box.mailbox))
                pipe.llen(self._key("groups", box.mailbox))
            own = await pipe.execute()
        return [
            self._lane(box, {part: values.get(box.mailbox, 0) for part, values in known.items()}, *five)
            for box, *five in zip(boxes, *(own[part::5] for part in range(5)), strict=True)
        ]

    def _lane(
        self,
        box: Box,
        known: Mapping[str, Any],
        habit: Mapping[str, str],
        queued: int,
        first: list[tuple[str, Any]],
        waiting: list[str],
        groups: int,
    ) -> Lane:
        watched = Watched(
            box.mailbox,
            box.account,
            box.interval,
            box.account in self._hooked,
            polled=int(known["polled"]),
            moved=int(known["moved"]),
            unrung=int(known["unrung"]),
            habit={int(day): int(silence) for day, silence in habit.items()},
        )
        entries = [*(entry for entry, _ in first), *waiting]
        oldest = min((int(entry.partition("-")[0]) for entry in entries), default=0)
        until, why = known["paused"] or (0, "")
        pause = Pause(int(known["paused-since"] or until), until, why) if why else None
        return Lane(watched, int(known["started"]), queued, len(waiting), oldest, groups, pause)

    async def _calls(self) -> list[Calls]:
        """Lanes that are awake and no mailboxes: few, since each has its place in the configuration."""
        lanes = [lane for lane in await self._redis.smembers(self._key("awake")) if not is_mailbox(lane)]
        async with self._redis.pipeline(transaction=False) as pipe:
            for lane in sorted(lanes):
                pipe.xlen(self._key("events", lane))
                pipe.xrange(self._key("events", lane), count=1)
            found = await pipe.execute()
        return [
            Calls(lane, queued, int(first[0][0].partition("-")[0]))
            for lane, queued, first in zip(sorted(lanes), found[::2], found[1::2], strict=True)
            if first
        ]

    async def _common(self, now: int) -> dict[str, Any]:
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.get(self._key("current"))
            pipe.get(self._key("current-since"))
            pipe.zcount(self._base.queue, "-inf", now)
            pipe.zrange(self._base.queue, 0, 0, withscores=True)
            pipe.zcard(self._key("due"))
            pipe.zcard(self._key("dead"))
            pipe.zcard(self._key("approvals"))
            pipe.zcount(self._key("delayed"), f"({now}", "+inf")
            pipe.info("memory")
            digest, since, jobs, first, due, dead, awaiting, delayed, memory = await pipe.execute()
        timers, overdue = await RedisTimers(self._base).counts(now)
        return {
            "digest": digest or "",
            "in_force": int(since or 0),
            "jobs": jobs,
            "jobs_since": min(int(first[0][1]) + LEAD_MS, now) if jobs else 0,
            "open": due - delayed,
            "dead": dead,
            "awaiting": awaiting,
            "delayed": delayed,
            "timers": timers,
            "overdue": overdue,
            "memory": memory["used_memory"],
            "memory_limit": memory["maxmemory"],
        }
