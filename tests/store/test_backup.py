"""Backups: a copy of one moment, read back on any server, or refused before the first write."""

from __future__ import annotations

import asyncio
import errno
import gzip
import hashlib
import json
import random
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from engine.errors import SettingsError, StoreError
from engine.store import backup, backup_records
from engine.store.backup import Stillness, back_up, restore
from engine.store.base import Base
from engine.store.connection import connect
from engine.store.halt import halt, read_halt
from engine.store.layout import LAYOUT, RESTORING, claim_layout
from engine.store.presence import process_name
from tests.store.servers import Server, binaries

NOW = 2_000_000_000_000
Client = Any
"""redis-py 5 annotates half its commands as awaitable or not."""


def silent(_done: int) -> None: ...


async def contents(redis: Client, prefix: str = "postroom:") -> dict[str, Any]:
    """Every key in a form that can be compared."""
    keys = [key async for key in redis.scan_iter(f"{prefix}*")]
    async with redis.pipeline(transaction=False) as pipe:
        for key in keys:
            pipe.type(key)
        kinds = await pipe.execute()
        for key, kind in zip(keys, kinds, strict=True):
            match kind:
                case "string":
                    pipe.get(key)
                case "hash":
                    pipe.hgetall(key)
                case "list":
                    pipe.lrange(key, 0, -1)
                case "set":
                    pipe.smembers(key)
                case "zset":
                    pipe.zrange(key, 0, -1, withscores=True)
                case _:
                    pipe.xrange(key)
        values = await pipe.execute()
    found = {
        key.removeprefix(prefix): (kind, value) for key, kind, value in zip(keys, kinds, values, strict=True)
    }
    for name, (kind, entries) in found.items():
        if kind == "stream":
            entries.append((await redis.xinfo_stream(f"{prefix}{name}"))["last-generated-id"])
    return found


async def fill(redis: Client, large: int = 2_500) -> None:
    """Keys of every kind, small, large and empty, with and without an end."""
    await claim_layout(Base(redis))
    async with redis.pipeline(transaction=False) as pipe:
        pipe.set("postroom:blob:1", 'quotes " and \\ and line\nends, ümläuts 😀 and \x00')
        pipe.set("postroom:once:a", "1", px=100_000)
        pipe.set("postroom:empty", "")
        for number in range(700):
            pipe.hset(f"postroom:run:{number}", mapping={"state": "done", "left": number})
        pipe.hset("postroom:judged:a", mapping={str(number): "x" * 50 for number in range(large)})
        pipe.hset("postroom:cursor", "a@x.example", "12345678901234567890")
        pipe.rpush("postroom:groups:a", *map(str, range(large)))
        pipe.rpush("postroom:groups:b", "b", "a", "b")
        pipe.sadd("postroom:awake", *map(str, range(large)))
        pipe.zadd("postroom:runs", {str(number): number + 0.125 for number in range(large)})
        pipe.zadd("postroom:due", {"a": 1_767_225_600_123, "b": -1e300})
        for number in range(large):
            pipe.xadd("postroom:events:a", {"event": f"{number}", "read": "5"}, id=f"{1000 + number}-0")
        pipe.xadd("postroom:events:b", {"event": "1"}, id="77-7")
        pipe.xdel("postroom:events:b", "77-7")
        pipe.xtrim("postroom:events:c", 0)
        await pipe.execute()


async def fill_what_is_left_out(redis: Client) -> None:
    for name in (
        "lease:a",
        "polling:a",
        "turn:tick",
        "woken:a",
        "committed:a",
        "token:acme",
        "grant:a:lock",
        "processes",
    ):
        await redis.set(f"postroom:{name}", "1")
    await redis.zadd("postroom:queue", {"job": 1})
    await redis.set("arq:job:1", "1")
    await redis.set("elsewhere:schema", "1")


@pytest.fixture
async def filled(redis: Client) -> Client:
    await fill(redis)
    return redis


