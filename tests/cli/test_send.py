"""`postroom send`: one message into the journal, once for each key."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from engine.cli.main import main
from engine.cli.send import _line
from engine.errors import PostroomError

BOX = "support@acme.example"
NEEDED = ("--to", "ann@x.example", "--data", '{"name": "Ann"}')


@pytest.fixture
def config(tmp_path: Path, redis_url: str, redis: object) -> Path:
    """A configuration with one mailbox, a template, and no worker."""
    (tmp_path / "secret").write_text("planted-value")
    (tmp_path / "url").write_text(redis_url)
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "hello.md").write_text(
        "---\nsubject: Hi\ninputs: [name]\n---\nDear {{ name }}\n"
    )
    account = f"provider: zoom, account_id: A, client_id: C, client_secret: 'file:{tmp_path}/secret'"
    (tmp_path / "postroom.yaml").write_text(
        f"redis: {{url: 'file:{tmp_path}/url'}}\naccounts:\n  acme: {{{account}}}\n"
        f"mailboxes:\n  {BOX}: {{account: acme}}\n"
    )
    return tmp_path / "postroom.yaml"


def send(config: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["send", *words, "--config", str(config)])


def test_a_message_is_queued_and_told_of(config: Path) -> None:
    sent = send(config, "hello", *NEEDED, "--json")
    assert sent.exit_code == 0, sent.output
    told = json.loads(sent.stdout)
    assert told["state"] == "queued"
    assert len(told["run"]) == 32


def test_a_key_sends_once_and_never_something_else(config: Path) -> None:
    first, again = (send(config, "hello", *NEEDED, "--key", "k") for _ in range(2))
    assert first.exit_code == again.exit_code == 0
    assert first.stdout == again.stdout
    other = send(config, "hello", "--to", "bob@x.example", "--data", '{"name": "Bob"}', "--key", "k")
    assert isinstance(other.exception, PostroomError)
    assert "another key" in str(other.exception)
    assert send(config, "hello", *NEEDED).stdout != first.stdout


@pytest.mark.parametrize(
    ("receipt", "line"),
    [
        pytest.param({"outcome": "done"}, "1  done", id="sent"),
        pytest.param({"outcome": "held", "why": "it is suppressed"}, "1  held: it is suppressed", id="held"),
        pytest.param(
            {"outcome": "done", "left_out": "a@x: full"}, "1  done: left out a@x: full", id="to some"
        ),
    ],
)
def test_whether_it_was_sent_is_told(receipt: dict[str, str], line: str) -> None:
    assert _line({"run": "1", "state": "done", "why": "", "steps": [{"receipt": receipt}]}) == line


def test_a_time_goes_along_and_one_that_is_none_is_refused(config: Path) -> None:
    assert send(config, "hello", *NEEDED, "--at", "08:00").exit_code == 0
    refused = send(config, "hello", *NEEDED, "--at", "soon")
    assert isinstance(refused.exception, PostroomError)
    assert "at: is neither a time of day such as 08:00" in str(refused.exception)


def test_data_and_files_come_from_files(config: Path, tmp_path: Path) -> None:
    data, file = tmp_path / "data.json", tmp_path / "a.txt"
    data.write_text('{"name": "Ann"}')
    file.write_text("hello")
    sent = send(config, "hello", "--to", "a@x.example", "--data", f"@{data}", "--attach", str(file))
    assert sent.exit_code == 0, sent.output


@pytest.mark.parametrize(
    ("words", "why"),
    [
        pytest.param(("helo", *NEEDED), "did you mean 'hello'?", id="no such template"),
        pytest.param(("hello", "--to", "a@x.example"), "needs the input 'name'", id="an input missing"),
        pytest.param(("hello", "--to", "ann", "--data", '{"name": 1}'), "no address", id="no address"),
        pytest.param(("hello", *NEEDED[:3], "{"), "--data is no JSON", id="no JSON"),
        pytest.param(("hello", *NEEDED[:3], "[]"), "with", id="a list"),
        pytest.param(("hello", *NEEDED[:3], "@/none.json"), "cannot be read", id="no file"),
        pytest.param(("hello", *NEEDED, "--mailbox", "x@y.example"), BOX, id="another's mailbox"),
    ],
)
def test_what_cannot_be_sent_is_refused(config: Path, words: tuple[str, ...], why: str) -> None:
    sent = send(config, *words)
    assert sent.exit_code
    assert why in sent.output + str(sent.exception)
