"""Events per second through 1,000 conditions, beside Node-RED: the tool that people wire this up in today.

Both get the same webhooks from the same connections and call the same service, which lives in this process.

- Node-RED: `http in`, a `switch` on the webhook's subject with 1,000 "contains" conditions that stops at the
  first hit, one `http request` (kept alive) for each event, `http response`. Everything is in its memory.
- Ours: the webhook only says that a mailbox has changed, is written to Redis (appendfsync always) and
  answered; the worker reads the history, gets every message, judges it by 1,000 rules with the same
  conditions, writes the plan down and makes the label changes that follow.

An event is done when its last call has reached the service.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from bench.figure import Figure, Section
from bench.load import send_all, webhook
from bench.mail import Mail
from bench.mock import KINDS, Service, serve, subject
from bench.rig import Rig, rig
from engine.cli.processes import Child
from engine.cli.stage import free_port, until

EVENTS = 4_000
ROUNDS = 3
WARM = 1_500
CONNECTIONS = 32
LABELS = 10
BOXES = [f"box{number}@ours.example" for number in range(8)]
INSTALL_WITHIN_S = 280


async def measure(
    mail: Mail, folder: Path, events: int = EVENTS, warm: int = WARM, rounds: int = ROUNDS
) -> Section:
    """Send the same events to both, in turn; skip the peer where there is no npm."""
    title = f"Events per second from webhook to the last call, {KINDS} conditions"
    home = await _install(folder / "node-red")
    if home is None:
        return Section(title, (), ("skipped: node and npm are needed, and a registry to install from",))
    done: dict[str, list[float]] = {"one worker": [], "Node-RED": [], "two workers": []}
    for number in range(rounds):
        done["one worker"].append(await ours(folder / f"one{number}", events, warm))
        done["Node-RED"].append(await _theirs(home, events, warm))
        done["two workers"].append(await ours(folder / f"two{number}", events, warm, workers=2))
    one, theirs, two = map(median, done.values())
    return Section(
        title,
        (
            Figure("one web, one worker", one, theirs, "a second", "Node-RED"),
            Figure("one web, two workers", two, theirs, "a second", "Node-RED"),
        ),
        (
            f"{events} events after {warm} to warm up, {CONNECTIONS} connections, {len(BOXES)} mailboxes",
            f"Node-RED {_version(home)}: one process, nothing written down, one call for each event",
            "ours: Redis with appendfsync always; webhook, history, a get for each event, labels in batches",
            f"medians of {rounds} rounds in turn: {'; '.join(_listed(name, done[name]) for name in done)}",
        ),
    )


async def ours(folder: Path, events: int, warm: int, workers: int = 1) -> float:
    """Events per second through web and workers."""
    rules = folder / "rules"
    rules.mkdir(parents=True)
    (rules / "orders.yaml").write_text(
        json.dumps({"version": 1, "rules": [_rule(at) for at in range(KINDS)]})
    )
    async with rig(folder, BOXES, rules, workers) as place:
        await _send_ours(place, warm)
        await place.wait_for(BOXES, warm)
        began = time.perf_counter()
        await _send_ours(place, events)
        await place.wait_for(BOXES, warm + events)
        return events / (time.perf_counter() - began)


async def _send_ours(place: Rig, events: int) -> None:
    def requests() -> Iterator[bytes]:
        for at in range(events):
            box = BOXES[at % len(BOXES)]
            place.service.boxes[box].arrived += 1
            yield webhook(place.hook, place.secret, box)

    await send_all(place.hook, requests(), CONNECTIONS)


async def _theirs(home: Path, events: int, warm: int) -> float:
    service, ports = Service(), (free_port(), free_port())
    server = await serve(service, ports[0])
    async with server, _node_red(home, ports) as hook:
        requests = [
            webhook(hook, "none", BOXES[0], subject=subject(at % KINDS)) for at in range(warm + events)
        ]
        await send_all(hook, iter(requests[:warm]), CONNECTIONS)
        began = time.perf_counter()
        await send_all(hook, iter(requests[warm:]), CONNECTIONS)
        took = time.perf_counter() - began
        assert service.calls["plain"] >= warm + events
        return events / took


def _rule(at: int) -> dict[str, object]:
    label = {"label": {"add": [f"Orders/{at % LABELS}"]}}
    return {"id": f"order-{at}", "when": {"subject": {"contains": _mark(at)}}, "then": [label]}


def _mark(at: int) -> str:
    return f"number-{at:04}"


def _flow(ports: tuple[int, int]) -> list[dict[str, Any]]:
    def node(name: str, kind: str, then: list[list[str]], **settings: Any) -> dict[str, Any]:
        return {"id": name, "z": "tab", "x": 0, "y": 0, "type": kind, "wires": then, **settings}

    conditions = [{"t": "cont", "v": _mark(at), "vt": "str"} for at in range(KINDS)]
    subject_ = {"property": "payload.payload.object.subject", "propertyType": "msg"}
    url = f"http://127.0.0.1:{ports[0]}/plain"
    return [
        {"id": "tab", "type": "tab", "label": "bench"},
        node("hook", "http in", [["switch"]], url="/hook", method="post"),
        node(
            "switch",
            "switch",
            [["call"]] * KINDS,
            rules=conditions,
            outputs=KINDS,
            checkall="false",
            **subject_,
        ),
        node("call", "http request", [["answer"]], method="GET", ret="txt", url=url, persist=True),
        node("answer", "http response", [], statusCode="200"),
    ]


@contextlib.asynccontextmanager
async def _node_red(home: Path, ports: tuple[int, int]) -> AsyncIterator[str]:
    (home / "flow.json").write_text(json.dumps(_flow(ports)))
    (home / "settings.js").write_text(
        "module.exports = {uiHost: '127.0.0.1', httpAdminRoot: false, flowFile: 'flow.json',"
        " logging: {console: {level: 'error'}}, telemetry: {enabled: false, updateNotification: false}}"
    )
    script = str(home / "node_modules" / "node-red" / "red.js")
    words = ["--userDir", str(home), "--port", str(ports[1]), "--settings", str(home / "settings.js")]
    child = Child("node-red", ["node", script, *words])
    hook = f"http://127.0.0.1:{ports[1]}/hook"

    async def answers() -> bool:
        facts = {"payload": {"object": {"subject": subject(0)}}}
        async with httpx.AsyncClient() as client:
            with contextlib.suppress(httpx.HTTPError):
                return (await client.post(hook, json=facts)).status_code == 200
        return False

    await child.start()
    try:
        await until(answers, 60, "Node-RED did not start")
        yield hook
    finally:
        await child.end()


async def _install(home: Path) -> Path | None:
    """Install Node-RED into a temporary folder; None where that cannot be done."""
    if not (shutil.which("node") and shutil.which("npm")):
        return None
    home.mkdir()  # noqa: ASYNC240 - nothing else runs here
    words = ("npm", "install", "--no-audit", "--no-fund", "--prefix", str(home), "node-red")
    npm = await asyncio.create_subprocess_exec(*words, stdout=sys.stderr, stderr=sys.stderr)
    try:
        async with asyncio.timeout(INSTALL_WITHIN_S):
            return home if await npm.wait() == 0 else None
    except TimeoutError:
        npm.kill()
        await npm.wait()
        return None


def _listed(name: str, rates: list[float]) -> str:
    return f"{name} {', '.join(f'{rate:.0f}' for rate in rates)}"


def _version(home: Path) -> str:
    manifest = home / "node_modules" / "node-red" / "package.json"
    return str(json.loads(manifest.read_text())["version"])