async def test_what_is_written_is_read_back(filled: Client, tmp_path: Path) -> None:
    base = Base(filled)
    before = await contents(filled)
    await fill_what_is_left_out(filled)
    told: list[int] = []
    count = await back_up(base, tmp_path / "b", told.append)
    assert told[-1] == count >= len(before)
    await filled.flushdb()
    await restore(base, tmp_path / "b", NOW, silent)
    after = await contents(filled)
    assert json.loads(after.pop("halted")[1])["since"] == NOW
    assert after == before
    assert 0 < await filled.pttl("postroom:once:a") <= 100_000


async def test_a_backup_moves_to_another_prefix(filled: Client, tmp_path: Path) -> None:
    await back_up(Base(filled), tmp_path / "b", silent)
    await restore(Base(filled, "other"), tmp_path / "b", NOW, silent)
    there = await contents(filled, "other:")
    assert there.pop("halted")
    assert there == await contents(filled)


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_the_file_belongs_to_its_owner_alone_and_no_other_is_overwritten(
    filled: Client, tmp_path: Path
) -> None:
    await back_up(Base(filled), tmp_path / "b", silent)
    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == 0o600
    assert names(tmp_path) == ["b"]
    with pytest.raises(SettingsError, match="exists"):
        await back_up(Base(filled), tmp_path / "b", silent)
    with pytest.raises(SettingsError, match="cannot be written"):
        await back_up(Base(filled), tmp_path / "nowhere" / "b", silent)
    await asyncio.wait_for(filled.set("postroom:x", "writes go on"), 1)


