"""A whole Postroom in a temporary folder: Redis, the sandbox, web and worker, each a real process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from engine.cli.processes import Child, watch_children
from engine.errors import PostroomError
from engine.settings import Settings, load_settings
from engine.store.embedded import EmbeddedRedis

MANY = "100000/1d"
READY_WITHIN_S = 120.0
LOOK_EVERY_S = 0.05
RESTART_WITHIN_S = 0.5
KEEPALIVE_S = 4.0
"""Shorter than the five seconds after which the sandbox hangs up, so that no call meets that moment."""


def _made_up() -> dict[str, str]:
    return {name: secrets.token_hex(16) for name in ("client", "webhook", "api", "hook")}


@dataclass(frozen=True)
class Play:
    """What is staged: mailboxes with their polling, rules and templates."""

    mailboxes: Mapping[str, str]
    """How often each is polled, such as `2s`; `off` for webhooks alone."""
    rules: Path
    templates: Path
    webhooks: bool = True
    silent: Collection[str] = ()
    """Mailboxes of which no webhook tells."""
    limits: bool = True
    """Whether the service's rate limits and our own budgets of mail are those of every day."""
    workers: int = 1
    worker: Sequence[str] = ("-m", "engine", "worker", "--config")
    """How Python is told to run a worker; the configuration's path follows."""
    execute: Mapping[str, str] = field(default_factory=dict)
    """Settings of `execute`."""
    redis_url: str | None = None
    """An external Redis instead of one of our own."""
    sandbox: Sequence[str] = ()
    """Further options of the sandbox."""
    secrets: Mapping[str, str] = field(default_factory=_made_up, repr=False)
    """`client`, `webhook`, `api` and `hook`, anew for each play."""
    hooks: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Hooks by name, with their settings beside the secret."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """Further keys of the configuration."""


@dataclass
class Stage:
    """The processes of one play, and a client of the sandbox's own endpoints."""

    folder: Path
    settings: Settings
    redis: EmbeddedRedis | None
    redis_url: str
    children: dict[str, Child]
    sandbox: httpx.AsyncClient
    web_url: str

    async def control(self, method: str, name: str, **options: Any) -> Any:
        """Call one of the sandbox's own endpoints."""
        answer = await self.sandbox.request(method, f"/_sandbox/{name}", **options)
        answer.raise_for_status()
        return answer.json()

    async def deliver(self, mailbox: str, raw: bytes, labels: str = "INBOX,UNREAD") -> str:
        """Deliver one message; returns its key."""
        params = {"mailbox": mailbox, "labels": labels}
        return str((await self.control("POST", "deliver", params=params, content=raw))["id"])


