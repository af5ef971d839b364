"""Keys as plain typed values, so that another version of Redis, or Valkey, can take them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors import StoreError
from engine.store.base import CHUNK, Base

PASSING = frozenset(
    {
        *("queue", "lease", "polling", "migrating", "turn", "woken", "committed", "token"),
        *("halted", "lineage", "processes"),
    }
)
"""First parts of keys that a copy leaves out: jobs, leases, turns, and what is true of one server only."""
LENGTH = {
    "string": "strlen",
    "hash": "hlen",
    "list": "llen",
    "set": "scard",
    "zset": "zcard",
    "stream": "xlen",
}
SMALL = frozenset({"run", "call", "once", "memory", "blob"})
"""First parts of keys that are many and never large: nobody asks how long they are."""
NO_ENTRY = "0-0"


@dataclass(frozen=True, slots=True)
class Record:
    """A key, or a part of a large one."""

    kind: str
    key: str
    """Without the prefix."""
    expires: int
    """Epoch ms, 0 for never."""
    values: list[Any]
    """A string, members, fields and values, or members and scores; of a stream ids and fields behind its
    last id, which is "" where more of it follows."""


@dataclass(frozen=True, slots=True)
class _Fact:
    key: str
    kind: str
    expires: int
    length: int

    @property
    def is_small(self) -> bool:
        return self.kind == "string" or (self.kind != "stream" and self.length <= CHUNK)


def first_part(key: str) -> str:
    """What a key is about."""
    return key.partition(":")[0]


async def scan(base: Base, kind: str | None = None) -> AsyncIterator[list[str]]:
    """Every key under our prefix, of one kind or of all, without the prefix; some may come twice."""
    start, cursor = base.key(""), -1
    while cursor != 0:
        cursor, found = await base.redis.scan(max(cursor, 0), f"{start}*", CHUNK, kind)
        yield [key.removeprefix(start) for key in found]


async def read_records(base: Base, now: int) -> AsyncIterator[list[Record]]:
    """Read every key that a copy holds, in batches that fit into memory; some batches are empty."""
    appended: set[str] = set()
    for kind in LENGTH:
        async for keys in scan(base, kind):
            wanted = [key for key in keys if first_part(key) not in PASSING and not key.endswith(":lock")]
            facts = await _facts(base, kind, [key for key in wanted if key not in appended], now)
            yield await _whole(base, [fact for fact in facts if fact.is_small])
            for fact in facts:
                if not fact.is_small:
                    async for values in _parts(base, fact):
                        yield [Record(fact.kind, fact.key, fact.expires, values)]
            if kind in ("list", "stream"):  # These would grow by being written twice.
                appended.update(keys)


async def _facts(base: Base, kind: str, keys: Sequence[str], now: int) -> list[_Fact]:
    measured = [key for key in keys if first_part(key) not in SMALL]
    async with base.redis.pipeline(transaction=False) as pipe:
        for key in keys:
            pipe.pttl(base.key(key))
        for key in measured:
            getattr(pipe, LENGTH[kind])(base.key(key))
        answers = await pipe.execute()
    ttls, lengths = answers[: len(keys)], dict(zip(measured, answers[len(keys) :], strict=True))
    return [
        _Fact(key, kind, now + ttl if ttl >= 0 else 0, lengths.get(key, 0))
        for key, ttl in zip(keys, ttls, strict=True)
    ]


async def _whole(base: Base, facts: Sequence[_Fact]) -> list[Record]:
    async with base.redis.pipeline(transaction=False) as pipe:
        for fact in facts:
            name = base.key(fact.key)
            match fact.kind:
                case "string":
                    pipe.get(name)
                case "hash":
                    pipe.hgetall(name)
                case "list":
                    pipe.lrange(name, 0, -1)
                case "set":
                    pipe.smembers(name)
                case _:
                    pipe.zrange(name, 0, -1, withscores=True)
        answers = await pipe.execute()
    return [
        Record(fact.kind, fact.key, fact.expires, _flat(fact.kind, answer))
        for fact, answer in zip(facts, answers, strict=True)
        if answer or answer == ""  # Else its time has come meanwhile.
    ]


def _flat(kind: str, answer: Any) -> list[Any]:
    match kind:
        case "string":
            return [answer]
        case "hash":
            return _pairs(answer.items())
        case "zset":
            return _pairs((member, repr(score)) for member, score in answer)
        case _:
            return list(answer)


def _pairs(pairs: Iterable[tuple[Any, Any]]) -> list[Any]:
    return [word for pair in pairs for word in pair]


async def _parts(base: Base, fact: _Fact) -> AsyncIterator[list[Any]]:
    """A large value piece by piece; what comes twice of a hash, a set or a sorted set does no harm."""
    name, redis = base.key(fact.key), base.redis
    if fact.kind == "stream":
        async for values in _stream(base, name):
            yield values
    elif fact.kind == "list":
        for start in range(0, fact.length, CHUNK):
            yield list(await redis.lrange(name, start, start + CHUNK - 1))
    else:
        read = {"hash": redis.hscan, "set": redis.sscan, "zset": redis.zscan}[fact.kind]
        cursor = -1
        while cursor != 0:
            cursor, answer = await read(name, cursor=max(cursor, 0), count=CHUNK)
            if answer:
                yield _flat(fact.kind, answer)


async def _stream(base: Base, name: str) -> AsyncIterator[list[Any]]:
    last = (await base.redis.xinfo_stream(name))["last-generated-id"]
    entries = await base.redis.xrange(name, count=CHUNK)
    if not entries and last != NO_ENTRY:
        yield [last]
    while entries:
        more = await base.redis.xrange(name, f"({entries[-1][0]}", count=CHUNK)
        yield ["" if more else last, *_pairs((entry, _pairs(fields.items())) for entry, fields in entries)]
        entries = more


async def write_records(base: Base, records: Iterable[Record]) -> None:
    """Write records, in one round trip."""
    async with base.redis.pipeline(transaction=False) as pipe:
        for record in records:
            name = base.key(record.key)
            for words in _commands(record, name):
                pipe.execute_command(*words)
            if record.expires:
                pipe.pexpireat(name, record.expires)
        await pipe.execute()


def _commands(record: Record, name: str) -> Iterable[tuple[Any, ...]]:
    values = record.values
    match record.kind:
        case "string":
            yield ("SET", name, *values)
        case "hash":
            yield ("HSET", name, *values)
        case "list":
            yield ("RPUSH", name, *values)
        case "set":
            yield ("SADD", name, *values)
        case "zset":
            yield (
                "ZADD",
                name,
                *(word for pair in zip(values[1::2], values[::2], strict=True) for word in pair),
            )
        case "stream":
            last, entries = values[0], values[1:]
            for entry, fields in zip(entries[::2], entries[1::2], strict=True):
                yield ("XADD", name, entry, *fields)
            if not entries:  # An empty stream remembers the last id that it gave.
                yield ("XADD", name, last, "-", "-")
                yield ("XDEL", name, last)
            if last:
                yield ("XSETID", name, last)
        case kind:
            raise StoreError(f"the backup holds a key of kind {kind}")
