"""Workers: whatever gets lost or breaks, everything comes to its end, once."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from arq.constants import in_progress_key_prefix
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from engine import ending, worker
from engine.errors import LeaseLost, SettingsError
from engine.flow.timers import Timer
from engine.mail.events import Event, EventKind
from engine.store.embedded import EmbeddedRedis
from engine.store.timers import RedisTimers
from engine.wiring import Office
from engine.worker import guarded
from tests.flow.fakes import BOX, mail
from tests.shop import BROKEN, RULES, SECRET, Shop, make_shop, working
from tests.waiting import wait_for


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "RELOAD_EVERY_S", 0.1)


@pytest.fixture
def shop(tmp_path: Path, redis: Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("REDIS_URL", redis_url)
    return make_shop(tmp_path, "redis: {url: env:REDIS_URL}")


async def in_service(office: Office) -> None:
    await wait_for(lambda: office.mailboxes.cursor(BOX), what="a first cursor")


async def deliver(shop: Shop, office: Office, *keys: str) -> None:
    assert shop.service is not None
    for number, key in enumerate(keys):
        shop.service.deliver(key, mail("hello", sender=f"ann{number}@x.example"))
    await office.mailboxes.ring([BOX], office.clock())


def sent(shop: Shop) -> int:
    assert shop.service is not None
    return len(shop.service.sent)


async def settled(office: Office, count: int) -> None:
    """Wait until so many runs are done."""

    async def all_done() -> bool:
        runs = [await office.journal.get(run) for run in await office.journal.newest(1_000)]
        return len(runs) == count and all(run is not None and run.state == "done" for run in runs)

    await wait_for(all_done, what=f"{count} runs that are done")


async def test_mail_is_labelled_and_answered(shop: Shop) -> None:
    async with shop.office() as office, working(office):
        await in_service(office)
        await deliver(shop, office, "1", "2")
        await settled(office, 2)
        assert shop.service is not None
        assert sent(shop) == 2
        assert all("Seen" in shop.service.labels(key) for key in "12")


async def test_a_few_jobs_are_started_before_the_queue_is_looked_at_again(shop: Shop) -> None:
    """Who comes while a hundred are started, and goes first, waits for a few of them."""
    async with shop.office() as office:
        made = worker.make_worker(office)
        for number in range(100):
            await office.waking.later("execute", f"none{number}", office.clock())
        jobs = [job.encode() for job in await office.base.redis.zrange(office.base.queue, 0, -1)]
        await made.start_jobs(jobs)
        assert list(made.tasks) == [job.decode() for job in jobs[: worker.STARTED_AT_ONCE]]
        await made.start_jobs(jobs)
        assert len(made.tasks) == 2 * worker.STARTED_AT_ONCE
        await asyncio.gather(*made.tasks.values())
        await made.close()


async def under_way_elsewhere(office: Office, count: int) -> None:
    """Have jobs at the head of the queue that another worker has: alive, or killed a moment ago."""
    for number in range(count):
        await office.waking.later("execute", f"theirs{number}", office.clock() - 5_000)
    jobs = await office.base.redis.zrange(office.base.queue, 0, -1)
    await office.base.redis.mset({in_progress_key_prefix + job: "1" for job in jobs})


async def test_what_is_under_way_elsewhere_costs_one_question(shop: Shop) -> None:
    async with shop.office() as office:
        made = worker.make_worker(office)
        await under_way_elsewhere(office, 100)
        await office.waking.later("execute", "ours", office.clock())
        jobs = [job.encode() for job in await office.base.redis.zrange(office.base.queue, 0, -1)]
        before = (await office.base.redis.info("stats"))["total_commands_processed"]
        await made.start_jobs(jobs)
        asked = (await office.base.redis.info("stats"))["total_commands_processed"] - before
        assert list(made.tasks) == [jobs[-1].decode()]
        assert asked < 50
        await asyncio.gather(*made.tasks.values())
        await made.close()


async def test_a_job_behind_more_of_others_than_are_read_at_a_time_is_started(shop: Shop) -> None:
    """Six workers that were killed leave that many, and none may start them for two minutes."""
    async with shop.office() as office:
        made = worker.make_worker(office)
        await under_way_elsewhere(office, 2 * made.queue_read_limit)
        await office.waking.later("execute", "ours", office.clock())
        ours = (await office.base.redis.zrange(office.base.queue, -1, -1))[0]
        working = asyncio.create_task(made.async_run())
        try:
            await wait_for(lambda: _is_gone(office, ours), seconds=10, what="the job done")
        finally:
            await ending.end(working)
            await made.close()


async def _is_gone(office: Office, job: str) -> bool:
    return await office.base.redis.zscore(office.base.queue, job) is None


async def test_two_workers_do_everything_once(shop: Shop) -> None:
    async with shop.office() as first, shop.office() as second, working(first, second):
        await in_service(first)
        keys = [str(number) for number in range(40)]
        for start in range(0, 40, 8):
            await deliver(shop, first, *keys[start : start + 8])
        await settled(first, 40)
        assert sent(shop) == 40


async def lose_all_jobs(office: Office) -> None:
    jobs = [key async for key in office.base.redis.scan_iter("arq:*")]
    await office.base.redis.delete(office.base.queue, *jobs)


@pytest.mark.parametrize("stage", ["a doorbell", "a lane", "a run"])
async def test_without_any_job_the_ticks_bring_everything_to_its_end(shop: Shop, stage: str) -> None:
    async with shop.office() as office:
        assert shop.service is not None
        await office.keeper.reload()
        await worker.poll({"office": office}, BOX)
        await deliver(shop, office, "1")
        if stage != "a doorbell":
            await worker.poll({"office": office}, BOX)
        if stage == "a run":
            await worker.drain({"office": office}, BOX)
            (run,) = await office.journal.newest(9)
            await office.base.redis.zadd(office.base.key("due"), {run: office.clock()})
        await lose_all_jobs(office)
        async with working(office):
            await settled(office, 1)
        assert sent(shop) == 1


def held_up(shop: Shop, method: str) -> tuple[asyncio.Event, asyncio.Event]:
    """The next call of the service begins, which it tells, and goes on when it may."""
    begun, going_on = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        begun.set()
        await going_on.wait()

    assert shop.service is not None
    shop.service.meanwhile[method] = slow
    return begun, going_on


async def test_a_job_under_way_is_finished_before_the_worker_ends(shop: Shop) -> None:
    async with shop.office() as office:
        async with working(office) as stop:
            await in_service(office)
            begun, going_on = held_up(shop, "change_labels")
            await deliver(shop, office, "1")
            await begun.wait()
            stop.set()
            going_on.set()
        assert shop.service is not None
        assert "Seen" in shop.service.labels("1")
        (run,) = await office.journal.newest(9)
        recorded = await office.journal.get(run)
        assert recorded is not None
        assert recorded.receipts[0]["outcome"] == "done"


async def test_a_worker_does_not_ask_redis_at_every_look_about_a_job_that_it_has_under_way(
    shop: Shop, redis: Redis
) -> None:
    async def calls(command: str) -> int:
        known: dict[str, dict[str, int]] = await redis.info("commandstats")
        return known.get(f"cmdstat_{command}", {"calls": 0})["calls"]

    async with shop.office() as office, working(office):
        await in_service(office)
        begun, going_on = held_up(shop, "history")
        await deliver(shop, office, "1")
        await begun.wait()
        watched, looked = await calls("unwatch"), await calls("zrangebyscore")

        async def looked_on() -> bool:
            return await calls("zrangebyscore") > looked + 10

        await wait_for(looked_on, what="ten looks for jobs")
        assert await calls("unwatch") == watched
        going_on.set()
        await settled(office, 1)


class Deaf:
    """An arq worker in which a cancellation gets lost, as it does in arq's now and then."""

    tasks: dict[str, asyncio.Task[Any]] = {}
    allow_pick_jobs = True

    async def async_run(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    async def close(self) -> None:
        return None


async def test_a_cancellation_that_gets_lost_does_not_keep_the_worker_from_ending(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "make_worker", lambda _office: Deaf())
    monkeypatch.setattr(ending, "AGAIN_AFTER_S", 0.01)
    async with shop.office() as office, working(office):
        await asyncio.sleep(0)


class Bereft(Deaf):
    """An arq worker that loses Redis while a job is under way, and closes as arq's does."""

    lives = 0

    async def async_run(self) -> None:
        Bereft.lives += 1
        self.tasks = {"1": asyncio.create_task(asyncio.Event().wait())}
        await asyncio.sleep(0)
        raise RedisConnectionError("Redis is away")

    async def close(self) -> None:
        for task in self.tasks.values():
            task.cancel()
        await asyncio.gather(*self.tasks.values())


async def test_a_worker_that_loses_redis_during_a_job_connects_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "make_worker", lambda _office: Bereft())
    monkeypatch.setattr(worker, "LONGEST_PAUSE_S", 0.01)
    monkeypatch.setattr(worker, "FINISH_WITHIN_S", 0.01)  # Asked to stop, it waits for a job that never ends.
    async with shop.office() as office, working(office):
        await wait_for(lambda: Bereft.lives > 2, what="a third life")


