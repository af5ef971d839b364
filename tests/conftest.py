"""Fixtures shared by all tests: a real Redis of either kind, and the outside mail corpus."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from redis.asyncio import Redis

from engine.cli.logs import JsonFormatter, TextFormatter
from engine.cli.stage import free_port
from engine.store.connection import connect
from engine.store.embedded import EmbeddedRedis
from engine.store.server import find_server
from tests.waiting import wait_for

CHECKOUT = Path(__file__).parent.parent

# Redis waits for the disk at each write; a folder in memory is as good for all but the plug being pulled.
MEMORY, ROOM = Path("/dev/shm"), 2_000_000_000
if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

# How long one made-up case takes says nothing on a machine that others use as well.
# Whether a change is good must not hang on today's chance: `explore` makes up other cases each time.
settings.register_profile("explore", deadline=None)
settings.register_profile("postroom", deadline=None, derandomize=True)
settings.load_profile("postroom")


# What is imported and collected stays: there is no garbage to search for before the first test.
gc.disable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let two workers begin with real processes, which take longest; more at a time would only wait.

    Workers are handed equal parts, in order, and take from each other's ends when they are done.
    """
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    real = [item for item in items if item.get_closest_marker("e2e")]
    if workers > 1 and real:
        others = [item for item in items if not item.get_closest_marker("e2e")]
        first, second = real[::2], real[1::2]
        room = max(0, len(items) // workers - len(first))
        items[:] = [*first, *others[:room], *second, *others[room:]]


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    """Leave the thousands of tests out of every later search for garbage."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def logs_end_with_the_test() -> Iterator[None]:
    """A command that a test calls starts logs; the next test has neither its stream nor its level."""
    yield
    root = logging.getLogger()
    for handler in [one for one in root.handlers if isinstance(one.formatter, TextFormatter | JsonFormatter)]:
        root.removeHandler(handler)
    for name in ("postroom", "engine"):
        logging.getLogger(name).setLevel(logging.NOTSET)


@pytest.fixture(scope="session")
def embedded_redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The embedded server on its unix socket."""
    server = EmbeddedRedis(tmp_path_factory.mktemp("embedded"))
    yield asyncio.run(server.start())
    asyncio.run(server.stop())


@pytest.fixture(scope="session")
def external_redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server over loopback TCP; or POSTROOM_TEST_REDIS_URL, whose databases are flushed."""
    if given := os.environ.get("POSTROOM_TEST_REDIS_URL"):
        worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
        yield f"{given.rstrip('/')}/{worker.removeprefix('gw')}"
        return
    folder = tmp_path_factory.mktemp("external")
    port = free_port()
    durable = ["--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction"]
    places = ["--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder), "--save", ""]
    with (folder / "redis.out").open("wb") as log:
        server = subprocess.Popen([find_server().path, *places, *durable], stdout=log)
    try:
        asyncio.run(wait_for(lambda: _answers(port), what="a Redis over TCP"))
        yield f"redis://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def redis_url(embedded_redis_url: str) -> str:
    """The URL of a Redis; what lies directly above it runs once on either kind, see `tests/store`.

    Take `redis` too to have it clean.
    """
    return embedded_redis_url


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """A client of a clean database."""
    async with connect(redis_url) as client:
        await client.flushdb()
        yield client


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The outside mail corpus: POSTROOM_CORPUS, or ../shared/corpus beside the checkout."""
    folder = Path(os.environ.get("POSTROOM_CORPUS") or CHECKOUT.parent / "shared" / "corpus")
    if not folder.is_dir():
        pytest.skip(f"no mail corpus in {folder}: set POSTROOM_CORPUS")
    return folder


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
