"""What the configuration says of a mailbox holds offline as well."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from engine.cli.main import main
from engine.errors import SettingsError
from engine.settings import load_settings
from engine.settings.homes import load_homes

CONFIG = """version: 1
timezone: Asia/Tokyo
redis: {url: redis://127.0.0.1:1/0}
accounts:
  acme: {provider: zoom, account_id: A1, client_id: C1, client_secret: env:NOT_SET}
mailboxes:
  Box@x.example: {account: acme, timezone: Europe/Berlin, authserv_id: [mx.x.example, MX2.x.example]}
  other@x.example: {account: acme}
"""
RULES = """version: 1
rules:
  - {id: office, when: {received: {between: 08:00-18:00}}, then: [{label: Office}]}
  - {id: safe, when: {auth: {dmarc: pass}}, then: [{label: Safe}]}
"""
MAIL = (
    "Received: from y by mx.x.example; Mon, 2 Mar 2026 07:30:00 +0000\n"
    "Authentication-Results: mx.x.example; dmarc=pass\nSubject: x\n\nx\n"
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder, and the current one."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "r.yaml").write_text(RULES)
    (tmp_path / "m.eml").write_text(MAIL)
    (tmp_path / "postroom.yaml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("POSTROOM_CONFIG", raising=False)
    return tmp_path


def call(*args: str) -> Result:
    return CliRunner().invoke(main, args)


def judged(*args: str) -> tuple[list[str], list[str]]:
    """The rules that matched, and those that could not be judged."""
    line = json.loads(call("evaluate", "--rules", "rules", "--mail", "m.eml", *args).stdout)
    return [run["rule"] for run in line["runs"]], line.get("undecided", [])


def test_a_mailbox_is_judged_by_its_own_zone_and_server(folder: Path) -> None:
    assert judged("--mailbox", "box@X.example") == (["office", "safe"], [])


def test_another_mailbox_is_judged_by_the_global_zone_and_believes_nobody(folder: Path) -> None:
    assert judged("--mailbox", "other@x.example") == (["office"], ["safe"])
    (folder / "m.eml").write_text(MAIL.replace("07:30", "12:30"))
    assert judged("--mailbox", "other@x.example") == ([], ["safe"])


def test_without_a_configuration_times_are_in_utc(folder: Path) -> None:
    (folder / "postroom.yaml").unlink()
    assert judged("--mailbox", "box@x.example") == ([], ["safe"])


def test_no_secret_is_read_to_judge_offline(folder: Path) -> None:
    with pytest.raises(SettingsError, match="NOT_SET is not set"):
        load_settings()
    assert set(load_homes().each) == {"box@x.example", "other@x.example"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(
            ("Asia/Tokyo", "Tokyo"), "postroom.yaml:2:11 timezone: 'Tokyo' is no time zone", id="a zone"
        ),
        pytest.param(
            ("MX2.x.example", "'mx; y'"), "mailboxes.Box@x.example.authserv_id: 'mx; y' is no", id="a server"
        ),
        pytest.param(
            ("mailboxes:", "mailboxes: [x]\nx-y:"), "mailboxes: must be a map", id="a list of mailboxes"
        ),
        pytest.param(("version: 1", "- 1"), "is not YAML", id="no YAML"),
    ],
)
def test_what_is_wrong_with_them_is_said(folder: Path, change: tuple[str, str], said: str) -> None:
    (folder / "postroom.yaml").write_text(CONFIG.replace(*change))
    with pytest.raises(SettingsError) as wrong:
        load_homes()
    assert said in str(wrong.value)


def test_check_names_mailboxes_in_which_auth_believes_nobody(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOT_SET", "s")
    line = call("check").stdout.splitlines()[0]
    assert "mailboxes.other@x.example: has no authserv_id, so 'auth' believes nobody (rules safe)" in line