async def test_broken_rules_are_not_loaded_and_the_last_good_ones_survive_a_restart(shop: Shop) -> None:
    async with shop.office() as office, working(office):
        await in_service(office)
    shop.write_rules(BROKEN)
    async with shop.office() as office, working(office):
        await deliver(shop, office, "1")
        await settled(office, 1)
        shop.write_rules(RULES.replace("id: answer", "id: better"))
        await wait_for(lambda: _in_force(office, "better"), what="the new rules in force")


def _in_force(office: Office, rule: str) -> bool:
    current = office.keeper.current()
    return current is not None and [one.id for one in current.rules.rules] == [rule]


async def test_with_no_good_rules_mail_waits(shop: Shop) -> None:
    shop.write_rules(BROKEN)
    async with shop.office() as office, working(office):
        await in_service(office)
        await deliver(shop, office, "1")
        events = office.base.key("events", BOX)
        await wait_for(lambda: office.base.redis.xlen(events), what="the event in its lane")
        assert await office.journal.newest(9) == []
        shop.write_rules(RULES)
        await settled(office, 1)


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(RedisConnectionError("away"), id="Redis is away"),
        pytest.param(OSError("broken pipe"), id="the connection broke"),
        pytest.param(LeaseLost("taken over"), id="another worker has the lane"),
        pytest.param(SettingsError("no such mailbox"), id="a mailbox that is no longer configured"),
    ],
)
async def test_a_job_survives_what_is_foreseen(error: Exception) -> None:
    async def poll(ctx: dict[str, Any], mailbox: str) -> None:
        raise error

    job = guarded(poll)
    assert job.__name__ == "poll"
    await job({}, BOX)


