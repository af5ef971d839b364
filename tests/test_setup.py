"""What sets Postroom up: the lock, `make setup`, the image and the compose file."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.cli.main import COMMANDS, main
from engine.settings import load_settings

CHECKOUT = Path(__file__).parent.parent
LOCKS = ("requirements.lock", "requirements-runtime.lock", "requirements-build.lock")
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ]+)")


def text(name: str) -> str:
    return (CHECKOUT / name).read_text(encoding="utf-8")


def pins(lock: str) -> dict[str, str]:
    return {found[1]: found[2] for line in text(lock).splitlines() if (found := PIN.match(line))}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load(text("compose.yaml"))
    return parsed


# The lock


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_every_package_with_hashes_and_says_nothing_of_where_it_came_from(lock: str) -> None:
    packages = re.split(r"\n(?=[A-Za-z0-9])", text(lock))
    assert all("--hash=sha256:" in package for package in packages)
    assert "://" not in text(lock)
    assert not re.search(r"^\s*--(?!hash)|@ file", text(lock), re.MULTILINE)


@pytest.mark.parametrize("lock", LOCKS[1:])
def test_the_smaller_locks_agree_with_the_large_one(lock: str) -> None:
    assert pins(lock).items() <= pins("requirements.lock").items()


def test_the_lock_holds_what_the_project_asks_for() -> None:
    project = tomllib.loads(text("pyproject.toml"))
    asked = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    asked += [name for extra in project["project"]["optional-dependencies"].values() for name in extra]
    names = {re.split(r"[\[<>=~!; ]", name)[0].lower() for name in asked}
    assert names <= pins("requirements.lock").keys()


# make setup


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A checkout with nothing but the script and what it reads."""
    for name in ("scripts/setup", "requirements.lock", "pyproject.toml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(CHECKOUT / name, tmp_path / name)
    return tmp_path


def fake_python(folder: Path, script: str) -> str:
    python = folder / "python"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    return str(python)


def set_up(checkout: Path, python: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [checkout / "scripts" / "setup"],
        env={**os.environ, "PYTHON": python},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("script", "said"),
    [
        pytest.param(None, "apt-get install python3", id="no Python at all"),
        pytest.param(
            '[ "$1" = -V ] && echo Python 3.9.2; exit 1', "Python 3.9.2", id="a Python that is too old"
        ),
        pytest.param('case "$2" in *venv*) exit 1;; esac', "apt-get install python3-venv", id="no venv"),
    ],
)
def test_what_is_missing_is_named_with_the_package_to_install(
    bare: Path, script: str | None, said: str
) -> None:
    python = fake_python(bare, script) if script else "no-such-python"
    done = set_up(bare, python)
    assert done.returncode == 2
    assert said in done.stderr


def test_nothing_is_done_when_nothing_has_changed(bare: Path) -> None:
    noted = bare / "noted"
    python = fake_python(bare, f'echo "$@" >>"{noted}"')
    venv = bare / ".venv" / "bin"
    venv.mkdir(parents=True)
    for name in ("python", "postroom"):
        shutil.copy(python, venv / name)
    assert set_up(bare, python).returncode == 0
    assert "--require-hashes" in noted.read_text()
    noted.unlink()
    assert set_up(bare, python).returncode == 0
    assert "install" not in noted.read_text()
    with (bare / "requirements.lock").open("a") as lock:
        lock.write("\n")
    assert set_up(bare, python).returncode == 0
    assert "--require-hashes" in noted.read_text()


# make, CI


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        pytest.param(
            ["demo", "ARGS=--exit --mail x"], "postroom demo --exit --mail x", id="demo passes ARGS on"
        ),
        pytest.param(
            ["test", "ARGS=-k drain"], "pytest -n 3 --dist worksteal -k drain", id="test passes ARGS on"
        ),
        pytest.param(["check"], "postroom check rules/", id="check reads the example rules"),
    ],
)
def test_make_runs_what_it_says(command: list[str], expected: str) -> None:
    # These tests may themselves be run by make.
    env = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL")}
    shown = subprocess.run(
        ["make", "--dry-run", *command], cwd=CHECKOUT, env=env, capture_output=True, text=True, check=True
    )
    assert expected in shown.stdout
    assert shown.stdout.startswith("scripts/setup")


