"""Logs: which lines, and the one id that each bears."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from engine import tracing
from engine.cli.logs import start_logs
from engine.errors import SettingsError

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
HEADER = f"00-{TRACE}-00f067aa0ba902b7-01"


@pytest.fixture(autouse=True)
def _as_they_were(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)
    levels = {name: logging.getLogger(name).level for name in ("postroom", "engine")}
    yield
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def test_a_line_of_text_ends_with_the_trace_of_the_work_at_hand(capsys: pytest.CaptureFixture[str]) -> None:
    start_logs()
    log = logging.getLogger("postroom.test")
    with tracing.span("poll", HEADER):
        log.info("a line")
        log.info("another's", extra={"trace": "0af7651916cd43dd8448eb211c80319c"})
    log.info("nobody's")
    first, second, third = capsys.readouterr().err.splitlines()
    assert first.endswith(f": a line [{TRACE}]")
    assert second.endswith(": another's [0af7651916cd43dd8448eb211c80319c]")
    assert third.endswith(": nobody's")


def test_json_has_it_as_a_field_of_its_own(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSTROOM_LOG", "json")
    start_logs()
    log = logging.getLogger("postroom.test")
    with tracing.span("poll", HEADER):
        log.info("a line")
    log.info("nobody's")
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert (first["message"], first["trace"]) == ("a line", TRACE)
    assert "trace" not in second


@pytest.mark.parametrize(
    ("level", "shown"),
    [
        pytest.param("debug", ["debug", "info", "warning"], id="all of it"),
        pytest.param("INFO", ["info", "warning"], id="in capitals as well"),
        pytest.param("warning", ["warning"], id="only what is wrong"),
    ],
)
def test_the_level_is_chosen_by_the_environment(
    level: str, shown: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSTROOM_LOG_LEVEL", level)
    start_logs()
    log = logging.getLogger("postroom.test")
    for word in ("debug", "info", "warning"):
        log.log(logging.getLevelName(word.upper()), word)
    assert [line.rsplit(": ", 1)[1] for line in capsys.readouterr().err.splitlines()] == shown


def test_a_level_that_does_not_exist_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTROOM_LOG_LEVEL", "loud")
    with pytest.raises(SettingsError, match="POSTROOM_LOG_LEVEL is 'loud': write debug, info"):
        start_logs()
