"""What a proof says, and the page of docs/proofs.md that says it."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from engine.store.server import find_server

CHECKOUT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Sizes:
    """How much each proof does; the defaults are the full proofs."""

    messages: int = 10_000
    hits: int = 200
    """Kills and stops."""
    calls: int = 10_000
    """Calls of other systems, repetitions included."""
    torn: int = 1_500
    """Messages while Redis' file is torn."""
    cuts: int = 20
    judged: int = 100_000
    """Messages for the figures of memory."""
    seconds: float = 3600.0
    """How long the steady rate is kept up."""
    rate: float = 8.0
    """Messages a second of the steady rate."""
    days: int = 30
    """Simulated days of mail among machines."""
    people: int = 12
    """Who write to each mailbox on a simulated day."""
    rounds: int = 200
    """How often each forgery is tried."""
    undone: int = 1_000
    """Messages that one rule has labelled, and that are undone."""
    pairs: int = 600_000
    """Conditions and messages that Pigeonhole judges as well."""
    programs: int = 300
    """Scripts of Sieve made at random."""
    within: float = 7200.0
    """Seconds after which a proof gives up."""


@dataclass
class Proof:
    """The outcome of one proof that held. One that does not hold raises AssertionError."""

    facts: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    """Markdown tables, below the facts."""
    persons: Counter[str] = field(default_factory=Counter)
    """What only a person can settle: how many cases for each reason."""


def machine() -> str:
    """What it ran on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GB, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, {find_server().version}"
    )


def commit() -> str:
    """Which state of the source was proven; `+` when files differ from it."""
    git = shutil.which("git")
    if git is None or not (CHECKOUT / ".git").exists():
        return "unknown"

    def ask(*words: str) -> str:
        answer = subprocess.run([git, *words], cwd=CHECKOUT, capture_output=True, text=True, check=False)
        return answer.stdout.strip()

    changed = ask("status", "--porcelain", "--untracked-files=no", "--", "engine", "prove", "tests/e2e")
    return ask("rev-parse", "--short", "HEAD") + ("+" if changed else "")


def as_section(title: str, command: str, proof: Proof, took: float) -> str:
    """One section of the page."""
    when = datetime.now(UTC).strftime("%d %b %Y %H:%M UTC")
    lines = [f"## {title}", ""]
    lines += [f"{when}, commit {commit()}, {took / 60:.1f} minutes; {machine()}. Again: `{command}`", ""]
    lines += [f"- {fact}" for fact in proof.facts]
    lines += ["", "For a person to settle: " + (_persons(proof.persons) or "nothing."), ""]
    for table in proof.tables:
        lines += [table, ""]
    return "\n".join(lines)


def _persons(persons: Mapping[str, int]) -> str:
    return "".join(f"\n\n- {count} × {why}" for why, count in sorted(persons.items()))


def put_section(page: Path, title: str, section: str) -> None:
    """Replace the section of this title, or add it at the end."""
    text = page.read_text(encoding="utf-8") if page.exists() else "# Proofs\n"
    old = re.compile(rf"^## {re.escape(title)}\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
    if old.search(text):
        text = old.sub(lambda _: section + "\n", text, count=1)
    else:
        text = text.rstrip("\n") + "\n\n" + section
    page.write_text(text.rstrip("\n") + "\n", encoding="utf-8")


def table(head: list[str], rows: list[list[object]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *([str(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
