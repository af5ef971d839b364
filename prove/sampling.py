"""Memory of the processes on stage and of each kind of Redis key, and whether it stays flat."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import linear_regression, median

from engine.wiring import Office
from prove.proof import table
from prove.running import Site

MB = 1e6
GROWTH = 0.05
"""By how much the median of the last quarter may exceed that of the second one, after the warm-up."""
SLACK_MB = 4.0
LEAK_KB = 12.0
"""What a process may grow by for each message once it is warm: shows within some hundred messages."""
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Sample:
    """Megabytes, and what they were looked up at: messages judged, or seconds."""

    at: float
    worker: float
    web: float
    redis: float
    """What Redis says it uses."""
    lag: float = 0.0
    """Seconds from a delivery to its judgement."""
    left: int = 0
    """What was still to do."""

    @property
    def line(self) -> str:
        return (
            f"{self.at:,.0f}: worker {self.worker:.1f} MB, web {self.web:.1f} MB, Redis {self.redis:.1f} MB, "
            f"lag {self.lag:.2f} s"
        )


async def take_sample(site: Site, at: float, lag: float = 0.0, left: int = 0) -> Sample:
    children = site.stage.children
    return Sample(
        at,
        resident(children["worker1"].pid),
        resident(children["web"].pid),
        await used(site.office),
        lag,
        left,
    )


def resident(pid: int | None) -> float:
    """Megabytes of a process that are in memory (proc(5): statm)."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MB


async def used(office: Office) -> float:
    """Megabytes that Redis uses."""
    return float((await office.base.redis.info("memory"))["used_memory"]) / MB


async def by_kind(office: Office) -> dict[str, tuple[int, float]]:
    """For each kind of key, how many there are and their megabytes."""
    redis, prefix = office.base.redis, office.base.prefix + ":"
    counts: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    keys = [key async for key in redis.scan_iter(count=1000)]
    for start in range(0, len(keys), AT_ONCE):
        part = keys[start : start + AT_ONCE]
        async with redis.pipeline(transaction=False) as pipe:
            for key in part:
                pipe.memory_usage(key, samples=0)
            for key, size in zip(part, await pipe.execute(), strict=True):
                kind = key.removeprefix(prefix).partition(":")[0]
                counts[kind] += 1
                sizes[kind] += size or 0
    return {kind: (counts[kind], size / MB) for kind, size in sizes.most_common()}


def assert_flat(what: str, values: Sequence[float], slack: float = SLACK_MB) -> None:
    """Hold the median of the last quarter against that of the second. Raises AssertionError."""
    quarter = max(len(values) // 4, 1)
    first, last = median(values[quarter : 2 * quarter] or values), median(values[-quarter:])
    assert last <= first * (1 + GROWTH) + slack, f"{what} grows from {first:.2f} to {last:.2f}: {values}"


def assert_no_leak(what: str, mb_per_message: float) -> None:
    """Hold the growth for each message against what a warm process may have. Raises AssertionError."""
    kb = mb_per_message * 1000
    assert kb <= LEAK_KB, f"{what} grows by {kb:.1f} KB for each message"


def slope(samples: Sequence[Sample], what: str) -> float:
    """How much a figure grows for each unit of `at`, once the first quarter is over."""
    late = samples[len(samples) // 4 :]
    if len(late) < 2:
        return 0.0
    return linear_regression([one.at for one in late], [getattr(one, what) for one in late]).slope


def as_series(samples: Sequence[Sample], at: str, columns: Sequence[str]) -> str:
    """A table of at most some twenty samples."""
    thinned = samples[:: max(len(samples) // 20, 1)]
    rows: list[list[object]] = [
        [f"{one.at:,.0f}", *(f"{getattr(one, name):.{2 if name == 'lag' else 0 if name == 'left' else 1}f}"
                             for name in columns)]
        for one in thinned
    ]  # fmt: skip
    units = {"lag": "lag, s", "left": "left to do"}
    return table([at, *(units.get(name, f"{name}, MB") for name in columns)], rows)


def as_kinds(kinds: dict[str, tuple[int, float]]) -> str:
    """A table of the kinds of keys that take a hundredth of a megabyte or more."""
    rows: list[list[object]] = [
        [f"`{kind}`", f"{count:,}", f"{size:.2f}"] for kind, (count, size) in kinds.items() if size >= 0.01
    ]
    return table(["key", "how many", "MB"], rows)
