"""Losing writes: take a copy of all keys, and put it back later."""

from __future__ import annotations

from engine.store.backup_records import Record, read_records, write_records
from engine.store.base import Base

Copy = list[Record]


async def copy(base: Base) -> Copy:
    """Every key, in an order of its own; what passes within seconds is left out."""
    seconds, _ = await base.redis.time()
    batches = [batch async for batch in read_records(base, seconds * 1000)]
    return sorted((record for batch in batches for record in batch), key=lambda record: record.key)


async def put_back(base: Base, kept: Copy) -> None:
    """Forget everything that happened since."""
    await base.redis.flushdb()
    await write_records(base, kept)