def test_ci_runs_check_and_test_alone() -> None:
    run = [line for line in text(".ci/run").splitlines() if line.startswith("make")]
    assert run == ["make check", "make test"]
    assert os.access(CHECKOUT / ".ci" / "run", os.X_OK)


# The image


def instructions(name: str) -> Iterator[list[str]]:
    """The lines of a Dockerfile as words, continued lines joined."""
    for line in text("Dockerfile").replace("\\\n", " ").splitlines():
        if line.startswith(name):
            yield line.split()[1:]


def test_what_the_image_copies_exists_and_is_sent() -> None:
    sent = {line[1:] for line in text(".dockerignore").splitlines() if line.startswith("!")}
    for source in (
        word for words in instructions("COPY") if "--from=build" not in words for word in words[:-1]
    ):
        assert (CHECKOUT / source).exists()
        assert source in sent


def test_the_image_is_of_a_named_version_and_not_run_by_root() -> None:
    assert all(re.fullmatch(r"python:3\.\d+-slim-\w+", words[0]) for words in instructions("FROM"))
    assert list(instructions("USER")) == [["10001"]]
    assert list(instructions("ENTRYPOINT")) == [['["postroom"]']]


def test_the_image_asks_the_web_process_for_its_health() -> None:
    assert any("/healthz" in word for words in instructions("HEALTHCHECK") for word in words)


# Compose


def test_every_service_runs_a_command_that_there_is(compose: dict[str, Any]) -> None:
    ours = {name: made for name, made in compose["services"].items() if "build" in made}
    assert ours.keys() == {"web", "worker", "sandbox"}
    for made in ours.values():
        name, *words = made["command"]
        assert name in COMMANDS
        command = main.get_command(None, name)  # type: ignore[arg-type]
        assert command is not None
        command.make_context(name, words)


def test_redis_is_as_durable_as_we_ask_and_keeps_its_data(compose: dict[str, Any]) -> None:
    redis = compose["services"]["redis"]
    words = " ".join(redis["command"])
    assert "--appendonly yes --appendfsync always --maxmemory-policy noeviction" in words
    assert redis["volumes"] == ["redis:/data"]
    assert "redis" in compose["volumes"]


def test_images_have_versions_and_ports_stay_on_this_machine(compose: dict[str, Any]) -> None:
    for made in compose["services"].values():
        assert "build" in made or not made["image"].endswith(":latest")
        assert "build" in made or ":" in made["image"]
        assert all(port.startswith("127.0.0.1:") for port in made.get("ports", ()))


def test_the_sandbox_is_in_the_demo_profile_alone(compose: dict[str, Any]) -> None:
    profiles = {name: made.get("profiles") for name, made in compose["services"].items()}
    assert profiles == {"redis": None, "web": None, "worker": None, "sandbox": ["demo"]}


def test_the_configuration_of_compose_is_valid_and_reaches_the_sandbox(
    compose: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("POSTROOM_REDIS_URL", "ZOOM_SECRET", "ZOOM_HOOK"):
        monkeypatch.setenv(
            name, re.sub(r"\$\{\w+:-(\w+)\}", r"\1", compose["x-postroom"]["environment"][name])
        )
    settings = load_settings(str(CHECKOUT / "deploy" / "postroom.yaml"))
    account = settings.accounts["acme"]
    command = compose["services"]["sandbox"]["command"]
    assert settings.redis.url == "redis://redis:6379/0"
    assert account.url == "http://sandbox:8025"
    assert settings.mailboxes.keys() == {word for option, word in pairwise(command) if option == "--mailbox"}
    assert "http://web:8080/hooks/zoom/acme" in command
