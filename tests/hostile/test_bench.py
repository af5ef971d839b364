"""The bench takes the growth of everything, here of as little as can be."""

from __future__ import annotations

from pathlib import Path

from bench import hostile
from bench.mail import Mail


async def test_growth_is_measured(tmp_path: Path) -> None:
    section = await hostile.measure(Mail("", ()), tmp_path, size=10, members=1)
    assert len(section.figures) == len(section.notes) == 4
    assert all(figure.ours > 0 for figure in section.figures)
