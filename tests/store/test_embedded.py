"""The Redis of our own in the data folder."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import stat
import sys
import tempfile
from functools import partial
from pathlib import Path

import pytest

from engine.errors import SettingsError, StoreError
from engine.store import embedded as module
from engine.store.connection import check_durability, connect
from engine.store.embedded import EmbeddedRedis, embedded
from engine.store.files import lock, open_lock
from engine.store.server import Server, Version, find_server
from tests.waiting import wait_for


async def set_and_get(url: str, key: str, value: str = "") -> str | None:
    async with connect(url) as client:
        if value:
            await client.set(key, value)
        answer: str | None = await client.get(key)
        return answer


def has_grown_to(numbers: list[int], count: int) -> bool:
    return len(numbers) >= count


async def test_what_was_acknowledged_is_there_the_next_time(tmp_path: Path) -> None:
    async with embedded(tmp_path / "new" / "data") as url:
        await set_and_get(url, "key", "value")
    async with embedded(tmp_path / "new" / "data") as url:
        assert await set_and_get(url, "key") == "value"


async def test_it_is_as_durable_as_we_ask_of_others_and_listens_on_no_port(tmp_path: Path) -> None:
    async with embedded(tmp_path) as url, connect(url) as client:
        assert await check_durability(client) == []
        assert (await client.config_get("port"))["port"] == "0"


async def test_nobody_else_may_look_into_its_folders(tmp_path: Path) -> None:
    async with embedded(tmp_path) as url:
        socket = Path(url.removeprefix("unix://"))
        for private in (tmp_path / "redis", socket.parent, socket):
            assert stat.S_IMODE(private.stat().st_mode) & 0o077 == 0
        assert len(str(socket)) <= 100


async def test_a_clean_stop_leaves_no_process_and_no_socket(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path)
    url = await server.start()
    await server.stop()
    assert server.pid is None
    assert not Path(url.removeprefix("unix://")).parent.exists()


async def test_killed_in_the_middle_of_writing_it_comes_back_with_every_acknowledged_write(
    tmp_path: Path,
) -> None:
    server = EmbeddedRedis(tmp_path)
    url = await server.start()
    watch = asyncio.create_task(server.watch())
    acknowledged: list[int] = []

    async def write() -> None:
        async with connect(url) as client:
            for number in range(10_000):
                await client.rpush("numbers", number)  # type: ignore[misc]
                acknowledged.append(number)

    writer = asyncio.create_task(write())
    killed: list[int | None] = [None]
    for wanted in (50, 100, 150):
        await wait_for(partial(has_grown_to, acknowledged, wanted), what="writes go on")
        await wait_for(lambda: server.pid not in killed, what="a new server")
        killed.append(server.pid)
        os.kill(server.pid or 0, signal.SIGKILL)
    await wait_for(lambda: server.pid not in killed, what="a new server")
    writer.cancel()
    await asyncio.gather(writer, return_exceptions=True)
    assert server.url == url
    async with connect(url) as client:
        kept = await client.lrange("numbers", 0, -1)  # type: ignore[misc]
    assert {int(number) for number in kept}.issuperset(acknowledged)
    watch.cancel()
    await server.stop()


async def test_a_log_cut_off_in_the_middle_of_a_write_is_read_up_to_there(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path)
    url = await server.start()
    await set_and_get(url, "key", "value")
    os.kill(server.pid or 0, signal.SIGKILL)
    await wait_for(lambda: server.pid is None, what="its death")
    newest = max((tmp_path / "redis").rglob("appendonly*.aof"), key=lambda file: file.stat().st_mtime)
    with newest.open("ab") as log:
        log.write(b"*3\r\n$3\r\nSET\r\n$5\r\nto")
    await server.stop()
    async with embedded(tmp_path) as again:
        assert await set_and_get(again, "key") == "value"


async def test_users_share_one_server_and_the_last_one_out_stops_it(tmp_path: Path) -> None:
    first, second = EmbeddedRedis(tmp_path), EmbeddedRedis(tmp_path)
    assert await first.start() == await second.start()
    assert first.pid == second.pid
    await first.stop()
    assert await set_and_get(second.url, "key", "value") == "value"
    await second.stop()
    assert second.pid is None


async def test_it_is_started_again_for_whoever_uses_it(tmp_path: Path) -> None:
    async with embedded(tmp_path) as url, embedded(tmp_path) as other:
        await set_and_get(url, "key", "value")
        os.kill(EmbeddedRedis(tmp_path).pid or 0, signal.SIGKILL)
        assert await set_and_get(other, "key") == "value"


async def test_many_who_start_at_once_get_the_same_server(tmp_path: Path) -> None:
    users = [EmbeddedRedis(tmp_path) for _ in range(10)]
    assert len(set(await asyncio.gather(*(user.start() for user in users)))) == 1
    await asyncio.gather(*(user.stop() for user in users))
    assert users[0].pid is None


async def test_a_server_whose_users_were_killed_is_taken_over_and_stopped(tmp_path: Path) -> None:
    script = (
        "import asyncio, os, pathlib, sys; from engine.store.embedded import EmbeddedRedis;"
        "asyncio.run(EmbeddedRedis(pathlib.Path(sys.argv[1])).start()); os.kill(os.getpid(), 9)"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, str(tmp_path))
    assert await process.wait() == -signal.SIGKILL
    server = EmbeddedRedis(tmp_path)
    orphan = server.pid
    assert orphan is not None
    await server.start()
    assert server.pid == orphan
    await server.stop()
    assert server.pid is None


async def test_a_server_that_was_stopped_for_a_while_is_not_taken_for_dead(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path)
    url = await server.start()
    watch = asyncio.create_task(server.watch())
    pid = server.pid or 0
    os.kill(pid, signal.SIGSTOP)
    asked = asyncio.create_task(set_and_get(url, "key", "value"))
    await asyncio.wait([asked], timeout=5 * module.WATCH_EVERY_S)
    assert not asked.done()
    os.kill(pid, signal.SIGCONT)
    assert await asked == "value"
    assert server.pid == pid
    watch.cancel()
    await server.stop()


async def test_a_copy_of_the_data_has_a_server_and_a_socket_of_its_own(tmp_path: Path) -> None:
    async with embedded(tmp_path / "data") as url:
        await set_and_get(url, "key", "original")
        shutil.copytree(tmp_path / "data", tmp_path / "copy")
        async with embedded(tmp_path / "copy") as other:
            assert other != url
            assert await set_and_get(other, "key", "copy") == "copy"
        assert await set_and_get(url, "key") == "original"


async def test_a_lost_socket_folder_is_made_anew(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path)
    old = Path((await server.start()).removeprefix("unix://"))
    os.kill(server.pid or 0, signal.SIGKILL)
    await wait_for(lambda: server.pid is None, what="its death")
    shutil.rmtree(old.parent)
    async with embedded(tmp_path) as url:
        assert await set_and_get(url, "key", "value") == "value"
    await server.stop()


async def test_a_long_path_of_temporary_files_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("x" * 100)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    async with embedded(tmp_path) as url:
        assert len(url) < 60


async def test_an_older_server_is_refused_before_it_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with embedded(tmp_path) as url:
        await set_and_get(url, "key", "value")
    older = Server(find_server().path, Version("redis", (6, 2, 14)))
    (tmp_path / "redis" / "version").write_text("redis 7.0.15\n")
    monkeypatch.setattr(module, "find_server", lambda: older)
    with pytest.raises(SettingsError, match=r"written by redis 7\.0\.15.* install redis 7\.0\.15"):
        await EmbeddedRedis(tmp_path).start()
    monkeypatch.undo()
    (tmp_path / "redis" / "version").write_text(f"{find_server().version}\n")
    async with embedded(tmp_path) as url:
        assert await set_and_get(url, "key") == "value"


async def test_a_server_that_ends_at_once_is_reported_with_its_last_words(tmp_path: Path) -> None:
    async with embedded(tmp_path) as url:
        await set_and_get(url, "key", "value")
    for log in (tmp_path / "redis").rglob("appendonly*.aof"):
        log.write_bytes(b"this is no log of writes" + log.read_bytes())
    with pytest.raises(StoreError, match="Bad file format"):
        await EmbeddedRedis(tmp_path).start()


async def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(SettingsError, match=str(tmp_path / "data")):
        await EmbeddedRedis(tmp_path / "data").start()


def test_a_lock_held_by_others_is_not_taken(tmp_path: Path) -> None:
    mine, other = open_lock(tmp_path / "lock"), open_lock(tmp_path / "lock")
    assert lock(mine, alone=False)
    assert lock(other, alone=False)
    assert not lock(mine, alone=True)
    os.close(mine)
    assert lock(other, alone=True)
    os.close(other)


async def test_a_data_folder_in_the_folder_at_hand_is_no_socket_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with embedded(Path("data")) as url, connect(url) as redis:
        assert await redis.ping()
    assert (tmp_path / "data" / "redis").is_dir()
