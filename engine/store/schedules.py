"""Schedules in Redis: how far each is, moved in the step that sets off what is due."""

from __future__ import annotations

from engine.flow.scheduling import Place
from engine.mail.events import Event
from engine.store.base import JOB_TTL_MS, Base


class RedisSchedules:
    """The Schedules port on Redis."""

    def __init__(self, base: Base) -> None:
        self._base, self._key = base, base.key

    async def marks(self) -> dict[Place, str]:
        found = await self._base.redis.hgetall(self._key("schedules"))
        return {_place(field): mark for field, mark in found.items()}

    async def move(
        self, digest: str, place: Place, old: str, new: str, event: Event | None, now: int
    ) -> bool:
        lane = place[1]
        job = self._base.drain_job(lane)
        keys = [self._key(part) for part in ("current", "schedules")]
        keys += [self._key("events", lane), self._key("awake"), self._base.queue]
        told = event.to_json() if event else ""
        args: list[str | int] = [
            digest,
            "\n".join(place),
            old,
            new,
            lane,
            told,
            now,
            job.id,
            job.payload,
            JOB_TTL_MS,
        ]
        return bool(await self._base.scripts("schedule", keys, args))


def _place(field: str) -> Place:
    kind, _, mailbox = field.partition("\n")
    return kind, mailbox
