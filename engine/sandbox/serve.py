"""Running a sandbox behind uvicorn."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable
from contextlib import closing, nullcontext

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from engine.errors import SettingsError
from engine.sandbox.app import create_app
from engine.sandbox.config import SandboxConfig
from engine.sandbox.loading import Loaded, load_mail
from engine.sandbox.misbehaving import CUT
from engine.sandbox.state import Sandbox

PATIENCE_S = 3
"""Seconds that calls under way are waited for at the end; some may never be answered."""


class CuttingProtocol(HttpToolsProtocol):
    """Lets the application end a connection, which ASGI has no word for."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {CUT: {"abort": self.transport.abort, "close": self.transport.close}}


def serve(
    config: SandboxConfig,
    host: str,
    port: int,
    *,
    load: tuple[str, ...] = (),
    into: str | None = None,
    ready: Callable[[str, tuple[Loaded, ...]], None] = lambda _url, _loaded: None,
) -> None:
    """Load archives into a mailbox, listen, and serve until SIGINT or SIGTERM.

    Port 0 picks a free one. `ready` is told the address and what was loaded once connections are
    taken. Raises SettingsError for an address that cannot be had, PostroomError for a path that is
    not there.
    """
    asyncio.run(_serve(config, host, port, load, into, ready))


async def _serve(
    config: SandboxConfig,
    host: str,
    port: int,
    load: tuple[str, ...],
    into: str | None,
    ready: Callable[[str, tuple[Loaded, ...]], None],
) -> None:
    app = create_app(config)
    with closing(app.state.sandbox.store.db), _listen(host, port) as listener:
        loaded = await _load(app.state.sandbox, load, into)
        settings = uvicorn.Config(
            app,
            http=CuttingProtocol,
            ws="none",
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=PATIENCE_S,
        )
        name = f"[{host}]" if ":" in host else host
        ready(f"http://{name}:{listener.getsockname()[1]}", loaded)
        await _run(uvicorn.Server(settings), listener)


async def _run(server: uvicorn.Server, listener: socket.socket) -> None:
    """Serve until told to end, and then end well: uvicorn's own handlers would die of the signal."""
    server.capture_signals = nullcontext  # type: ignore[method-assign, assignment]
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, server.handle_exit, number, None)
    await server.serve(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=2048)
        # Else every small answer waits 40 ms for the client's acknowledgement.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
    except OSError as error:
        raise SettingsError(f"cannot listen on {host}:{port}: {error.strerror}; choose another") from error


async def _load(sandbox: Sandbox, paths: tuple[str, ...], into: str | None) -> tuple[Loaded, ...]:
    """Import archives into a mailbox, the first one by default: mail that was there all along."""
    if not paths:
        return ()
    store = sandbox.store
    box = store.mailbox(into) if into else next(iter(store.mailboxes()), None)
    if box is None:
        raise SettingsError(f"{into or 'the sandbox'} is no mailbox here; name it with --mailbox")
    return tuple([await load_mail(store, box, path, imported=True) for path in paths])
