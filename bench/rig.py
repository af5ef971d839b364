"""Web, workers and Redis as real processes, before a mail service of ours that costs next to nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.expected import TEMPLATES
from bench.mock import Service, serve
from engine.cli.processes import Child
from engine.cli.stage import free_port, until
from engine.settings import load_settings
from engine.store.embedded import EmbeddedRedis
from engine.wiring import Office, open_office

LOOK_EVERY_S = 0.01
PATIENCE_S = 120.0


@dataclass(frozen=True, slots=True)
class Rig:
    """The processes and the service behind them, which lives in ours."""

    service: Service
    office: Office
    children: Mapping[str, Child]
    hook: str
    secret: str
    config: Path

    def processor_s(self) -> float:
        """Seconds of processor time that web and workers have used so far."""
        return sum(processor_s(child.pid or 0) for child in self.children.values())

    async def judged(self, mailboxes: Sequence[str]) -> int:
        """How many messages of these mailboxes are judged and have their labels."""
        redis, key = self.office.base.redis, self.office.base.key
        async with redis.pipeline(transaction=False) as pipe:
            for mailbox in mailboxes:
                pipe.hlen(key("judged", mailbox))
            known = sum(await pipe.execute())
        left = [await redis.llen(key("groups", mailbox)) for mailbox in mailboxes] if known else []
        return 0 if any(left) else int(known)

    async def wait_for(self, mailboxes: Sequence[str], judged: int) -> None:
        end = time.monotonic() + PATIENCE_S
        while await self.judged(mailboxes) < judged:
            if time.monotonic() > end:
                raise TimeoutError(f"{judged} messages were not judged in time")
            await asyncio.sleep(LOOK_EVERY_S)


def processor_s(pid: int) -> float:
    """Seconds of processor time of one process, in the kernel and outside."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.asynccontextmanager
async def rig(folder: Path, mailboxes: Sequence[str], rules: Path, workers: int = 1) -> AsyncIterator[Rig]:
    """Bring everything up and wait until every mailbox is in service, if there are workers."""
    async with contextlib.AsyncExitStack() as stack:
        service, ports, secret = Service(), (free_port(), free_port()), secrets.token_hex(16)
        server = await serve(service, ports[0])
        stack.callback(server.close)
        config = _write_config(folder, mailboxes, rules, ports, secret)
        redis = EmbeddedRedis(folder / "data")
        await redis.start()
        stack.push_async_callback(redis.stop)
        log = (folder / "rig.log").open("ab")
        stack.callback(log.close)
        names = ["web", *(f"worker{number}" for number in range(workers))]
        children = {name: _child(name, config, log.fileno()) for name in names}
        for child in children.values():
            await child.start()
            stack.push_async_callback(child.end)
        office = await stack.enter_async_context(open_office(load_settings(str(config))))
        await office.keeper.reload()  # Where no worker does, and the web process waits for it.
        place = Rig(service, office, children, _hook(ports[1]), secret, config)
        await until(lambda: _ready(place, mailboxes if workers else ()), 60, f"see {folder}/rig.log")
        yield place


def _child(name: str, config: Path, log: int) -> Child:
    return Child(
        name, [sys.executable, "-m", "engine", name.rstrip("0123456789"), "--config", str(config)], log
    )


def _hook(port: int) -> str:
    return f"http://127.0.0.1:{port}/hooks/zoom/mock"


async def _ready(place: Rig, mailboxes: Sequence[str]) -> bool:
    async with httpx.AsyncClient() as client:
        try:
            ready = await client.get(place.hook.partition("/hooks")[0] + "/readyz")
        except httpx.HTTPError:
            return False
    cursors = [await place.office.mailboxes.cursor(mailbox) for mailbox in mailboxes]
    return ready.status_code == 200 and all(cursors)


def _write_config(
    folder: Path, mailboxes: Sequence[str], rules: Path, ports: tuple[int, int], secret: str
) -> Path:
    """The configuration; JSON is YAML."""
    path = folder / "secret"
    path.touch(mode=0o600)
    path.write_text(secret, encoding="utf-8")
    account = {
        "provider": "zoom",
        **dict.fromkeys(("account_id", "client_id"), "mock"),
        **dict.fromkeys(("client_secret", "webhook_secret"), f"file:{path}"),
        "url": f"http://127.0.0.1:{ports[0]}",
        "limits": "off",
    }
    config = {
        "version": 1,
        "data": "data",
        "rules": [str(rules)],
        "templates": str(TEMPLATES),
        "web": {"listen": f"127.0.0.1:{ports[1]}"},
        "accounts": {"mock": account},
        "mailboxes": {name: {"account": "mock", "poll": "off"} for name in mailboxes},
    }
    file = folder / "postroom.yaml"
    file.write_text(json.dumps(config), encoding="utf-8")
    return file
