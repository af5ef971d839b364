"""Rules while they are put together: what is done in order, and where ways part."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from engine.errors import Place
from engine.imports.sieve.cond import TRUE, Cond


@dataclass
class Deed:
    """Actions that follow each other under one condition, and whether the script ends there."""

    place: Place
    comment: str = ""
    when: Cond = TRUE
    then: list[dict[str, Any]] = field(default_factory=list)
    stop: bool = False


@dataclass
class Branch:
    """One of the ways at a fork."""

    when: Cond
    items: list[Item] = field(default_factory=list)


@dataclass
class Fork:
    """`if`, `elsif` and `else`: the first branch whose condition holds."""

    place: Place
    comment: str
    branches: list[Branch]


Item = Deed | Fork
