"""The worker: arq runs poll, hear, drain, execute and tick; each job carries an id and nothing else."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from arq.constants import in_progress_key_prefix
from arq.cron import cron
from arq.worker import Worker, func
from redis.exceptions import RedisError

from engine.ending import end
from engine.errors import LeaseLost, PostroomError, SettingsError
from engine.flow import drain as draining
from engine.flow import execute as executing
from engine.flow import poll as polling
from engine.flow.scheduling import Scheduling
from engine.flow.tick import tick as one_tick
from engine.mail.events import is_mailbox
from engine.store.jobs import arq_client, dumps, loads
from engine.store.schedules import RedisSchedules
from engine.wiring import Office

log = logging.getLogger("postroom.worker")

POLL_DELAY_S = 0.02
JOBS_AT_ONCE = 64
STARTED_AT_ONCE = 16
JOB_TIMEOUT_S = 120
LATE_MS = 1_000
"""What is to go on within this time is enqueued for then; the tick wakes the rest."""
STRANGE_MS = 60_000
"""How long the lane of a mailbox that is not configured is left alone."""
RELOAD_EVERY_S = 2.0
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0
SOUND_AFTER_S = 10.0
FINISH_WITHIN_S = 30.0

Job = Callable[..., Awaitable[None]]


async def poll(ctx: dict[str, Any], mailbox: str) -> None:
    """Read a mailbox's history into the queue."""
    office: Office = ctx["office"]
    again = await polling.poll(office.polling, office.provider(mailbox), mailbox)
    await _later(office, again, "poll", mailbox)


async def hear(ctx: dict[str, Any], mailbox: str) -> None:
    """Read a mailbox's history for a ring whose own job may be lost, or may come first."""
    office: Office = ctx["office"]
    again = await polling.hear(office.polling, office.provider(mailbox), mailbox)
    await _later(office, again, "poll", mailbox)


async def drain(ctx: dict[str, Any], lane: str) -> None:
    """Decide what waits in a lane."""
    office: Office = ctx["office"]
    # Calls bring no message along: nobody is asked for one, whichever provider stands there.
    mailbox = lane if is_mailbox(lane) else next(iter(office.settings.mailboxes))
    try:
        provider = office.provider(mailbox)
    except SettingsError:
        # Timers of a mailbox that was taken out still come; another worker may know it yet.
        await office.waking.leave_alone(lane, STRANGE_MS)
        raise
    again = await draining.drain(office.draining, provider, lane)
    await _later(office, again, "drain", lane)


async def execute(ctx: dict[str, Any], run: str) -> None:
    """Carry a run on."""
    office: Office = ctx["office"]
    await _later(office, await executing.execute(office.executing, run), "execute", run)


async def tick(ctx: dict[str, Any]) -> None:
    """Wake what is due."""
    office: Office = ctx["office"]
    scheduling = Scheduling(RedisSchedules(office.base), office.keeper, office.settings.mailboxes)
    await one_tick(office.waking, scheduling, office.intervals, office.retention_ms, office.clock())


async def _later(office: Office, again: int | None, function: str, name: str) -> None:
    if again is not None and again - office.clock() <= LATE_MS:
        await office.waking.later(function, name, again)


async def run_worker(office: Office, stop: asyncio.Event) -> None:
    """Work until `stop` is set; reconnect whenever Redis goes away, since arq's worker ends then."""
    await office.keeper.reload()
    reloading = asyncio.create_task(_reload(office))
    pause = FIRST_PAUSE_S
    try:
        while not stop.is_set():
            began = time.monotonic()
            await _work(office, stop)
            pause = (
                FIRST_PAUSE_S if time.monotonic() - began > SOUND_AFTER_S else min(2 * pause, LONGEST_PAUSE_S)
            )
            await _wait(stop, pause)
    finally:
        await end(reloading)


async def _work(office: Office, stop: asyncio.Event) -> None:
    """Run one arq worker until it ends, or until it was asked to stop and its jobs are done."""
    worker = make_worker(office)
    working = asyncio.create_task(worker.async_run())
    stopping = asyncio.create_task(stop.wait())
    shortcut = office.base.shortcut
    try:
        async with shortcut.open(partial(_carry_out, office)):
            await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if stop.is_set():
                await asyncio.gather(_finish(worker), shortcut.finish(FINISH_WITHIN_S))
                await end(working)
            await working
    except asyncio.CancelledError:
        if not stop.is_set():
            raise
    except (RedisError, OSError) as error:
        log.warning("Redis went away (%s); the worker connects again", type(error).__name__)
    finally:
        stopping.cancel()
        await _close(worker)


