"""What a user's consent gave, common to all workers: a refresh token that changes with each use.

The service ends a refresh token when it answers with the next one. So whoever asks is alone, cannot be
cancelled, and writes the answer down until it is written, even when the lock has lapsed meanwhile. What
remains is a process killed between the service's answer and the write: then the consent is lost.
"""

from __future__ import annotations

import asyncio
import logging
from contextvars import Context
from hashlib import sha256

from redis.asyncio import Redis
from redis.exceptions import RedisError

from engine.errors import ConsentGone, Unavailable
from engine.flow.ports import Ask, Token
from engine.store.tokens import ASK_WITHIN_S, RedisTokens, milliseconds_left, read_token, token_text

log = logging.getLogger("postroom.tokens")

WRITE_EVERY_S = 0.2
CLOSE_WITHIN_S = 30.0

# Keep what a refresh token gave, if that is the one in force, whoever holds the lock by now.
# KEYS: grant, access, lock. ARGV: seed's digest, from the seed, used, next, access, ms, nonce.
_KEEP = """
local known = redis.call('HEXISTS', KEYS[1], 'seed:' .. ARGV[1]) == 1
local held = redis.call('HGET', KEYS[1], 'refresh')
if redis.call('GET', KEYS[3]) == ARGV[7] then redis.call('DEL', KEYS[3]) end
if known and held == ARGV[4] and held ~= ARGV[3] then return 1 end
if known == (ARGV[2] == '1') or (known and held ~= ARGV[3]) then return 0 end
redis.call('HSET', KEYS[1], 'refresh', ARGV[4], 'seed:' .. ARGV[1], '1')
redis.call('HDEL', KEYS[1], 'refused', 'why')
redis.call('SET', KEYS[2], ARGV[5], 'PX', ARGV[6])
return 1
"""


class RedisGrant(RedisTokens):
    """A TokenCache in Redis, for an account of one user. `seed` is the refresh token of the configuration.

    A seed that was never seen comes of a new consent and takes the place of what is kept; one that was
    seen is spent, and what it led to is in force.
    """

    def __init__(self, redis: Redis, key: str, seed: str) -> None:
        super().__init__(redis, f"{key}:access")
        self._grant, self._lock_key = key, f"{key}:lock"
        self._seed, self._digest = seed, _digest(seed)
        self._keep = redis.register_script(_KEEP)
        self._renewals: set[asyncio.Task[Token]] = set()

    async def load(self) -> Token | None:
        """The access token that is held, if it has not expired and no new consent was given."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hexists(self._grant, f"seed:{self._digest}")
            pipe.get(self._key)
            known, text = await pipe.execute()
        return read_token(text) if known else None

    async def renew(self, ask: Ask, stale: Token | None) -> Token:
        """Ask for a token newer than `stale`, one worker at a time. Raises Unavailable and ConsentGone."""
        # A task of its own, so that neither the caller's end nor the caller's deadline loses the answer.
        renewal = asyncio.create_task(super().renew(ask, stale), context=Context())
        self._renewals.add(renewal)
        renewal.add_done_callback(self._renewals.discard)
        return await asyncio.shield(renewal)

    async def aclose(self) -> None:
        """Wait for renewals under way."""
        if not self._renewals:
            return
        _, late = await asyncio.wait(self._renewals, timeout=CLOSE_WITHIN_S)
        for renewal in late:
            log.error("a refresh token could not be kept: its user may have to consent again")
            renewal.cancel()

    async def _obtain(self, ask: Ask, nonce: str) -> Token:
        used, from_seed = await self._in_force()
        try:
            async with asyncio.timeout(ASK_WITHIN_S):
                token = await ask(used)
        except ConsentGone as error:
            if (await self._in_force())[0] != used:
                raise Unavailable("another worker has renewed the token meanwhile") from None
            # Asking again with a token that is gone serves nothing and gets an app disabled.
            await self._redis.hset(self._grant, mapping={"refused": _digest(used), "why": str(error)})
            raise
        next_ = token.refresh or used
        await self._write([self._digest, int(from_seed), used, next_, *_held(token), nonce])
        return token

    async def _in_force(self) -> tuple[str, bool]:
        """Give the refresh token to ask with, and whether it is the configuration's. Raises ConsentGone."""
        grant = await self._redis.hgetall(self._grant)
        from_seed = f"seed:{self._digest}" not in grant
        refresh = self._seed if from_seed else grant["refresh"]
        if grant.get("refused") == _digest(refresh):
            raise ConsentGone(grant["why"])
        return refresh, from_seed

    async def _write(self, args: list[str | int]) -> None:
        """Write until it is written: there is no second copy of a refresh token."""
        while True:
            try:
                await self._keep(keys=[self._grant, self._key, self._lock_key], args=args)
                return
            except (RedisError, OSError) as error:
                log.warning("a new refresh token waits to be kept: Redis says %s", type(error).__name__)
                await asyncio.sleep(WRITE_EVERY_S)


def _held(token: Token) -> tuple[str, int]:
    return token_text(token), milliseconds_left(token)


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
