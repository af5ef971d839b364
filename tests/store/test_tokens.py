"""One token per account, common to all workers."""

from __future__ import annotations

import asyncio
import time

import pytest
from redis.asyncio import Redis

from engine.errors import Unauthorized, Unavailable
from engine.flow.ports import Token
from engine.store import tokens as module
from engine.store.connection import connect
from engine.store.tokens import RedisTokens
from tests.waiting import wait_for


class Issuer:
    """Hands out tokens t1, t2, … once it is told to go on."""

    def __init__(self, lasts_s: float = 3600) -> None:
        self.asked = 0
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.lasts_s = lasts_s

    async def __call__(self, refresh: str = "") -> Token:
        self.asked += 1
        await self.go_on.wait()
        return Token(f"t{self.asked}", time.time() + self.lasts_s, "https://api-eu.zoom.us")


def tokens(redis: Redis, account: str = "acme") -> RedisTokens:
    return RedisTokens(redis, f"test:token:{account}")


async def test_at_first_there_is_none(redis: Redis) -> None:
    assert await tokens(redis).load() is None


async def test_a_renewed_token_is_there_for_every_worker_of_the_account(redis: Redis) -> None:
    token = await tokens(redis).renew(Issuer(), None)
    assert await tokens(redis).load() == token
    assert await tokens(redis, "other").load() is None


async def test_one_worker_asks_and_the_others_get_what_it_got(redis: Redis, redis_url: str) -> None:
    issuer = Issuer()
    issuer.go_on.clear()
    async with connect(redis_url) as other:
        workers = [tokens(redis), tokens(redis), tokens(other)]
        waiting = [asyncio.create_task(worker.renew(issuer, None)) for worker in workers * 3]
        await wait_for(lambda: issuer.asked, what="somebody asks")
        issuer.go_on.set()
        assert {token.value for token in await asyncio.gather(*waiting)} == {"t1"}
    assert issuer.asked == 1


async def test_whoever_holds_the_stale_one_gets_a_new_one_and_others_get_that(redis: Redis) -> None:
    issuer, cache = Issuer(), tokens(redis)
    first = await cache.renew(issuer, None)
    second = await cache.renew(issuer, first)
    assert second.value == "t2"
    assert await tokens(redis).renew(issuer, first) == second
    assert issuer.asked == 2


async def test_an_expired_token_is_none(redis: Redis) -> None:
    cache = tokens(redis)
    await cache.renew(Issuer(lasts_s=-1), None)
    assert await cache.load() is None


async def test_a_token_leaves_redis_when_it_expires(redis: Redis) -> None:
    await tokens(redis).renew(Issuer(lasts_s=100), None)
    assert 0 < await redis.pttl("test:token:acme") <= 100_000


async def test_when_asking_fails_the_error_comes_through_and_the_next_may_ask(redis: Redis) -> None:
    async def refuse(_refresh: str) -> Token:
        raise Unauthorized("wrong client secret")

    with pytest.raises(Unauthorized):
        await tokens(redis).renew(refuse, None)
    assert (await tokens(redis).renew(Issuer(), None)).value == "t1"


async def test_asking_does_not_take_for_ever(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ASK_WITHIN_S", 0.05)
    issuer = Issuer()
    issuer.go_on.clear()
    with pytest.raises(Unavailable):
        await tokens(redis).renew(issuer, None)


async def test_waiting_for_somebody_else_does_not_take_for_ever(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAIT_WITHIN_S", 0.1)
    await redis.set("test:token:acme:lock", "somebody else")
    with pytest.raises(Unavailable):
        await tokens(redis).renew(Issuer(), None)


async def test_a_worker_that_died_while_asking_is_replaced(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOCK_MS", 100)
    slow = Issuer()
    slow.go_on.clear()
    dead = asyncio.create_task(tokens(redis).renew(slow, None))
    await wait_for(lambda: slow.asked, what="the first asks")
    assert (await tokens(redis).renew(Issuer(), None)).value == "t1"
    dead.cancel()


async def test_whoever_was_too_slow_overwrites_nothing(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOCK_MS", 100)
    slow, quick = Issuer(), Issuer()
    slow.go_on.clear()
    slow.asked = 7
    late = asyncio.create_task(tokens(redis).renew(slow, None))
    await wait_for(lambda: slow.asked == 8, what="the first asks")
    token = await tokens(redis).renew(quick, None)
    slow.go_on.set()
    assert (await late).value == "t8"
    assert await tokens(redis).load() == token
