"""One access token per account, common to all workers."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any
from uuid import uuid4

from redis.asyncio import Redis

from engine.errors import Unavailable
from engine.flow.ports import Ask, Token

ASK_WITHIN_S = 20.0
LOCK_MS = 30_000
"""Longer than asking may take: who lost the lock has given up before."""
WAIT_WITHIN_S = 35.0
LOOK_EVERY_S = 0.05

# A second attempt of the same worker finds its own lock. KEYS: lock. ARGV: nonce, ms.
_LOCK = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return 1 end
return redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) and 1 or 0
"""
# KEYS: lock, token. ARGV: nonce, then token and ms, if there is one.
_UNLOCK = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] then redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3]) end
return redis.call('DEL', KEYS[1])
"""


class RedisTokens:
    """A TokenCache in Redis, for an account that asks with its own credentials."""

    def __init__(self, redis: Redis, key: str) -> None:
        self._redis: Any = redis
        self._key = key
        self._lock_key = f"{key}:lock"
        self._lock = redis.register_script(_LOCK)
        self._unlock = redis.register_script(_UNLOCK)
        self._turn = asyncio.Lock()

    async def load(self) -> Token | None:
        """The token that is held, if it has not expired."""
        return read_token(await self._redis.get(self._key))

    async def renew(self, ask: Ask, stale: Token | None) -> Token:
        """Ask for a token newer than `stale`, one worker at a time. Raises Unavailable."""
        try:
            async with asyncio.timeout(WAIT_WITHIN_S) as waiting, self._turn:
                return await self._renew(ask, stale, waiting)
        except TimeoutError:
            raise Unavailable("no new access token in time: will be asked for again") from None

    async def aclose(self) -> None:
        return None

    async def _renew(self, ask: Ask, stale: Token | None, waiting: asyncio.Timeout) -> Token:
        nonce = uuid4().hex
        while not await self._lock(keys=[self._lock_key], args=[nonce, LOCK_MS]):
            await asyncio.sleep(LOOK_EVERY_S)
            if (newer := await self._newer(stale)) is not None:
                return newer
        waiting.reschedule(None)
        try:
            return await self._newer(stale) or await self._obtain(ask, nonce)
        finally:
            await self._unlock(keys=[self._lock_key, self._key], args=[nonce])

    async def _obtain(self, ask: Ask, nonce: str) -> Token:
        """Ask, and keep the answer in the step that gives the lock back."""
        async with asyncio.timeout(ASK_WITHIN_S):
            token = await ask("")
        args: list[str | int] = [nonce, token_text(token), milliseconds_left(token)]
        await self._unlock(keys=[self._lock_key, self._key], args=args)
        return token

    async def _newer(self, stale: Token | None) -> Token | None:
        held = await self.load()
        return held if held is not None and (stale is None or held.value != stale.value) else None


def read_token(text: str | None) -> Token | None:
    """Read what `token_text` wrote; None when there is none or it has expired."""
    token = Token(**json.loads(text)) if text else None
    return token if token is not None and token.expires > time.time() else None


def token_text(token: Token) -> str:
    """Write an access token alone: what renews it is kept elsewhere."""
    return json.dumps({"value": token.value, "expires": token.expires, "url": token.url})


def milliseconds_left(token: Token) -> int:
    return max(int((token.expires - time.time()) * 1000), 1)
