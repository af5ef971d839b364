"""A figure beside its peer, and the page that shows them all."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from engine import __version__


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing measured, ours and the peer's, in the same run and the same unit."""

    name: str
    ours: float
    peer: float
    unit: str
    against: str
    """Who the peer is."""

    @property
    def ratio(self) -> float:
        return self.ours / self.peer if self.peer else float("inf")


@dataclass(frozen=True, slots=True)
class Section:
    """The figures of one question, with what explains them."""

    title: str
    figures: tuple[Figure, ...]
    notes: tuple[str, ...] = ()


def machine() -> str:
    """What it ran on."""
    return (
        f"Postroom {__version__}, Python {platform.python_version()}, {os.cpu_count()} cores, "
        f"{platform.system()} {platform.machine()}"
    )


def as_page(sections: Sequence[Section], mail: str) -> str:
    """One page of text."""
    lines = [machine(), mail]
    for section in sections:
        lines += ["", section.title]
        lines += [_line(figure) for figure in section.figures]
        lines += [f"    {note}" for note in section.notes]
    return "\n".join(lines)


def as_json(sections: Sequence[Section], mail: str) -> dict[str, Any]:
    """The same for machines."""
    shown = [
        {
            "title": section.title,
            "figures": [asdict(figure) | {"ratio": figure.ratio} for figure in section.figures],
            "notes": list(section.notes),
        }
        for section in sections
    ]
    return {"machine": machine(), "mail": mail, "sections": shown}


def _line(figure: Figure) -> str:
    ours, peer = (f"{value:,.{_digits(value)}f}" for value in (figure.ours, figure.peer))
    return f"  {figure.name:<34} {ours:>9} {figure.unit:<9} {figure.against} {peer} = {figure.ratio:.2f}"


def _digits(value: float) -> int:
    return 0 if value >= 100 else 1 if value >= 10 else 2
