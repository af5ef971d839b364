"""Forget what is older than retention and that nobody needs any more."""

from __future__ import annotations

import json

from engine.store.base import CHUNK, Base, chunks


async def trim(base: Base, now: int, retention: int) -> int:
    """Forget settled runs, judged keys, stale footsteps and sources without a run; count runs."""
    cut = now - retention
    runs = await _runs(base, cut)
    for mailbox in await base.redis.hkeys(base.key("cursor")):
        await _judged(base, mailbox, cut)
        await _footsteps(base, mailbox)
    await _blobs(base, cut)
    return runs


async def _runs(base: Base, cut: int) -> int:
    """Settled runs only: one that is open, or dead, stays until it is settled, and then as long again."""
    forgotten, kept = 0, 0
    while runs := await base.redis.zrangebyscore(base.key("runs"), "-inf", cut, start=kept, num=CHUNK):
        gone = [await _forget(base, run, cut) for run in runs]
        forgotten += sum(gone)
        kept += len(runs) - sum(gone)
    return forgotten


async def _forget(base: Base, run: str, cut: int) -> bool:
    state, text, ended = await base.redis.hmget(base.key("run", run), ["state", "run", "ended"])
    if state not in (None, "done") or int(ended or 0) > cut:
        return False
    about = json.loads(text) if text else {"mailbox": "", "rule": ""}
    async with base.redis.pipeline(transaction=True) as pipe:
        pipe.delete(base.key("run", run))
        pipe.zrem(base.key("runs"), run)
        pipe.zrem(base.key("runs:mailbox", about["mailbox"]), run)
        pipe.zrem(base.key("runs:rule", about["rule"]), run)
        await pipe.execute()
    return True


async def _judged(base: Base, mailbox: str, cut: int) -> None:
    key = base.key("judged", mailbox)
    old: list[str] = []
    async for name, value in base.redis.hscan_iter(key, count=CHUNK):
        if json.loads(value)[0] < cut:
            old.append(name)
    for chunk in chunks(old):
        await base.redis.hdel(key, *chunk)


async def _footsteps(base: Base, mailbox: str) -> None:
    """Footsteps that never came back: a complete read has begun after their call was answered."""
    if await base.redis.xlen(base.key("events", mailbox)):
        return
    read = int(await base.redis.hget(base.key("polled"), mailbox) or 0)
    steps = await base.redis.hgetall(base.key("footsteps", mailbox))
    stale = [step for step, answered in steps.items() if 0 < int(answered) < read]
    for chunk in chunks(stale):
        await base.redis.hdel(base.key("footsteps", mailbox), *chunk)


async def _blobs(base: Base, cut: int) -> None:
    current = await base.redis.get(base.key("current"))
    old = await base.redis.zrangebyscore(base.key("blobs"), "-inf", cut)
    needed = await _needed(base) if old else set()
    for digest in old:
        if digest != current and digest not in needed:
            await base.redis.delete(base.key("blob", digest))
            await base.redis.zrem(base.key("blobs"), digest)


async def _needed(base: Base) -> set[str]:
    """Digests that runs not yet settled refer to."""
    open_runs = [*await base.redis.zrange(base.key("due"), 0, -1)]
    open_runs += await base.redis.zrange(base.key("dead"), 0, -1)
    for mailbox in await base.redis.hkeys(base.key("cursor")):
        for text in await base.redis.lrange(base.key("groups", mailbox), 0, -1):
            parts = json.loads(text)["runs"].values()
            open_runs += [part["run"] for own in parts for part in own]
    needed: set[str] = set()
    for chunk in chunks(open_runs):
        async with base.redis.pipeline(transaction=False) as pipe:
            for run in chunk:
                pipe.hget(base.key("run", run), "run")
            needed |= {json.loads(text)["digest"] for text in await pipe.execute() if text}
    return needed
