"""The command line: exit codes, help, and what is said about mistakes."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from engine import __version__
from engine.cli.logs import start_logs
from engine.cli.main import COMMANDS, main, run
from engine.errors import PostroomError


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is configured."""
    monkeypatch.chdir(tmp_path)
    for name in ("POSTROOM_CONFIG", "POSTROOM_LOG"):
        monkeypatch.delenv(name, raising=False)


def code_of(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """The exit code of `postroom WORDS`."""
    monkeypatch.setattr(sys, "argv", ["postroom", *words])
    with pytest.raises(SystemExit) as ended:
        run()
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_explains_itself(command: str) -> None:
    result = CliRunner().invoke(main, [command, "--help"])
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: main {command} ")
    assert len(result.stdout.splitlines()) > 3


def test_the_list_of_commands_is_in_the_order_of_their_use() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    shown = [line.split()[0] for line in result.stdout.partition("Commands:")[2].splitlines() if line.strip()]
    assert [name for name in shown if name in COMMANDS] == list(COMMANDS)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        pytest.param(["--version"], 0, f"postroom, version {__version__}", id="the version"),
        pytest.param(["--help"], 0, "Usage: ", id="help"),
        pytest.param(["schema", "-h"], 0, "Usage: ", id="help of a command"),
        pytest.param(["list"], 0, "subject", id="a command that is done"),
        pytest.param(["chekc"], 2, "No such command 'chekc'. Did you mean 'check'?", id="a command mistyped"),
        pytest.param(["fly"], 2, "No such command 'fly'.", id="no such command"),
        pytest.param(["runs", "--limt", "3"], 2, "No such option", id="no such option"),
        pytest.param(["runs", "--limit", "few"], 2, "'few' is not a valid integer", id="no number"),
        pytest.param(["replay"], 2, "Missing argument 'RUN'", id="an argument missing"),
        pytest.param(
            ["runs", "--config", "no.yaml"], 2, "postroom: no.yaml cannot be read", id="no configuration"
        ),
        pytest.param(["worker"], 2, "no mailboxes are configured", id="a worker without mailboxes"),
        pytest.param(["audit", "--since", "soon"], 2, "'soon' is no duration", id="no duration"),
    ],
)
def test_exit_codes(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    code: int,
    said: str,
) -> None:
    assert code_of(monkeypatch, *words) == code
    output = capsys.readouterr()
    assert said in (output.out if code == 0 else output.err)
    assert "Traceback" not in output.err


def test_findings_give_1(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "bad.yaml").write_text("version: 1\nrules:\n  - id: 7 7\n")
    assert code_of(monkeypatch, "check", "rules") == 1


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        pytest.param(
            PostroomError("what to do next"), 2, "postroom: what to do next\n", id="a foreseen error"
        ),
        pytest.param(ZeroDivisionError("oops"), 3, "this is a defect. Please report it with:", id="a defect"),
        pytest.param(click.Abort(), 130, "", id="an end by the keyboard"),
    ],
)
def test_errors_give_their_code(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
    code: int,
    said: str,
) -> None:
    @click.command()
    def failing() -> None:
        raise error

    monkeypatch.setattr("engine.cli.schema.schema", failing)
    assert code_of(monkeypatch, "schema") == code
    shown = capsys.readouterr().err
    assert said in shown
    assert ("Traceback" in shown) is (code == 3)


@pytest.mark.parametrize("words", [["list", "--json"], ["schema"]])
def test_what_machines_read_is_json(words: list[str]) -> None:
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0
    assert json.loads(result.stdout)


@pytest.fixture
def logs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the loggers of the test run as they were."""
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)


@pytest.mark.usefixtures("logs")
def test_logs_are_lines_of_text(capsys: pytest.CaptureFixture[str]) -> None:
    start_logs()
    logging.getLogger("postroom.test").info("all is %s", "well")
    logging.getLogger("other.library").info("not shown")
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.endswith(" INFO postroom.test: all is well\n")
    assert "not shown" not in output.err


@pytest.mark.usefixtures("logs")
def test_logs_are_json_for_machines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSTROOM_LOG", "json")
    start_logs()
    log = logging.getLogger("postroom.test")
    log.warning("über\nzwei Zeilen")
    try:
        raise ValueError("broken")
    except ValueError:
        log.exception("it failed")
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert (first["level"], first["logger"], first["message"]) == (
        "warning",
        "postroom.test",
        "über\nzwei Zeilen",
    )
    assert first["time"].endswith("+00:00")
    assert "ValueError: broken" in second["exception"]
