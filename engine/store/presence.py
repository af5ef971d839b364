"""Who is at work on this database: the connections of web and worker processes say whose they are."""

from __future__ import annotations

from engine.store.base import Base


def process_name(prefix: str, role: str) -> str:
    """What the connections of a process call themselves."""
    return f"{prefix}/{role}"


async def at_work(base: Base, roles: tuple[str, ...] = ("web", "worker")) -> list[str]:
    """Name the processes of these roles that are connected, each as role and address, without repeats.

    A process that was killed is gone at once, and one that was merely stopped is not.
    """
    wanted = {process_name(base.prefix, role): role for role in roles}
    own = await base.redis.client_info()
    found = [
        f"{wanted[one['name']]} at {one['addr']}"
        for one in await base.redis.client_list()
        if one.get("name") in wanted and one["db"] == str(own["db"])
    ]
    return sorted(found)
