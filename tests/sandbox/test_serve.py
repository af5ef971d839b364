"""The sandbox as a process of its own, on a real socket."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from engine.cli.sandbox import sandbox
from engine.errors import PostroomError, SettingsError
from tests.sandbox.driving import ANN, mail

RUN = "from engine.cli.sandbox import sandbox; sandbox()"
BASE = f"/v2/emails/mailboxes/{ANN}"


@contextmanager
def running(*options: str) -> Iterator[httpx.Client]:
    """A sandbox process and a client with a token; it must end well when told to."""
    command = [sys.executable, "-c", RUN, "--listen", "127.0.0.1:0", "--mailbox", ANN, *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            address = process.stdout.readline().split()[-1]
            with httpx.Client(base_url=address, trust_env=False) as client:
                client.headers["Authorization"] = f"Bearer {_token(client)}"
                yield client
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_it_serves_on_a_free_port_and_says_where() -> None:
    with running() as client:
        delivered = client.post("/_sandbox/deliver", params={"mailbox": ANN}, content=mail())
        listed = client.get(f"{BASE}/messages").json()["messages"]
        assert [entry["id"] for entry in listed] == [delivered.json()["id"]]


def test_a_cut_connection_leaves_the_deed_and_no_answer() -> None:
    with running("--no-limits") as client:
        client.post("/_sandbox/faults", json=[{"operation": "create_draft_email", "drop_after": True}])
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            client.post(f"{BASE}/drafts", json={"message": {"raw": ""}})
        assert len(client.get(f"{BASE}/drafts").json()["drafts"]) == 1


def test_a_database_and_an_archive_outlive_the_process(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(mail("kept"))
    database = str(tmp_path / "sandbox.db")
    with running("--database", database, "--load", str(tmp_path / "a.eml")) as client:
        first = client.get(f"{BASE}/profile").json()
        assert first["messagesTotal"] == 1
    with running("--database", database) as client:
        assert client.get(f"{BASE}/profile").json() == first


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param(["--listen", "here"], "HOST:PORT", id="an address without a port"),
        pytest.param(["--listen", "127.0.0.1:99999"], "HOST:PORT", id="a port out of range"),
        pytest.param(["--webhook", "http://127.0.0.1:9/"], "--secret", id="a webhook without a secret"),
    ],
)
def test_wrong_options_are_refused(options: list[str], said: str) -> None:
    result = CliRunner().invoke(sandbox, options)
    assert (result.exit_code, said in result.output) == (2, True)


def test_an_address_in_use_is_an_error_of_settings() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(SettingsError, match=address):
            CliRunner().invoke(sandbox, ["--listen", address], catch_exceptions=False)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param(["--load", "missing.zip"], "missing.zip", id="an archive that is not there"),
        pytest.param(["--load", "x.eml", "--into", "b@x.example"], "b@x.example", id="a mailbox not hosted"),
    ],
)
def test_an_archive_that_cannot_be_loaded_is_an_error(
    options: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.eml").write_bytes(mail())
    with pytest.raises(PostroomError, match=said):
        CliRunner().invoke(sandbox, ["--listen", "127.0.0.1:0", *options], catch_exceptions=False)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"no database at all, but quite some text", "new file", id="another file"),
        pytest.param(None, "layout 99", id="a newer layout"),
    ],
)
def test_a_strange_database_is_refused(tmp_path: Path, content: bytes | None, said: str) -> None:
    import sqlite3

    path = tmp_path / "strange.db"
    if content is not None:
        path.write_bytes(content)
    else:
        newer = sqlite3.connect(path)
        newer.execute("PRAGMA user_version = 99")
        newer.close()
    with pytest.raises(SettingsError, match=said):
        CliRunner().invoke(
            sandbox, ["--listen", "127.0.0.1:0", "--database", str(path)], catch_exceptions=False
        )


def _token(client: httpx.Client) -> str:
    data = {"grant_type": "account_credentials", "account_id": "sandbox"}
    token: str = client.post("/oauth/token", data=data, auth=("sandbox", "sandbox")).json()["access_token"]
    return token
