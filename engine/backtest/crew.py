"""Judge on all cores: chunks go out, what they came to comes back in their order."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice

from engine.backtest.judging import Item, Judging, Setup, chunks
from engine.backtest.spill import dump
from engine.errors import PostroomError

CHUNK = 100
CHUNK_BYTES = 1_000_000
AHEAD = 3
"""Chunks for each process that are under way: enough to do, and memory stays flat."""
WORTH_STARTING = 400
"""Messages: with fewer it takes longer to start processes than to judge."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One message as it was judged: when it arrived, and what it came to; None where that is nothing."""

    at: int
    dumped: bytes | None


def cores() -> int:
    """How many processors we may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def judged(items: Iterable[Item], setup: Setup, judging: Judging, jobs: int) -> Iterator[Piece]:
    """Judge all, in their order; with many messages and several jobs, in as many processes."""
    left = iter(items)
    first = list(islice(left, WORTH_STARTING)) if jobs > 1 else []
    if jobs == 1 or len(first) < WORTH_STARTING:
        yield from (_piece(judging, item) for item in chain(first, left))
        return
    work = chunks(chain(first, left), CHUNK, CHUNK_BYTES)
    with _pool(setup, jobs) as pool:
        under_way: deque[Future[list[Piece]]] = deque()
        for chunk in work:
            under_way.append(pool.submit(_judge_chunk, chunk))
            if len(under_way) >= AHEAD * jobs:
                yield from under_way.popleft().result()
        while under_way:
            yield from under_way.popleft().result()


@contextmanager
def _pool(setup: Setup, jobs: int) -> Iterator[ProcessPoolExecutor]:
    # Spawned, not forked: a forked process would have the locks of threads that it does not have.
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, spawn, _begin, (setup,))
    try:
        yield pool
    except BrokenProcessPool:
        raise PostroomError("a process that judged was ended from outside; is there enough memory?") from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_judging: Judging | None = None
"""Of this process, once it was begun."""


def _begin(setup: Setup) -> None:
    global _judging  # noqa: PLW0603 - a process of a pool keeps what it needs for every chunk here
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Whoever started us ends us.
    _judging = Judging(setup)


def _judge_chunk(chunk: list[Item]) -> list[Piece]:
    if _judging is None:
        raise RuntimeError("this process was not begun")
    return [_piece(_judging, item) for item in chunk]


def _piece(judging: Judging, item: Item) -> Piece:
    looked = judging.look(item)
    return Piece(looked.headline.at, None if looked.quiet else dump(looked))
