"""A user's refresh token: each is good once, and the next one is never lost by us."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from engine.errors import ConsentGone, OutcomeUnknown, Unauthorized, Unavailable
from engine.flow.ports import Token
from engine.store import grants as module
from engine.store import tokens as base
from engine.store.connection import connect
from engine.store.grants import RedisGrant
from tests.waiting import wait_for

KEY = "test:grant:ann"


class Service:
    """A token endpoint that rotates refresh tokens: r1 gives r2 and ends r1."""

    def __init__(self, seed: str = "r1") -> None:
        self.good, self.made = seed, int(seed[1:])
        self.asked: list[str] = []
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.lose_answer = False

    async def __call__(self, refresh: str) -> Token:
        self.asked.append(refresh)
        if refresh != self.good:
            raise ConsentGone("the consent is gone: consent again")
        self.made += 1
        self.good = f"r{self.made}"
        await self.go_on.wait()
        if self.lose_answer:
            raise Unavailable("the answer was lost")
        return Token(f"t{self.made}", time.time() + 3600, "https://api-eu.zoom.us", self.good)


@pytest.fixture
async def grant(redis: Redis) -> AsyncIterator[Callable[..., RedisGrant]]:
    """Makes what one worker has."""
    made: list[RedisGrant] = []

    def worker(seed: str = "r1", client: Redis = redis) -> RedisGrant:
        made.append(RedisGrant(client, KEY, seed))
        return made[-1]

    yield worker
    for each in made:
        await each.aclose()


Workers = Callable[..., RedisGrant]


async def fields(redis: Any) -> dict[str, str]:
    return dict(await redis.hgetall(KEY))


async def kept(redis: Redis) -> str:
    return (await fields(redis))["refresh"]


async def test_each_renewal_goes_on_from_the_last_one(grant: Workers, redis: Redis) -> None:
    service = Service()
    token = await grant().renew(service, None)
    again = await grant().renew(service, token)
    assert (token.value, again.value) == ("t2", "t3")
    assert service.asked == ["r1", "r2"]
    assert await kept(redis) == "r3"
    held = await grant().load()
    assert held
    assert (held.value, held.url, held.refresh) == ("t3", "https://api-eu.zoom.us", "")


async def test_one_worker_asks_and_the_others_get_what_it_got(
    grant: Workers, redis: Redis, redis_url: str
) -> None:
    service = Service()
    service.go_on.clear()
    async with connect(redis_url) as other:
        workers = [grant(), grant(), grant("r1", other)]
        waiting = [asyncio.create_task(worker.renew(service, None)) for worker in workers * 5]
        await wait_for(lambda: service.asked, what="somebody asks")
        service.go_on.set()
        assert {token.value for token in await asyncio.gather(*waiting)} == {"t2"}
    assert service.asked == ["r1"]


async def test_who_asked_may_be_cancelled_and_the_answer_is_kept(grant: Workers, redis: Redis) -> None:
    service, worker = Service(), grant()
    service.go_on.clear()
    asking = asyncio.create_task(worker.renew(service, None))
    await wait_for(lambda: service.asked, what="the worker asks")
    asking.cancel()
    await asyncio.wait([asking])
    service.go_on.set()
    await worker.aclose()
    assert await kept(redis) == "r2"
    assert (await grant().renew(service, Token("t2", 0))).value == "t3"


async def test_while_redis_is_away_the_answer_waits_to_be_written(
    grant: Workers, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WRITE_EVERY_S", 0.01)
    service, worker = Service(), grant()
    keep, tries = worker._keep, 0

    async def broken(**words: Any) -> Any:
        nonlocal tries
        tries += 1
        if tries < 4:
            raise RedisConnectionError("gone")
        return await keep(**words)

    monkeypatch.setattr(worker, "_keep", broken)
    assert (await worker.renew(service, None)).value == "t2"
    assert tries == 4
    assert await kept(redis) == "r2"


async def test_an_answer_that_comes_after_the_lock_has_lapsed_is_kept_all_the_same(
    grant: Workers, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "LOCK_MS", 50)
    service = Service()
    service.go_on.clear()
    slow = asyncio.create_task(grant().renew(service, None))
    await wait_for(lambda: service.asked, what="the first asks")
    with pytest.raises(ConsentGone):
        await grant().renew(service, None)
    assert service.asked == ["r1", "r1"]
    service.go_on.set()
    assert (await slow).value == "t2"
    assert (await grant().renew(service, Token("t2", 0))).value == "t3"
    assert service.asked == ["r1", "r1", "r2"]


async def test_a_late_answer_does_not_take_the_place_of_a_newer_one(
    grant: Workers, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "LOCK_MS", 50)
    old, new = Service(), Service("r10")
    await grant().renew(old, None)
    old.go_on.clear()
    late = asyncio.create_task(grant().renew(old, Token("t2", 0)))
    await wait_for(lambda: len(old.asked) == 2, what="the old one asks")
    assert (await grant("r10").renew(new, None)).value == "t11"
    old.go_on.set()
    await late
    assert await kept(redis) == "r11"


async def test_an_answer_that_was_lost_leaves_the_consent_to_its_user(grant: Workers) -> None:
    service = Service()
    service.lose_answer = True
    with pytest.raises(Unavailable):
        await grant().renew(service, None)
    service.lose_answer = False
    with pytest.raises(ConsentGone, match="consent again"):
        await grant().renew(service, None)
    assert service.asked == ["r1", "r1"]


async def test_who_slept_through_another_workers_renewal_is_told_no_lie(
    grant: Workers, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "LOCK_MS", 50)
    service, asleep, awake = Service(), asyncio.Event(), asyncio.Event()

    async def sleep_first(refresh: str) -> Token:
        asleep.set()
        await awake.wait()
        return await service(refresh)

    slow = asyncio.create_task(grant().renew(sleep_first, None))
    await asleep.wait()
    assert (await grant().renew(service, None)).value == "t2"
    awake.set()
    with pytest.raises(Unavailable, match="meanwhile"):
        await slow
    assert (await grant().renew(service, Token("t2", 0))).value == "t3"


@pytest.mark.parametrize("seed", range(3))
async def test_no_crowd_of_workers_spends_a_token_twice(
    grant: Workers, redis: Redis, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Callers are cancelled at any moment, writes fail, and whoever is left goes on."""
    monkeypatch.setattr(module, "WRITE_EVERY_S", 0.001)
    chance, service, workers = random.Random(seed), Service(), [grant() for _ in range(4)]
    for worker in workers:
        monkeypatch.setattr(worker, "_keep", failing(worker._keep, chance))

    async def live(worker: RedisGrant) -> None:
        stale: Token | None = None
        for _ in range(10):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(chance.choice((0.0, 0.001, 0.003, 1.0))):
                    stale = await worker.renew(service, stale)

    await asyncio.gather(*(live(worker) for worker in workers * 2))
    for worker in workers:
        await worker.aclose()
    assert service.asked == [f"r{number}" for number in range(1, service.made)]
    assert await kept(redis) == service.good