async def test_the_lane_of_a_mailbox_that_was_taken_out_is_left_alone_for_a_while(shop: Shop) -> None:
    gone, event = "gone@acme.example", Event(EventKind.MESSAGE_DELETED, "gone@acme.example", 0, "1")
    async with shop.office() as office:
        timers, now = RedisTimers(office.base), office.clock()
        await timers.set([Timer(now, gone, event)])
        assert await timers.fire(now) == 1
        await guarded(worker.drain)({"office": office}, gone)
        assert await office.waking.lanes(now) == 0
        assert await office.base.redis.pttl(office.base.key("woken", gone)) > 3_000


async def test_a_defect_in_a_job_is_not_hidden() -> None:
    async def poll(ctx: dict[str, Any]) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await guarded(poll)({})


async def test_a_worker_goes_on_when_redis_was_killed(tmp_path: Path) -> None:
    redis = EmbeddedRedis(tmp_path / "data")
    await redis.start()
    watching = asyncio.create_task(redis.watch())
    try:
        shop = make_shop(tmp_path, "data: data")
        async with shop.office() as office, working(office):
            await in_service(office)
            await deliver(shop, office, "1")
            await settled(office, 1)
            pid = redis.pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            await wait_for(lambda: redis.pid not in (None, pid), what="a new Redis")
            await deliver(shop, office, "2")
            await wait_for(lambda: sent(shop) == 2, seconds=20, what="the second answer")
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await redis.stop()


@pytest.fixture
def out(tmp_path: Path) -> Iterator[Path]:
    """Where a real worker speaks; afterwards, what it said is held against what it must not say."""
    path = tmp_path / "worker.log"
    yield path
    said = path.read_text()
    assert "in force" in said
    assert SECRET not in said
    assert "Traceback" not in said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_real_worker_ends_with_0_when_asked_to(
    shop: Shop, redis: Redis, out: Path, number: signal.Signals
) -> None:
    with out.open("wb") as log:
        words = ("-m", "engine", "worker", "--config", str(shop.config))
        process = await asyncio.create_subprocess_exec(sys.executable, *words, stdout=log, stderr=log)
    try:
        await wait_for(lambda: redis.hget("postroom:paused", BOX), what="a first try to poll")
        process.send_signal(number)
        assert await asyncio.wait_for(process.wait(), 20) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
