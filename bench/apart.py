"""A process for each thing that is measured: what others leave behind in memory and caches does not count."""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def apart(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call it in a process that has imported its module, and done nothing else."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([function.__module__])
    with ProcessPoolExecutor(1, context, gc.set_threshold, gc.get_threshold()) as pool:
        return pool.submit(function, *args, **kwargs).result()
