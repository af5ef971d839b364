"""Copy everything under our prefix into a file, and back.

The copy is of one moment: Redis holds all writes back (CLIENT PAUSE WRITE) while it is read, which takes
seconds. So it is a state that was, over all lanes and whatever was under way, at the price that webhooks
are answered, and work goes on, a little later. Copying key by key beside the work would have to prove for
every pair of keys that their order does no harm; a replica or a snapshot of Redis' own could not be
made everywhere, nor read by another version.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from redis.exceptions import ResponseError

from engine import __version__
from engine.errors import SettingsError, StoreError
from engine.store.backup_file import FORMAT, Head, Progress, check, read, refuse_existing, writing
from engine.store.backup_records import PASSING, Record, first_part, read_records, scan, write_records
from engine.store.base import Base, chunks
from engine.store.halt import halt, lift
from engine.store.layout import LAYOUT, RESTORING, read_layout, refuse_at_work

PAUSE_S = 10.0
AGAIN_AFTER_S = 2.0
WORDS_AT_ONCE = 10_000
STAYS = frozenset({"lineage", "grant"})
"""What a restored database keeps: which server it is, and refresh tokens, of which the newest is good."""


class Stillness:
    """Holds all writes back, for as long as somebody keeps asking."""

    def __init__(self, base: Base) -> None:
        self._redis, self._asked, self._changes = base.redis, 0.0, 0

    async def hold(self) -> None:
        """Go on. Raises StoreError when the last time was too long ago: writes may have come between."""
        now = time.monotonic()
        if self._asked and now - self._asked < AGAIN_AFTER_S:
            return
        try:
            await self._redis.execute_command("CLIENT", "PAUSE", int(PAUSE_S * 1000), "WRITE")
        except ResponseError as error:
            raise StoreError(f"Redis does not hold writes back for us: {error}") from error
        if self._asked and time.monotonic() - self._asked >= PAUSE_S:
            raise StoreError("the copy was held up for too long while work stood still: try again")
        if not self._asked:
            self._changes = await self._count()
        self._asked = now

    async def vouch(self) -> None:
        """Raise StoreError when something was written since, as when another copy ended and let writes go."""
        await self.hold()
        if await self._count() > self._changes:
            raise StoreError(
                "something was written while the copy was made, perhaps since another copy ended: try again"
            )

    async def _count(self) -> int:
        """Changes of the whole server since its last snapshot; a new snapshot takes them away."""
        return int((await self._redis.info("persistence")).get("rdb_changes_since_last_save", 0))

    async def end(self) -> None:
        await self._redis.execute_command("CLIENT", "UNPAUSE")


async def back_up(base: Base, path: Path, progress: Progress) -> int:
    """Write all keys into a new file; gives the number of records.

    Raises SettingsError when the file cannot be written or exists, StoreError when the copy was held up.
    """
    refuse_existing(path)
    layout = await read_layout(base)
    stillness = Stillness(base)
    await stillness.hold()
    try:
        seconds, micros = await base.redis.time()
        made = seconds * 1000 + micros // 1000
        with writing(path, Head(FORMAT, layout, __version__, made)) as writer:
            async for records in read_records(base, made):
                await stillness.hold()
                writer.add(records)
                progress(writer.records)
            await stillness.vouch()
            await stillness.end()
    except BaseException:
        await stillness.end()
        raise
    return writer.records


async def restore(base: Base, path: Path, now: int, progress: Progress, *, replace: bool = False) -> Head:
    """Put a backup in place of what the database holds; acting is halted until `recover` lifts it.

    Raises SettingsError, and then has written nothing, for a backup that is damaged or too new, while web
    or worker are connected, and for a database that holds something unless it is to be replaced.
    """
    head = check(path, progress)
    if head.layout > LAYOUT:
        raise SettingsError(f"{path} was made by Postroom {head.version}: use that one or a newer one")
    await refuse_at_work(base)
    if not replace and await _holds_something(base):
        raise SettingsError("the database is not empty: write --replace to put the backup in its place")
    await _clear(base, now, head)
    kept = {key async for keys in scan(base) for key in keys if first_part(key) in STAYS}
    records = (record for record in read(path, progress) if record.key not in {*kept, "schema"})
    for batch in _batches(records):
        await write_records(base, batch)
    await base.redis.set(base.key("schema"), head.layout)
    return head


def _batches(records: Iterable[Record]) -> Iterator[list[Record]]:
    """Records together for as much as one round trip should carry."""
    batch: list[Record] = []
    words = 0
    for record in records:
        batch.append(record)
        words += len(record.values)
        if words >= WORDS_AT_ONCE:
            yield batch
            batch, words = [], 0
    yield batch


async def _holds_something(base: Base) -> bool:
    async for keys in scan(base):
        if any(first_part(key) not in PASSING | STAYS | {"schema", "salt"} for key in keys):
            return True
    return False


async def _clear(base: Base, now: int, head: Head) -> None:
    """From here on nothing acts, and nobody takes the database for whole."""
    await base.redis.set(base.key("schema"), RESTORING)
    await lift(base)
    made = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(head.made / 1000))
    await halt(base, f"a backup of {made} was restored", now)
    stays = STAYS | {"halted", "schema"}
    async for keys in scan(base):
        for chunk in chunks([base.key(key) for key in keys if first_part(key) not in stays]):
            await base.redis.unlink(*chunk)