def failing(keep: Any, chance: random.Random) -> Any:
    async def sometimes(**words: Any) -> Any:
        if chance.random() < 0.3:
            raise RedisConnectionError("gone")
        done = await keep(**words)
        if chance.random() < 0.3:
            raise RedisConnectionError("gone after it was done")
        return done

    return sometimes


async def test_a_request_that_was_never_carried_out_costs_nothing(grant: Workers) -> None:
    service, worker = Service(), grant()

    async def refuse(_refresh: str) -> Token:
        raise Unavailable("down")

    for _ in range(3):
        with pytest.raises(Unavailable):
            await worker.renew(refuse, None)
    assert (await worker.renew(service, None)).value == "t2"


async def test_a_consent_that_is_gone_is_not_asked_for_again(grant: Workers) -> None:
    service = Service()
    service.good = "another"
    for _ in range(3):
        with pytest.raises(ConsentGone, match="consent again"):
            await grant().renew(service, None)
    assert service.asked == ["r1"]


@pytest.mark.parametrize("error", [Unauthorized("wrong client secret"), OutcomeUnknown("cut off")])
async def test_what_may_pass_is_asked_again(grant: Workers, error: Exception) -> None:
    async def fail(_refresh: str) -> Token:
        raise error

    with pytest.raises(type(error)):
        await grant().renew(fail, None)
    assert (await grant().renew(Service(), None)).value == "t2"


async def test_a_new_consent_takes_the_place_of_the_old_one(grant: Workers) -> None:
    old, new = Service(), Service("r10")
    token = await grant("r1").renew(old, None)
    assert await grant("r10").load() is None
    assert (await grant("r10").renew(new, token)).value == "t11"
    old.good = "gone"
    assert (await grant("r10").renew(new, Token("t11", 0))).value == "t12"
    assert new.asked == ["r10", "r11"]


async def test_a_new_consent_ends_what_was_refused(grant: Workers) -> None:
    old, new = Service(), Service("r10")
    old.good = "gone"
    with pytest.raises(ConsentGone):
        await grant("r1").renew(old, None)
    assert (await grant("r10").renew(new, None)).value == "t11"


async def test_a_worker_with_the_old_configuration_goes_on_with_the_new_consent(grant: Workers) -> None:
    new = Service("r10")
    token = await grant("r1").renew(Service(), None)
    token = await grant("r10").renew(new, token)
    assert await grant("r1").load() == Token("t11", token.expires, token.url)
    assert (await grant("r1").renew(new, token)).value == "t12"
    assert new.asked == ["r10", "r11"]


async def test_a_new_consent_that_is_refused_leaves_the_old_one_in_its_place(grant: Workers) -> None:
    service = Service()
    token = await grant("r1").renew(service, None)
    with pytest.raises(ConsentGone):
        await grant("r99").renew(service, token)
    assert (await grant("r1").renew(service, token)).value == "t3"


async def test_a_service_that_gives_no_new_refresh_token_is_asked_with_the_old_one(grant: Workers) -> None:
    asked: list[str] = []

    async def same(refresh: str) -> Token:
        asked.append(refresh)
        return Token(f"t{len(asked)}", time.time() + 3600)

    token = await grant().renew(same, None)
    assert (await grant().renew(same, token)).value == "t2"
    assert asked == ["r1", "r1"]


async def test_closing_does_not_wait_for_ever(
    grant: Workers, redis: Redis, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "CLOSE_WITHIN_S", 0.02)
    service, worker = Service(), grant()
    service.go_on.clear()
    asking = asyncio.create_task(worker.renew(service, None))
    await wait_for(lambda: service.asked, what="the worker asks")
    await worker.aclose()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert "consent again" in caplog.text


async def test_no_secret_is_logged_or_shown(
    grant: Workers, redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    service, secret = Service(), "planted-secret"
    service.good = secret
    token = await grant(secret).renew(service, None)
    assert token.refresh not in repr(token)
    with pytest.raises(ConsentGone) as caught:
        await grant("planted-other").renew(service, token)
    assert "planted" not in f"{caplog.text}{caught.value!r}"
    assert not [name for name in await fields(redis) if "planted" in name]
