"""`backtest` over archives and over a mailbox's past."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from engine.cli.main import main
from engine.errors import RateLimited, Rejected, Unavailable
from engine.flow import listing
from tests.cli.conftest import Console
from tests.flow.fakes import BOX, START_MS, mail

DAY = 86_400_000
DATES = {1: "Mon, 02 Mar 2026 10:00:00 +0000", 2: "Tue, 03 Mar 2026 10:00:00 +0000"}
OLD = "rules:\n  - {id: file, when: {subject: {contains: order}}, then: [label: Orders]}\n"
NEW = OLD.replace("}\n", "}\n  - {id: thank, when: {subject: {contains: order}}, then: [reply: t]}\n", 1)
TEMPLATE = "---\nsubject: Thanks\n---\nWe have it.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two versions of rules, and two messages."""
    for version, text in {"old": OLD, "new": NEW}.items():
        (tmp_path / version / "rules").mkdir(parents=True)
        (tmp_path / version / "rules" / "r.yaml").write_text(text)
        (tmp_path / version / "templates").mkdir()
        (tmp_path / version / "templates" / "t.md").write_text(TEMPLATE)
    (tmp_path / "mail").mkdir()
    for number, subject in {1: "order 7", 2: "hello"}.items():
        (tmp_path / "mail" / f"{number}.eml").write_bytes(mail(subject, Date=DATES[number]))
    return tmp_path


def call(folder: Path, *args: str) -> Result:
    words = ["backtest", "--rules", str(folder / "new" / "rules"), "--mail", str(folder / "mail"), *args]
    return CliRunner().invoke(main, words)


def test_counts_stand_before_messages(folder: Path) -> None:
    result = call(folder)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "2 messages, 2026-03-02 to 2026-03-03",
        "",
        "actions",
        "  labels           1",
        "  replies          1",
        "  held             0",
        "  undecided        0",
        "labels",
        "  +Orders          1",
        "rules",
        "  file             1",
        "  thank            1",
        "",
        "1 message:",
        "",
        '1.eml  2026-03-02 10:00  ann@x.example  "order 7"',
        '    file: label {"add": ["Orders"]}',
        '    thank: reply {"template": "t"}',
    ]


def test_of_two_versions_only_what_changes_is_shown(folder: Path) -> None:
    result = call(folder, "--against", str(folder / "old" / "rules"))
    lines = result.stdout.splitlines()
    assert "actions       before    after" in lines
    assert "  replies          0        1       +1" in lines
    assert lines[-4:] == [
        "1 message would change:",
        "",
        '1.eml  2026-03-02 10:00  ann@x.example  "order 7"',
        '  + thank: reply {"template": "t"}',
    ]


def test_the_same_rules_change_nothing(folder: Path) -> None:
    result = call(folder, "--against", str(folder / "new" / "rules"), "--fail-if", "changes>0")
    assert result.exit_code == 0, result.output
    assert "change:" not in result.stdout


def test_json_lines_give_counts_and_then_each_message(folder: Path) -> None:
    result = call(folder, "--against", str(folder / "old" / "rules"), "--json")
    counts, message = (json.loads(line) for line in result.stdout.splitlines())
    assert (counts["messages"], counts["shown"]) == (2, 1)
    assert counts["before"]["actions"] == {"label": 1}
    assert counts["after"]["actions"] == {"label": 1, "reply": 1}
    assert [run["rule"] for run in message["before"]["runs"]] == ["file"]
    assert message["after"]["labels"] == {"add": ["Orders"], "remove": []}


