"""Clients of one Redis."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import DataError, NoPermissionError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from engine.store.connection import check_durability, connect
from engine.store.embedded import EmbeddedRedis, embedded


async def test_speaks_text(redis: Redis) -> None:
    await redis.set("clé", "été")
    assert await redis.get("clé") == "été"


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("SET", "clé", "été"), id="text"),
        pytest.param(("CONFIG GET", "append*"), id="a name of two words"),
        pytest.param((b"SET", b"\xff", b""), id="bytes"),
        pytest.param(("ZADD", "k", 1.5, -3, 10**20), id="numbers"),
        pytest.param(("SET", "k", "x" * 100_000), id="a long text"),
    ],
)
def test_commands_are_written_down_as_redis_py_does(words: tuple[Any, ...]) -> None:
    connection: Any = connect("redis://").connection_pool.connection_class()
    plain = AbstractConnection.pack_command(connection, *words)
    assert b"".join(connection.pack_command(*words)) == b"".join(plain)


@pytest.mark.parametrize("value", [None, True, ["planted"], {}, bytearray(b"planted")], ids=repr)
async def test_what_no_command_can_carry_is_refused_before_it_is_sent(redis: Redis, value: object) -> None:
    with pytest.raises(DataError) as refusal:
        await redis.set("k", value)  # type: ignore[arg-type]
    assert "planted" not in str(refusal.value)
    assert await redis.get("k") is None


@pytest.mark.parametrize("transaction", [True, False])
async def test_what_a_refused_command_carried_is_not_told(redis: Redis, transaction: bool) -> None:
    await redis.set("text", "t")
    async with redis.pipeline(transaction=transaction) as pipe:
        pipe.hset("text", "field", "planted")
        with pytest.raises(ResponseError, match=r"HSET.*WRONGTYPE") as refusal:
            await pipe.execute()
    assert "planted" not in str(refusal.value)


async def test_finds_nothing_wrong_with_a_durable_redis(redis: Redis) -> None:
    assert await check_durability(redis) == []


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        pytest.param("appendonly", "no", id="no log of writes at all"),
        pytest.param("appendfsync", "everysec", id="a second of writes may be lost"),
        pytest.param("maxmemory-policy", "allkeys-lru", id="keys are thrown out when memory is short"),
    ],
)
async def test_names_each_setting_that_loses_writes(redis: Redis, setting: str, value: str) -> None:
    was = (await redis.config_get(setting))[setting]
    await redis.config_set(setting, value)
    try:
        problems = await check_durability(redis)
    finally:
        await redis.config_set(setting, was)
    assert problems == [f"Redis has {setting} {value}: set it to {was}"]


class OldRedis:
    async def info(self, section: str) -> dict[str, str]:
        return {"redis_version": "6.0.16"}

    async def config_get(self, name: str) -> dict[str, str]:
        raise NoPermissionError("this user has no permissions to run the 'config' command")


async def test_says_so_when_redis_is_too_old_or_keeps_its_settings_to_itself() -> None:
    old, silent = await check_durability(OldRedis())  # type: ignore[arg-type]
    assert old == "Redis is version 6.0.16: 6.2 or newer is needed"
    assert "no permissions" in silent
    assert "redis.durability to external" in silent


async def test_a_client_outlives_a_restart_of_its_redis(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path)
    async with connect(await server.start()) as client:
        await client.set("kept", "yes")
        watch = asyncio.create_task(server.watch())
        os.kill(server.pid or 0, signal.SIGKILL)
        assert await client.get("kept") == "yes"
        watch.cancel()
    await server.stop()


async def test_a_redis_that_is_not_there_is_reported_within_seconds(tmp_path: Path) -> None:
    async with embedded(tmp_path) as url:
        pass
    client = connect(url)
    async with asyncio.timeout(5):
        with pytest.raises(RedisConnectionError):
            await client.ping()
    await client.aclose()


@pytest.mark.parametrize(
    ("patience", "given_up", "error"),
    [
        pytest.param(5.0, 0.1, TimeoutError, id="because nobody waits for it any more"),
        pytest.param(0.1, 5.0, RedisTimeoutError, id="because Redis reads nothing"),
    ],
)
async def test_a_command_that_was_sent_in_part_is_never_taken_for_the_beginning_of_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patience: float, given_up: float, error: type[Exception]
) -> None:
    monkeypatch.setattr("engine.store.connection.ANSWER_WITHIN_S", patience)
    server = EmbeddedRedis(tmp_path)
    async with connect(await server.start()) as client:
        await client.ping()
        os.kill(server.pid or 0, signal.SIGSTOP)
        try:
            with pytest.raises(error):
                async with asyncio.timeout(given_up):
                    await client.set("k", "x" * 10_000_000)
        finally:
            os.kill(server.pid or 0, signal.SIGCONT)
        assert await client.get("k") is None
    await server.stop()
