"""How far long work has come: shown on a terminal, and in no pipe."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import pytest

from engine.cli.backtest_progress import archive_bytes, progress, weight
from engine.mail.archive import Archived
from engine.mail.message import Message


@pytest.mark.parametrize(
    "terminal", [pytest.param(True, id="on a terminal"), pytest.param(False, id="in a pipe")]
)
def test_a_bar_is_shown_on_a_terminal_alone(
    terminal: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    with progress("judged", 30) as advance:
        advance(10)
        advance(20)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert ("2 judged" in shown.err) is terminal


def test_mail_is_weighed_unpacked(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(b"x" * 100)
    with zipfile.ZipFile(tmp_path / "b.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("1.eml", "y" * 5_000)
    (tmp_path / "broken.zip").write_bytes(b"PK\x05\x06" + b"\0" * 10)
    assert 5_100 <= archive_bytes(tmp_path) <= 5_200
    assert (archive_bytes(tmp_path / "a.eml"), archive_bytes(tmp_path / "none")) == (100, 0)
    assert (weight(Archived("1", b"abc")), weight(Message("1"))) == (3, 1)