@pytest.mark.parametrize(
    ("bound", "code"),
    [
        pytest.param("replies>+0", 1, id="a crossed bound is a finding"),
        pytest.param("replies>+1", 0, id="a bound that holds is none"),
        pytest.param("repls>+1", 2, id="a bound of nothing is a mistake"),
    ],
)
def test_a_bound_decides_the_exit_code(
    folder: Path, bound: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    result = call(folder, "--against", str(folder / "old" / "rules"), "--fail-if", bound)
    if code == 2:
        assert "unknown count 'repls'" in str(result.exception)
    else:
        assert result.exit_code == code
        assert ("there are 1, 0 before" in result.stderr) is bool(code)


def test_a_bound_is_not_kept_by_mail_that_is_not_there(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    result = call(folder, "--mail", str(tmp_path / "nothing"), "--fail-if", "replies>0")
    assert (result.exit_code, result.stderr) == (1, "--fail-if replies>0: no message was judged\n")


def test_further_messages_are_counted_and_not_shown(folder: Path) -> None:
    (folder / "mail" / "3.eml").write_bytes(mail("order 8"))
    (folder / "mail" / "4.eml").write_bytes(b"")
    lines = call(folder, "--limit", "1").stdout.splitlines()
    assert lines[-1] == "and 1 more; --limit 0 shows all"
    assert "1 file could not be read:" in lines
    assert "  4.eml: empty" in lines


def test_mail_that_speaks_to_the_terminal_is_written_out(folder: Path) -> None:
    (folder / "mail" / "1.eml").write_bytes(mail("order \x1b[2J", Date=DATES[1]))
    assert "\x1b" not in call(folder).output


@pytest.mark.parametrize(
    "words",
    [
        pytest.param((), id="no mail at all"),
        pytest.param(("--mailbox", BOX), id="a mailbox without a time"),
        pytest.param(("--mail", ".", "--since", "1d", "--mailbox", BOX), id="an archive and a time"),
        pytest.param(("--mailbox", BOX, "--since", "soon"), id="no time that anybody knows"),
    ],
)
def test_what_cannot_be_meant_is_refused(folder: Path, words: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, ["backtest", "--rules", str(folder / "new" / "rules"), *words])
    assert result.exit_code == 2


async def past(console: Console, folder: Path, *args: str) -> list[dict[str, Any]]:
    words = ("--rules", str(folder / "new" / "rules"), "--mailbox", BOX, "--json", *args)
    result = await console.call("backtest", *words)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


async def test_a_mailbox_is_judged_as_its_mail_arrived(console: Console, folder: Path) -> None:
    provider = console.world.provider
    provider.deliver("old", mail("order 1"), received=START_MS - 9 * DAY)
    provider.deliver("filed", mail("order 2"), labels=["Orders"], received=START_MS - 2 * DAY)
    provider.deliver("spam", mail("order 3"), labels=["SPAM"], received=START_MS - DAY)
    provider.deliver("sent", mail("order 4"), labels=["SENT"], received=START_MS)
    counts, *messages = await past(console, folder, "--since", "2025-12-25")
    assert counts["messages"] == 2
    assert [one["message"] for one in messages] == ["filed"]
    assert messages[0]["after"]["labels"] == {"add": ["Orders"], "remove": []}
    assert not provider.changes
    assert not provider.sent


async def test_a_thread_is_seen_as_it_was_then(console: Console, folder: Path) -> None:
    (folder / "new" / "rules" / "r.yaml").write_text(
        "rules: [{id: first, when: {thread: {first: true, replied_by_us: false}}, then: [label: New]}]\n"
    )
    provider = console.world.provider
    for number in range(2):
        provider.deliver(f"{number}", mail(f"m{number}"), received=START_MS - (2 - number) * DAY)
        provider.threads[f"{number}"] = "t"
    provider.deliver("ours", mail("re"), labels=["SENT"], received=START_MS)
    provider.threads["ours"] = "t"
    _, *messages = await past(console, folder, "--since", "2025-12-25")
    assert [one["message"] for one in messages] == ["0"]


async def test_a_service_that_asks_us_to_wait_is_waited_for(
    console: Console, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "FIRST_PAUSE_S", 0.0)
    provider = console.world.provider
    provider.deliver("1", mail("order 1"), received=START_MS)
    provider.failures["list_messages"] = [RateLimited("slowly", until=0), Unavailable("gone")]
    provider.failures["fetch 1"] = [Unavailable("gone")] * 2
    counts, _ = await past(console, folder, "--since", "2025-12-25")
    assert counts["messages"] == 1


async def test_a_day_s_allowance_that_is_spent_is_not_waited_for(console: Console, folder: Path) -> None:
    console.world.provider.failures["list_messages"] = [RateLimited("come tomorrow", until=1e12)]
    words = ("--rules", str(folder / "new" / "rules"), "--mailbox", BOX, "--since", "2025-12-25")
    result = await console.call("backtest", *words)
    assert "cannot be read: come tomorrow" in str(result.exception)


async def test_what_the_service_does_not_give_stays_undecided(console: Console, folder: Path) -> None:
    (folder / "new" / "rules" / "r.yaml").write_text(
        "rules: [{id: b, when: {body: {contains: hi}}, then: [label: B]}]\n"
    )
    provider = console.world.provider
    provider.deliver("1", mail("x"), received=START_MS)
    provider.failures["fetch 1"] = [Rejected("no")]
    counts, message = await past(console, folder, "--since", "2025-12-25")
    assert counts["after"]["undecided"] == 1
    assert message["after"]["undecided"] == ["b"]