async def _carry_out(office: Office, run: str) -> None:
    """Carry on a run that this worker opened, as its job would."""
    try:
        async with asyncio.timeout(JOB_TIMEOUT_S):
            await guarded(execute)({"office": office}, run)
    except Exception:
        log.exception("execute %s failed", run)


async def _finish(worker: Worker) -> None:
    """Take no more jobs and let those at work come to their end."""
    worker.allow_pick_jobs = False
    if worker.tasks:
        await asyncio.wait(worker.tasks.values(), timeout=FINISH_WITHIN_S)


class _Worker(Worker):
    async def start_jobs(self, job_ids: list[bytes]) -> None:
        """Start a few of those that are not under way, and have the queue looked at again.

        Starting one takes some round trips: who comes meanwhile and goes first would wait for all of them.
        """
        started = 0
        free = await self._free([job for job in job_ids if job.decode() not in self.tasks])
        # What is under way stays at the head of the queue: where all that was read is, the rest is read next.
        full = len(job_ids) == self.queue_read_limit
        self._queue_read_offset = self._queue_read_offset + len(job_ids) if full and not free else 0
        for job in free:
            if started == STARTED_AT_ONCE or self.job_counter >= self.max_jobs:
                return
            await super().start_jobs([job])
            started += job.decode() in self.tasks

    async def _free(self, job_ids: list[bytes]) -> list[bytes]:
        """Leave out what is under way elsewhere: arq would ask Redis about one after the other."""
        if len(job_ids) < 2:
            return job_ids
        marks = await self.pool.mget([in_progress_key_prefix + job.decode() for job in job_ids])
        return [job for job, mark in zip(job_ids, marks, strict=True) if mark is None]


def make_worker(office: Office) -> Worker:
    """An arq worker for this office's queue."""
    jobs: list[Job] = [guarded(poll), guarded(hear), guarded(drain), guarded(execute)]
    return _Worker(
        functions=[func(job, name=job.__name__, keep_result=0, max_tries=1) for job in jobs],  # type: ignore[arg-type]
        cron_jobs=[cron(guarded(tick), second=None, microsecond=0, unique=False, max_tries=1)],  # type: ignore[arg-type]
        redis_pool=arq_client(office.url, office.base.prefix),
        queue_name=office.base.queue,
        ctx={"office": office},
        poll_delay=POLL_DELAY_S,
        max_jobs=JOBS_AT_ONCE,
        job_timeout=JOB_TIMEOUT_S,
        keep_result=0,
        handle_signals=False,
        health_check_interval=3600,
        job_serializer=dumps,
        job_deserializer=loads,
    )


def guarded(job: Job) -> Job:
    """Let no foreseen failure end in arq's log as a defect: the tick wakes what was left undone."""

    async def run(ctx: dict[str, Any], *args: str) -> None:
        try:
            await job(ctx, *args)
        except LeaseLost as lost:
            log.info("%s", lost)
        except (RedisError, OSError) as error:
            log.warning("%s %s: Redis does not answer (%s)", job.__name__, " ".join(args), error)
        except SettingsError as error:
            log.error("%s %s: %s", job.__name__, " ".join(args), error)

    run.__name__ = run.__qualname__ = job.__name__
    return run


async def _reload(office: Office) -> None:
    while True:
        await asyncio.sleep(RELOAD_EVERY_S)
        try:
            await office.clock.sync()
            await office.halts.look()
            await office.keeper.reload()
        except (RedisError, OSError, PostroomError) as error:
            log.warning("rules were not read again: %s", error)
        except Exception:
            log.exception("rules were not read again")


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return


async def _close(worker: Worker) -> None:
    # arq would gather the jobs that it cancels, and take their cancellation for its own.
    for job in list(worker.tasks.values()):
        await end(job)
    worker.tasks.clear()
    try:
        await worker.close()
    except (RedisError, OSError) as error:
        log.debug("the worker's connection was gone already: %s", error)
