"""`up`, `web` and `worker`: the processes that do the work."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import click
import uvicorn
from redis.exceptions import RedisError

from engine.cli.logs import start_logs
from engine.cli.processes import Child, watch_children
from engine.cli.reporting import reporting
from engine.errors import SettingsError, StoreError
from engine.settings import Settings, load_settings
from engine.store.embedded import EmbeddedRedis
from engine.web.app import create_app
from engine.web.heads import BoundedProtocol
from engine.web.making import make_endpoints
from engine.wiring import Office, open_office
from engine.worker import run_worker

if sys.platform == "win32":
    run = asyncio.run
else:
    # Takes webhooks in two thirds of the time, and spares the worker a tenth of its own.
    from uvloop import run

log = logging.getLogger("postroom.serve")

TRY_AGAIN_S = 1.0
COLLECT_AFTER = (50_000, 20, 20)
"""Python looks for cycles after 700 new objects: a tenth of all work, and after 10,000 a twentieth.

A batch of messages holds some 10,000 at a time, which are no cycles and go with it.
"""
WATCH_EVERY_S = 2.0
SYNC_EVERY_S = 60.0
"""How soon web notices that its machine's clock was set; workers look whenever they look for rules."""

config = click.option(
    "--config", metavar="FILE", help="The configuration; else POSTROOM_CONFIG or ./postroom.yaml."
)


@click.command()
@config
def web(config: str | None) -> None:
    """Take webhooks."""
    start_logs()
    settings = load_settings(config)
    run(_serve(settings, "web", _run_web))


@click.command()
@config
def worker(config: str | None) -> None:
    """Poll, judge and act."""
    start_logs()
    settings = load_settings(config)
    if not settings.mailboxes:
        raise SettingsError(f"{settings.file or 'postroom.yaml'}: no mailboxes are configured")
    run(_serve(settings, "worker", run_worker))


@click.command()
@config
def up(config: str | None) -> None:
    """Start everything: Redis where none is configured, web and worker; restart what dies."""
    start_logs()
    settings = load_settings(config)
    asyncio.run(_up(settings, config))


async def _serve(
    settings: Settings, role: str, serve: Callable[[Office, asyncio.Event], Awaitable[None]]
) -> None:
    """Serve until asked to stop; a Redis that does not answer yet is waited for."""
    gc.set_threshold(*COLLECT_AFTER)
    async with stopping() as stop:
        while not stop.is_set():
            try:
                async with open_office(settings, role) as office:
                    async with reporting(office, role):
                        await serve(office, stop)
                    return
            except (StoreError, RedisError, OSError) as error:
                log.warning("%s", error)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), TRY_AGAIN_S)


async def _run_web(office: Office, stop: asyncio.Event) -> None:
    host, port = split_listen(office.settings.web.listen)
    calls, api = make_endpoints(office.settings, office.base, office.clock)
    app = create_app(office.hooks(), office.unready, office.look, lambda: office.halts.seen, calls, api)
    quiet: dict[str, Any] = {"log_level": "warning", "access_log": False, "server_header": False}
    # Nobody asks who sent a request: what a proxy says of that need not be read.
    plain: dict[str, Any] = {"http": BoundedProtocol, "ws": "none", "proxy_headers": False}
    server = uvicorn.Server(uvicorn.Config(app, host=host, port=port, **plain, **quiet))
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]
    serving = asyncio.create_task(server.serve())
    waiting = asyncio.create_task(stop.wait())
    watching = asyncio.create_task(watch(office))
    await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    await serving
    for task in (waiting, watching):
        task.cancel()
    await asyncio.gather(waiting, watching, return_exceptions=True)


async def watch(office: Office) -> None:
    """Keep a connection by which others see us, say in the log when acting is halted, go by Redis' time."""
    synced = time.monotonic()
    while True:
        await asyncio.sleep(WATCH_EVERY_S)
        with contextlib.suppress(RedisError, OSError):
            await office.halts.look()
            if time.monotonic() - synced >= SYNC_EVERY_S:
                synced = time.monotonic()
                await _sync(office)


async def _sync(office: Office) -> None:
    try:
        await office.clock.sync()
    except SettingsError as error:
        log.warning("%s", error)


async def _up(settings: Settings, config: str | None) -> None:
    words = ["--config", config] if config else []
    async with contextlib.AsyncExitStack() as stack:
        stop = await stack.enter_async_context(stopping())
        if not settings.redis.url:
            redis = EmbeddedRedis(settings.data)
            await redis.start()
            stack.push_async_callback(redis.stop)
            watching = asyncio.create_task(redis.watch())
            stack.callback(watching.cancel)
        children = [Child(name, [sys.executable, "-m", "engine", name, *words]) for name in ("web", "worker")]
        await watch_children(children, stop)


@contextlib.asynccontextmanager
async def stopping() -> AsyncIterator[asyncio.Event]:
    """An event that SIGTERM and SIGINT set."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


def split_listen(listen: str) -> tuple[str, int]:
    """Take HOST:PORT apart. Raises SettingsError."""
    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal():
        raise SettingsError(f"web.listen: '{listen}' is no address: write HOST:PORT, such as 127.0.0.1:8080")
    return host.strip("[]"), int(port)