async def test_a_full_disk_is_named_leaves_nothing_and_lets_work_go_on(
    filled: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(SettingsError, match=f"{tmp_path}/b cannot be written: No space left on device"):
        await back_up(Base(filled), tmp_path / "b", silent)
    assert names(tmp_path) == []
    await asyncio.wait_for(filled.set("postroom:x", "writes go on"), 1)


async def test_a_name_that_no_file_can_have_is_no_defect(filled: Client, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be written: File name too long"):
        await back_up(Base(filled), tmp_path / ("b" * 300), silent)


async def test_acting_is_halted_after_a_restore(filled: Client, tmp_path: Path) -> None:
    await back_up(Base(filled), tmp_path / "b", silent)
    await halt(Base(filled), "an older reason", 1)
    await restore(Base(filled), tmp_path / "b", NOW, silent, replace=True)
    found = await read_halt(Base(filled))
    assert found is not None
    assert found.since == NOW
    assert found.why.startswith("a backup of 20")


async def test_a_database_that_holds_something_is_replaced_only_when_asked_to(
    filled: Client, tmp_path: Path
) -> None:
    await back_up(Base(filled), tmp_path / "b", silent)
    before = await contents(filled)
    await filled.set("postroom:later", "1")
    with pytest.raises(SettingsError, match="--replace"):
        await restore(Base(filled), tmp_path / "b", NOW, silent)
    await restore(Base(filled), tmp_path / "b", NOW, silent, replace=True)
    after = await contents(filled)
    assert after.pop("halted")
    assert after == before


async def test_a_newer_refresh_token_is_kept_and_an_older_one_fills_a_gap(
    filled: Client, tmp_path: Path
) -> None:
    await filled.hset("postroom:grant:acme", "refresh", "old")
    await back_up(Base(filled), tmp_path / "b", silent)
    await filled.hset("postroom:grant:acme", "refresh", "new")
    await restore(Base(filled), tmp_path / "b", NOW, silent, replace=True)
    assert await filled.hget("postroom:grant:acme", "refresh") == "new"
    await filled.flushdb()
    await restore(Base(filled), tmp_path / "b", NOW, silent)
    assert await filled.hget("postroom:grant:acme", "refresh") == "old"


async def test_nothing_is_restored_below_web_and_worker(
    filled: Client, redis_url: str, tmp_path: Path
) -> None:
    await back_up(Base(filled), tmp_path / "b", silent)
    before = await contents(filled)
    async with connect(redis_url, process_name("postroom", "worker")) as worker:
        await worker.ping()
        with pytest.raises(SettingsError, match="connected are: worker"):
            await restore(Base(filled), tmp_path / "b", NOW, silent, replace=True)
    assert await contents(filled) == before


def lines(path: Path) -> list[bytes]:
    return gzip.decompress(path.read_bytes()).splitlines(keepends=True)


def rewrite(path: Path, changed: list[bytes]) -> None:
    path.write_bytes(gzip.compress(b"".join(changed)))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def cut_lines(path: Path) -> None:
    rewrite(path, lines(path)[:-3])


def drop_a_line(path: Path) -> None:
    found = lines(path)
    rewrite(path, found[:5] + found[6:])


def change_letters(path: Path) -> None:
    found = lines(path)
    rewrite(path, [*found[:5], found[5].swapcase(), *found[6:]])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def other(path: Path) -> None:
    path.write_bytes(b"no gzip")


def other_gzip(path: Path) -> None:
    path.write_bytes(gzip.compress(b"no JSON\n"))


def deep(path: Path) -> None:
    path.write_bytes(gzip.compress(b"[" * 100_000 + b"\n"))


def no_head(path: Path) -> None:
    found = lines(path)
    rewrite(path, [b'{"postroom":"backup","format":1}\n', *found[1:]])


def newer_format(path: Path) -> None:
    found = lines(path)
    rewrite(path, [found[0].replace(b'"format":1', b'"format":2'), *found[1:]])


@pytest.mark.parametrize(
    "damage",
    [cut, cut_lines, drop_a_line, change_letters, empty, other, other_gzip, deep, no_head, newer_format],
)
async def test_a_damaged_backup_is_refused_before_anything_is_written(
    filled: Client, tmp_path: Path, damage: Any
) -> None:
    await back_up(Base(filled), tmp_path / "b", silent)
    before = await contents(filled)
    damage(tmp_path / "b")
    with pytest.raises(SettingsError, match=str(tmp_path / "b")):
        await restore(Base(filled), tmp_path / "b", NOW, silent, replace=True)
    assert await contents(filled) == before


async def test_a_backup_of_a_newer_layout_is_refused(
    filled: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await back_up(Base(filled), tmp_path / "b", silent)
    monkeypatch.setattr(backup, "LAYOUT", LAYOUT - 1)
    with pytest.raises(SettingsError, match="a newer one"):
        await restore(Base(filled), tmp_path / "b", NOW, silent, replace=True)


async def test_what_a_newer_postroom_says_besides_leads_to_no_defect(filled: Client, tmp_path: Path) -> None:
    await back_up(Base(filled), tmp_path / "b", silent)
    found = lines(tmp_path / "b")
    newer = json.dumps(json.loads(found[0]) | {"layout": LAYOUT + 1, "host": "mail1"}).encode() + b"\n"
    records = [newer, *found[1:-1]]
    end = {"records": len(records) - 1, "sha256": hashlib.sha256(b"".join(records)).hexdigest()}
    rewrite(tmp_path / "b", [*records, json.dumps(end).encode() + b"\n"])
    with pytest.raises(SettingsError, match="a newer one"):
        await restore(Base(filled), tmp_path / "b", NOW, silent, replace=True)


async def test_a_restore_that_was_cut_off_is_named_and_begun_anew(
    filled: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = Base(filled)
    before = await contents(filled)
    await back_up(base, tmp_path / "b", silent)
    original, left = backup_records.write_records, [2]

    async def die(*args: Any) -> None:
        left[0] -= 1
        if not left[0]:
            raise ConnectionError("killed")
        await original(*args)

    monkeypatch.setattr(backup, "write_records", die)
    with pytest.raises(ConnectionError):
        await restore(base, tmp_path / "b", NOW, silent, replace=True)
    assert await filled.get("postroom:schema") == RESTORING
    with pytest.raises(SettingsError, match="a restore was cut off"):
        await claim_layout(base)
    monkeypatch.setattr(backup, "write_records", original)
    await restore(base, tmp_path / "b", NOW, silent, replace=True)
    after = await contents(filled)
    assert after.pop("halted")
    assert after == before


async def writing(redis: Client, stop: asyncio.Event) -> int:
    """Move money between many accounts, always in one step, so that the sum never changes."""
    dice, moves = random.Random(1), 0
    while not stop.is_set():
        async with redis.pipeline(transaction=True) as pipe:
            giver, taker = (f"postroom:run:{dice.randrange(700)}" for _ in range(2))
            pipe.hincrby(giver, "left", -1)
            pipe.hincrby(taker, "left", 1)
            await pipe.execute()
        moves += 1
    return moves


async def test_a_copy_that_is_made_during_work_is_of_one_moment(
    filled: Client, redis_url: str, tmp_path: Path
) -> None:
    stop = asyncio.Event()
    clients = [connect(redis_url) for _ in range(3)]
    work = [asyncio.create_task(writing(client, stop)) for client in clients]
    try:
        for number in range(3):
            await back_up(Base(filled), tmp_path / str(number), silent)
    finally:
        stop.set()
        assert min(await asyncio.gather(*work)) > 0
        for client in clients:
            await client.aclose()
    for number in range(3):
        await filled.flushdb()
        await restore(Base(filled), tmp_path / str(number), NOW, silent)
        left = [int(await filled.hget(f"postroom:run:{run}", "left")) for run in range(700)]
        assert sum(left) == sum(range(700))


async def test_a_copy_that_was_held_up_is_given_up(
    filled: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "PAUSE_S", 0.01)
    monkeypatch.setattr(backup, "AGAIN_AFTER_S", 0.0)

    async def slowly(*_args: object) -> AsyncIterator[list[object]]:
        await asyncio.sleep(0.02)
        yield []

    monkeypatch.setattr(backup, "read_records", slowly)
    with pytest.raises(StoreError, match="held up"):
        await back_up(Base(filled), tmp_path / "b", silent)
    assert names(tmp_path) == []


async def test_a_copy_between_whose_parts_something_was_written_is_given_up(
    filled: Client, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = backup_records.read_records

    async def beside_another(base: Base, now: int) -> AsyncIterator[list[Any]]:
        async with connect(redis_url) as redis:
            other, first = Stillness(Base(redis)), True
            async for records in read(base, now):
                if first:
                    await other.hold()
                    await other.end()  # Lets all writes go, not only those that it held itself.
                    await redis.set("postroom:written", "1")
                first = False
                yield records

    monkeypatch.setattr(backup, "read_records", beside_another)
    with pytest.raises(StoreError, match="was written while"):
        await back_up(Base(filled), tmp_path / "b", silent)
    assert names(tmp_path) == []


async def test_writes_wait_while_a_copy_is_made_and_go_on_afterwards(redis: Client, redis_url: str) -> None:
    stillness = Stillness(Base(redis))
    await stillness.hold()
    async with connect(redis_url) as other:
        writes = asyncio.ensure_future(other.set("postroom:x", "1"))
        await asyncio.wait({writes}, timeout=0.05)
        assert not writes.done()
        assert await redis.get("postroom:x") is None
        await stillness.end()
        await asyncio.wait_for(writes, 1)


@pytest.mark.parametrize("backwards", [False, True], ids=["from old to new", "from new to old"])
async def test_a_backup_crosses_versions_of_redis(tmp_path: Path, backwards: bool) -> None:
    found = list(binaries())
    if len(found) < 2:
        pytest.skip("only one version of Redis is here")
    old, new = (Server(binary, tmp_path / str(number)) for number, binary in enumerate(reversed(found)))
    source, target = (new, old) if backwards else (old, new)
    try:
        await source.start()
        await target.start()
        async with connect(source.url) as one, connect(target.url) as two:
            await fill(one)
            await back_up(Base(one), tmp_path / "b", silent)
            await restore(Base(two), tmp_path / "b", NOW, silent)
            after = await contents(two)
            assert after.pop("halted")
            assert after == await contents(one)
    finally:
        source.kill()
        target.kill()
