"""Clients of one Redis, and whether that Redis keeps what it acknowledged."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import hiredis
from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.client import Pipeline
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import EqualJitterBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import DataError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

CONNECT_WITHIN_S = 3.0
ANSWER_WITHIN_S = 5.0
TRIES_AGAIN = 4
FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 0.4
CHECK_IDLE_AFTER_S = 15.0

OLDEST = (6, 2)
WANTED = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}


class _Commands(Pipeline):
    """Names a command that was refused, and not what it carried: that may be a secret or somebody's mail."""

    def annotate_exception(self, exception: Exception, number: int, command: Iterable[object]) -> None:
        super().annotate_exception(exception, number, [*command][:1])


class _Connection(AbstractConnection):
    """Does what every command needs for less than redis-py's own connection."""

    def pack_command(self, *words: Any) -> list[bytes]:
        """Write a command down by hiredis, as redis-py's client without asyncio does: ten times as fast."""
        name, *rest = words
        try:
            # The name may be of two words, such as CONFIG GET.
            return [hiredis.pack_command((*name.split(), *rest))]
        except TypeError:
            raise DataError("a command carries text, bytes and numbers alone") from None

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        """Send within the same time, but not by `asyncio.wait_for`.

        Before Python 3.12 that makes a task of each command, and may lose its cancellation.
        """
        if not self.is_connected:
            await self.connect()  # type: ignore[no-untyped-call]
        elif check_health:
            await self.check_health()  # type: ignore[no-untyped-call]
        try:
            async with asyncio.timeout(self.socket_timeout):
                await self._send_packed_command(command)
        except TimeoutError:
            await self.disconnect(nowait=True)
            raise RedisTimeoutError("Redis does not read what is sent") from None
        except OSError as error:
            await self.disconnect(nowait=True)
            raise RedisConnectionError(f"the connection broke while sending: {error}") from error
        except BaseException:
            # What was sent in part cannot be sent to its end by anybody.
            await self.disconnect(nowait=True)
            raise


class _Client(Redis):
    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> _Commands:
        return _Commands(self.connection_pool, self.response_callbacks, transaction, shard_hint)


def connect(url: str, name: str | None = None) -> Redis:
    """Make a client that speaks text, under a name that others see. `url` is unix://, redis:// or rediss://.

    A command whose connection broke is sent again, a few times within seconds: whatever is written
    must bear being carried out twice. A command that is not answered in time is not sent again.
    """
    return _Client.from_pool(pool(url, decode_responses=True, client_name=name))


def pool(url: str, **options: Any) -> ConnectionPool:
    """Make the connection pool beneath a client, connecting on first use."""
    # A socket that is refused or missing is a server being restarted.
    transient: Any = (RedisConnectionError, ConnectionError, FileNotFoundError)
    retry = Retry(EqualJitterBackoff(LONGEST_PAUSE_S, FIRST_PAUSE_S), TRIES_AGAIN, transient)
    made = ConnectionPool.from_url(
        url,
        socket_connect_timeout=CONNECT_WITHIN_S,
        socket_timeout=ANSWER_WITHIN_S,
        health_check_interval=CHECK_IDLE_AFTER_S,
        retry=retry,
        retry_on_error=[RedisConnectionError],
        **options,
    )
    # Which class it is, the URL decides.
    made.connection_class = type("OurConnection", (_Connection, made.connection_class), {})
    return made


async def check_durability(redis: Redis) -> list[str]:
    """Name what keeps this Redis from being trusted with acknowledged writes; empty when nothing does."""
    return [*_old(await redis.info("server")), *await _loose(redis)]


def _old(info: dict[str, Any]) -> list[str]:
    version = str(info.get("redis_version", "0"))
    parts = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if parts >= OLDEST:
        return []
    return [f"Redis is version {version}: {'.'.join(map(str, OLDEST))} or newer is needed"]


async def _loose(redis: Redis) -> list[str]:
    try:
        found = {name: (await redis.config_get(name)).get(name) for name in WANTED}
    except ResponseError as refusal:
        return [
            f"Redis does not let us read its configuration ({refusal}): if it is durable all the same, "
            "set redis.durability to external"
        ]
    return [
        f"Redis has {name} {found[name] or 'unset'}: set it to {wanted}"
        for name, wanted in WANTED.items()
        if found[name] != wanted
    ]
