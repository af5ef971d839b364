"""Sources of rules and templates, by digest, for as long as a run refers to them."""

from __future__ import annotations

from engine.store.base import Base


class RedisBlobs:
    """The Blobs port on Redis."""

    def __init__(self, base: Base) -> None:
        self._redis, self._key = base.redis, base.key

    async def put(self, digest: str, text: str, now: int) -> None:
        """Keep a text and note that it is in use; it becomes the last good one."""
        new = await self.last_good() != digest
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.set(self._key("blob", digest), text, nx=True)
            pipe.zadd(self._key("blobs"), {digest: now})
            pipe.set(self._key("current"), digest)
            if new:
                pipe.set(self._key("current-since"), now)
            await pipe.execute()

    async def get(self, digest: str) -> str | None:
        text: str | None = await self._redis.get(self._key("blob", digest))
        return text

    async def last_good(self) -> str | None:
        """The digest that was in force last."""
        digest: str | None = await self._redis.get(self._key("current"))
        return digest
