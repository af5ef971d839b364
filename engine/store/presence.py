"""Who is at work on this database: the connections of web and worker processes say whose they are."""

from __future__ import annotations

import os
import socket

from engine.store.base import Base


def process_name(prefix: str, role: str) -> str:
    """What the connections of this process call themselves."""
    return f"{prefix}/{role}/{os.getpid()}@{socket.gethostname()}"


async def at_work(base: Base, roles: tuple[str, ...] = ("web", "worker")) -> list[str]:
    """Name the processes of these roles that are connected, such as `worker 4711@mail1`.

    A process that was killed is gone at once, and one that was merely stopped is not.
    """
    db = str((await base.redis.client_info())["db"])
    connected = [one.get("name", "") for one in await base.redis.client_list() if one["db"] == db]
    ours = f"{base.prefix}/"
    named = [name.removeprefix(ours).partition("/") for name in connected if name.startswith(ours)]
    return sorted({f"{role} {process}" for role, _, process in named if role in roles})
