"""What commit recorded of judged messages: when, by which digest, and which rules have a run."""

from __future__ import annotations

from collections.abc import Sequence

from engine.store.base import Base, chunks


async def read_judged(base: Base, mailbox: str, keys: Sequence[str]) -> dict[str, str]:
    """The records, as JSON, of those among `keys` that were judged."""
    found: dict[str, str] = {}
    for chunk in chunks(keys):
        records = await base.redis.hmget(base.key("judged", mailbox), chunk)
        found |= {key: record for key, record in zip(chunk, records, strict=True) if record is not None}
    return found
