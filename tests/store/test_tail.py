"""A file cut inside a transaction: nothing of it comes back, however often Redis starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.store.connection import connect
from engine.store.tail import cut_unfinished
from tests.store.servers import Server, binaries

TWO = "redis.call('SET', KEYS[1], ARGV[1]); redis.call('SET', KEYS[2], ARGV[1])"


async def both(redis: Any, first: str, second: str) -> None:
    """Write two keys by one script."""
    await redis.eval(TWO, 2, first, second, "x")


def appended(folder: Path) -> Path:
    (path,) = [*folder.rglob("*.incr.aof")] or [*folder.rglob("appendonly.aof")]
    return path


async def written(server: Server) -> bytes:
    """Start a server, let it write one key by itself and two by a script; the file it leaves."""
    await server.start()
    async with connect(server.url) as redis:
        await redis.set("before", "1")
        await both(redis, "first", "second")
    server.kill()
    return appended(server.folder).read_bytes()


@pytest.mark.parametrize("binary", binaries(), ids=lambda path: path.parent.name)
@pytest.mark.parametrize("missing", [1, 5, 16, 20, 40, 60])
async def test_nothing_of_a_transaction_that_was_cut_off_comes_back(
    tmp_path: Path, missing: int, binary: Path
) -> None:
    server = Server(binary, tmp_path)
    whole = await written(server)
    assert whole.endswith(b"EXEC\r\n")
    path = appended(server.folder)
    path.write_bytes(whole[:-missing])
    assert cut_unfinished(server.folder) > 0
    for _ in range(3):
        await server.start()
        async with connect(server.url) as redis:
            assert await redis.mget("before", "first", "second") == ["1", None, None]
            await both(redis, "third", "fourth")
        server.kill()


async def test_a_file_that_ends_well_is_left_alone(tmp_path: Path) -> None:
    server = Server(next(binaries()), tmp_path)
    whole = await written(server)
    assert cut_unfinished(server.folder) == 0
    assert appended(server.folder).read_bytes() == whole


def test_without_a_file_there_is_nothing_to_do(tmp_path: Path) -> None:
    assert cut_unfinished(tmp_path) == 0
    (tmp_path / "appendonly.aof").touch()
    assert cut_unfinished(tmp_path) == 0
