"""Our Lua scripts: each is one step that is taken whole or not at all.

A script checks everything before its first write, since Redis keeps what a failing script has
written, and treats payloads as opaque strings.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from redis.asyncio import Redis

from engine.store.jobs import ENQUEUE_LUA

_LUA = files("engine.store") / "lua"


class Scripts:
    """Scripts of one database under one key prefix."""

    def __init__(self, redis: Redis, prefix: str) -> None:
        self._redis = redis
        self._head = f"local P = '{prefix}'\n{ENQUEUE_LUA}\n{_read('halted')}\n{_read('journal')}\n"
        self._loaded: dict[str, Any] = {}

    async def __call__(self, name: str, keys: list[str], args: list[str | int]) -> Any:
        """Run one script; keys and arguments are as its head line says."""
        if name not in self._loaded:
            self._loaded[name] = self._redis.register_script(self._head + _read(name))
        return await self._loaded[name](keys=keys, args=args)


def _read(name: str) -> str:
    return (_LUA / f"{name}.lua").read_text(encoding="utf-8")
