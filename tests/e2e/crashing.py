"""A worker that dies at named points: just before or after an await of the flow.

    python -m tests.e2e.crashing PLACES LOG CONFIG

PLACES is `runs` (between a claim and its receipt) or `lanes` (polling, committing, label groups).
Every point is taken once: it is written into LOG, one a line, and then the worker kills itself
(SIGKILL) there, so that over many lives it has died at all of them. Lives are forks of a process
that has imported everything and done nothing else: importing is most of what a short life costs.
"""

from __future__ import annotations

import functools
import multiprocessing
import os
import random
import signal
import sys
from collections.abc import Awaitable, Callable
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import Any
from uuid import uuid4

import engine.cli.serve  # noqa: F401  (what a worker is made of, before the first fork)
from engine.cli.main import main
from engine.providers.zoom_mail.provider import ZoomMail
from engine.services.folders import LocalFolders
from engine.services.http import HttpEndpoints
from engine.store import jobs
from engine.store.journal import RedisJournal
from engine.store.lanes import RedisLanes
from engine.store.mailboxes import RedisMailboxes

RUNS: list[tuple[type, str]] = [
    (RedisJournal, "claim"),
    (RedisMailboxes, "profiles"),
    (ZoomMail, "fetch"),
    (ZoomMail, "find"),
    (ZoomMail, "send"),
    (ZoomMail, "save_draft"),
    (ZoomMail, "change_labels"),
    (HttpEndpoints, "call"),
    (LocalFolders, "store"),
    (RedisJournal, "settle"),
    (RedisJournal, "settle_emitted"),
    (RedisJournal, "release"),
]
LANES: list[tuple[type, str]] = [
    (ZoomMail, "history"),
    (RedisMailboxes, "append"),
    (RedisMailboxes, "polled"),
    (RedisLanes, "commit"),
    (RedisLanes, "settle_groups"),
    (RedisLanes, "rest"),
]
CHANCE = 0.4
"""How likely it is to die at a point that was not visited yet."""


PLACES = {"runs": RUNS, "lanes": LANES}


def points(places: str) -> set[str]:
    """Every point of these places."""
    names = [f"{owner.__name__}.{name}" for owner, name in PLACES[places]]
    return {f"{when} {name}" for name in names for when in ("before", "after")}


def visited(log: Path) -> set[str]:
    return set(log.read_text().split("\n")) - {""} if log.exists() else set()


def die_at(log: Path, point: str) -> None:
    """Die here, once in the log's life."""
    if random.random() < CHANCE and point not in visited(log):
        with log.open("a") as lines:
            lines.write(f"{point}\n")
            lines.flush()
            os.fsync(lines.fileno())
        os.kill(os.getpid(), signal.SIGKILL)


def mine(owner: type, name: str, log: Path) -> None:
    method: Callable[..., Awaitable[Any]] = getattr(owner, name)
    point = f"{owner.__name__}.{name}"

    @functools.wraps(method)
    async def mined(self: object, *args: Any, **options: Any) -> Any:
        die_at(log, f"before {point}")
        found = await method(self, *args, **options)
        die_at(log, f"after {point}")
        return found

    setattr(owner, name, mined)


def live(*command: str) -> int:
    """Run a command, and again whenever it has killed itself; gives what it ends with at last."""
    forks = multiprocessing.get_context("fork")
    lives: list[ForkProcess] = []
    asked: list[int] = []

    def end(number: int, _frame: object) -> None:
        asked.append(number)
        if lives:
            lives[-1].terminate()

    signal.signal(signal.SIGTERM, end)
    while not lives or (lives[-1].exitcode == -signal.SIGKILL and not asked):
        lives.append(forks.Process(target=_live, args=(command,), daemon=True))
        lives[-1].start()
        if asked:
            lives[-1].terminate()
        lives[-1].join()
    return lives[-1].exitcode or 0


def _live(command: tuple[str, ...]) -> None:
    """Be what a new process would be: with ids of its own, and nobody's signals."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    jobs._OURS = uuid4().hex
    main.main(command)


if __name__ == "__main__":
    for place in PLACES[sys.argv[1]]:
        mine(*place, Path(sys.argv[2]))
    sys.exit(live("worker", "--config", sys.argv[3]))
