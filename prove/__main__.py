"""`python -m prove [NAME…]`: prove, and write each section of docs/proofs.md as soon as it is proven."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import click

from prove import (
    faults,
    forging,
    hiding,
    hooks,
    kills,
    memory,
    month,
    recognition,
    sieve,
    soak,
    torn,
    undoing,
)
from prove.proof import CHECKOUT, Proof, Sizes, as_section, put_section

Prove = Callable[[Sizes, Path], Coroutine[Any, Any, Proof]]


@dataclass(frozen=True)
class Part:
    """One proof: its heading and its function."""

    title: str
    prove: Prove


PARTS = {
    "kills": Part("Killed and stopped", kills.prove),
    "torn": Part("Torn writes", torn.prove),
    "faults": Part("A tenth of all calls fail", faults.prove),
    "memory": Part("Memory", memory.prove),
    "soak": Part("A steady rate", soak.prove),
    "hooks": Part("Calls from other systems", hooks.prove),
    "forging": Part("Forged webhooks", forging.prove),
    "month": Part("A month among machines", month.prove),
    "sieve": Part("Agreement with Pigeonhole", sieve.prove),
    "undo": Part("Taken back", undoing.prove),
    "recognition": Part("Automatic mail is recognised", recognition.prove),
    "secrets": Part("Secrets and message text", hiding.prove),
}


def sizes(command: Callable[..., None]) -> Callable[..., None]:
    """An option for every size."""
    for one in reversed(fields(Sizes)):
        option = click.option(f"--{one.name}", type=type(one.default), default=one.default, show_default=True)
        command = option(command)
    return command


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(PARTS)))
@click.option("--page", type=click.Path(path_type=Path), default=CHECKOUT / "docs" / "proofs.md")
@click.option("--keep", is_flag=True, help="Keep the folders with logs and state.")
@sizes
def prove(names: tuple[str, ...], page: Path, keep: bool, **given: float) -> None:
    """Prove some parts, or all; exit code 1 when one does not hold."""
    failed = [name for name in names or PARTS if not _prove(name, Sizes(**given), page, keep)]  # type: ignore[arg-type]
    if failed:
        raise SystemExit(f"not proven: {', '.join(failed)}")


def _prove(name: str, sizes: Sizes, page: Path, keep: bool) -> bool:
    """Prove one part in a folder of its own, which stays when it does not hold."""
    folder, began = Path(tempfile.mkdtemp(prefix=f"postroom-{name}-")), time.monotonic()
    try:
        proof = asyncio.run(PARTS[name].prove(sizes, folder))
    except (AssertionError, TimeoutError):
        click.echo(f"{traceback.format_exc()}\n{name} does not hold; see {folder}", err=True)
        return False
    command = " ".join(["make prove", f'ARGS="{" ".join(sys.argv[1:])}"' if sys.argv[1:] else ""]).strip()
    section = as_section(PARTS[name].title, command, proof, time.monotonic() - began)
    put_section(page, PARTS[name].title, section)
    click.echo(section)
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)
    return True


if __name__ == "__main__":
    prove()
