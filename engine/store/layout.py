"""Which layout of keys a database has, and bringing an older one to ours."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping

from engine.errors import SettingsError
from engine.store.base import Base
from engine.store.leases import take_lease
from engine.store.migrations import MIGRATIONS, Migration
from engine.store.presence import at_work

LAYOUT = 2
RESTORING = "restoring"
"""What `schema` says while a backup is being read in."""


async def claim_layout(base: Base) -> None:
    """Mark an empty database as ours. Raises SettingsError for one that this version must not work on."""
    if await base.redis.get(base.key("schema")) is None:  # A full Redis is looked at all the same.
        await base.redis.setnx(base.key("schema"), LAYOUT)
    await read_salt(base)  # Every backup has it.
    found = await read_layout(base)
    if found < LAYOUT:
        raise SettingsError(
            f"the data in Redis have layout {found}, and this Postroom needs layout {LAYOUT}: "
            "stop web and worker, make a backup and run `postroom migrate`"
        )


async def read_salt(base: Base) -> str:
    """Give the secret from which ids of calls follow: made once, the same for every process."""
    if known := await base.redis.get(base.key("salt")):
        return str(known)
    await base.redis.setnx(base.key("salt"), secrets.token_hex(16))
    return str(await base.redis.get(base.key("salt")))


async def read_layout(base: Base) -> int:
    """The layout of a database, ours if it is empty. Raises SettingsError for one that is not understood."""
    text = await base.redis.get(base.key("schema"))
    if text == RESTORING:
        raise SettingsError("a restore was cut off: run `postroom restore FILE --replace` again")
    found = LAYOUT if text is None else _number(text)
    if found > LAYOUT:
        raise SettingsError(
            f"the data in Redis have layout {found}, and this Postroom knows layout {LAYOUT}: use a newer one"
        )
    return found


def _number(text: str) -> int:
    if text.isascii() and text.isdecimal() and int(text) > 0:
        return int(text)
    raise SettingsError(
        f"the data in Redis have '{text[:20]}' for a layout, which no Postroom wrote: "
        "see whether redis.url and redis.prefix name the right database"
    )


async def refuse_at_work(base: Base) -> None:
    """Raise SettingsError while web or worker processes are connected."""
    if found := await at_work(base):
        raise SettingsError(f"stop web and worker first; connected are: {', '.join(found)}")


async def migrate(
    base: Base, reached: Callable[[int], None], migrations: Mapping[int, Migration] = MIGRATIONS
) -> None:
    """Bring the database to our layout, step by step, and tell each layout that was reached.

    Cut off midway, it goes on where it stopped. Raises SettingsError while others are at work.
    """
    async with take_lease(base, base.key("migrating")) as lease:
        if lease is None:
            raise SettingsError("another `postroom migrate` is at work")
        await refuse_at_work(base)
        while (found := await read_layout(base)) < LAYOUT:
            await migrations[found](base)
            await base.redis.set(base.key("schema"), found + 1)
            reached(found + 1)