@contextlib.asynccontextmanager
async def staged(play: Play, folder: Path) -> AsyncIterator[Stage]:
    """Start everything, and end it afterwards. Raises PostroomError when a part does not come up."""
    async with contextlib.AsyncExitStack() as stack:
        log = (folder / "postroom.log").open("ab")
        stack.callback(log.close)
        ports = {name: free_port() for name in ("sandbox", "web")}
        config = folder / "postroom.yaml"
        config.write_text(_config(play, folder, ports), encoding="utf-8")
        redis, url = None, play.redis_url
        if url is None:
            redis = EmbeddedRedis(folder / "data")
            url = await redis.start()
            stack.push_async_callback(redis.stop)
            await _in_background(stack, redis.watch())
        children = _children(play, ports, config, log.fileno())
        stop = asyncio.Event()
        await _in_background(stack, watch_children(list(children.values()), stop, RESTART_WITHIN_S), stop)
        client = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{ports['sandbox']}",
            timeout=60,
            limits=httpx.Limits(keepalive_expiry=KEEPALIVE_S),
        )
        stack.push_async_callback(client.aclose)
        web_url = f"http://127.0.0.1:{ports['web']}"
        stage = Stage(folder, load_settings(str(config)), redis, url, children, client, web_url)
        await _ready(stage, play)
        yield stage


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _config(play: Play, folder: Path, ports: Mapping[str, int]) -> str:
    """The configuration; JSON is YAML."""

    def secret_file(name: str, value: str) -> str:
        path = folder / name
        path.touch(mode=0o600)
        path.write_text(value, encoding="utf-8")
        return f"file:{path}"

    account = {
        "provider": "zoom",
        "account_id": "sandbox",
        "client_id": "sandbox",
        "client_secret": secret_file("client-secret", play.secrets["client"]),
        "webhook_secret": secret_file("webhook-secret", play.secrets["webhook"]),
        "url": f"http://127.0.0.1:{ports['sandbox']}",
        "budget": 0.9,
        "limits": "business" if play.limits else "off",
    }
    boxes = {name: {"account": "sandbox", "poll": poll} for name, poll in play.mailboxes.items()}
    config: dict[str, Any] = {
        "version": 1,
        "data": "data",
        "rules": [str(play.rules.absolute())],
        "templates": str(play.templates.absolute()),
        "web": {"listen": f"127.0.0.1:{ports['web']}", "api_token": secret_file("api", play.secrets["api"])},
        "accounts": {"sandbox": account},
        "mailboxes": boxes,
        "execute": dict(play.execute),
        **play.more,
    }
    if not play.limits:
        config["outbound"] = {
            "budgets": dict.fromkeys(("recipient", "own", "rule", "mailbox", "exchanges"), MANY)
        }
    if play.hooks:
        secret = {"secret": secret_file("hook-secret", play.secrets["hook"])}
        config["hooks"] = {name: secret | dict(own) for name, own in play.hooks.items()}
    if play.redis_url:
        config["redis"] = {"url": secret_file("redis-url", play.redis_url)}
    return json.dumps(config, indent=2)


def _children(play: Play, ports: Mapping[str, int], config: Path, log: int) -> dict[str, Child]:
    command = [sys.executable, "-m", "engine"]
    words = ["--listen", f"127.0.0.1:{ports['sandbox']}", *play.sandbox]
    words += ["--client-secret", play.secrets["client"]]
    words += [word for name in play.mailboxes for word in ("--mailbox", name)]
    words += [] if play.limits else ["--no-limits"]
    configured = ["--config", str(config)]
    children = {"sandbox": Child("sandbox", [*command, "sandbox", *words], log)}
    children["web"] = Child("web", [*command, "web", *configured], log)
    for number in range(play.workers):
        name = f"worker{number + 1}"
        children[name] = Child(name, [sys.executable, *play.worker, str(config)], log)
    return children


async def _in_background(
    stack: contextlib.AsyncExitStack, work: Any, stop: asyncio.Event | None = None
) -> None:
    """Run until the stack unwinds; with `stop`, ask first and wait for the end."""
    task = asyncio.create_task(work)

    async def end() -> None:
        if stop is None:
            task.cancel()
        else:
            stop.set()
        await asyncio.gather(task, return_exceptions=True)

    stack.push_async_callback(end)


async def _ready(stage: Stage, play: Play) -> None:
    """Wait until everything answers, then subscribe to webhooks."""

    async def answers() -> bool:
        try:
            await stage.control("GET", "calls")
            ready = await stage.sandbox.get(f"{stage.web_url}/readyz")
        except httpx.HTTPError:
            return False
        return ready.status_code == 200

    await until(answers, READY_WITHIN_S, f"the processes did not come up; see {stage.folder}/postroom.log")
    if play.webhooks:
        subscription = {
            "url": f"{stage.web_url}/hooks/zoom/sandbox",
            "secret": play.secrets["webhook"],
            "mailboxes": [name for name in play.mailboxes if name not in play.silent],
        }
        validated = await stage.control("POST", "subscribe", json=subscription)
        if not validated["validated"]:
            raise PostroomError("the sandbox could not validate the webhook address")


async def until(condition: Callable[[], Any], seconds: float, otherwise: str) -> None:
    """Wait for a condition. Raises PostroomError when it does not come true in time."""
    end = time.monotonic() + seconds
    while not await condition():
        if time.monotonic() > end:
            raise PostroomError(otherwise)
        await asyncio.sleep(LOOK_EVERY_S)
