"""`audit`, as a person calls it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from engine.errors import RateLimited, SettingsError, Unauthorized, Unavailable
from engine.flow import listing
from engine.metrics import Pending
from engine.store.figures import Figures
from tests.cli.conftest import SECRET, Console
from tests.flow.fakes import BOX, mail


@pytest.fixture
async def busy(console: Console) -> Console:
    world = console.world
    await world.rules("{id: file, when: {subject: file}, then: [label: A]}")
    world.clock.forward(1_000)
    world.provider.deliver("untouched", mail("hello"))
    world.provider.deliver("filed", mail("file"))
    await world.read_and_drain()
    return console


async def test_a_clean_mailbox_is_accounted_for(busy: Console) -> None:
    result = await busy.call("audit")
    assert (result.exit_code, result.stdout.splitlines()[0]) == (0, f"{BOX}: 1 acted on, 1 untouched")


async def test_a_lost_judged_key_and_a_lost_run_are_named(busy: Console) -> None:
    base = busy.world.base
    (run,) = await busy.world.runs()
    await base.redis.hdel(base.key("judged", BOX), "untouched")
    await base.redis.delete(base.key("run", run.run.id))
    result = await busy.call("audit")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[0] == f"{BOX}: 2 missed"
    assert sorted(line for line in result.stdout.splitlines() if "missed: " in line) == [
        "  missed: filed: the journal has no run of file",
        "  missed: untouched: it was never judged",
    ]
    report = json.loads((await busy.call("audit", "--json")).stdout)
    assert report["mailbox"] == BOX
    assert report["counts"] == {"missed": 2}
    assert sorted(finding["message"] for finding in report["findings"]) == ["filed", "untouched"]


async def test_a_mailbox_is_audited_behind_its_new_mail(busy: Console) -> None:
    provider, base = busy.world.provider, busy.world.base
    await base.redis.hdel(base.key("judged", BOX), "untouched")
    provider.calls.clear()
    await busy.call("audit")
    assert provider.calls == {"list_messages": 1, "history": 1, "fetch": 1}
    assert provider.unhurried == provider.calls


async def test_the_silence_alarm_is_shown_and_does_not_count_as_a_finding(busy: Console) -> None:
    # The clock of the store stands months behind Redis' own: nobody has read since.
    result = await busy.call("audit")
    assert result.exit_code == 0
    (line,) = result.stdout.splitlines()[1:]
    assert re.fullmatch(r"  unread: its history has not been read for \d+ days", line)
    report = json.loads((await busy.call("audit", "--json")).stdout)
    assert [(alarm["kind"], alarm["about"]) for alarm in report["alarms"]] == [("unread", BOX)]


async def test_an_alarm_of_webhooks_is_shown_once_whatever_the_number_of_mailboxes(busy: Console) -> None:
    text = busy.config.read_text().replace("client_id: C,", "client_id: C, webhook_secret: env:ZOOM_SECRET,")
    busy.config.write_text(text)
    await Figures(busy.world.base).add(Pending(marks={("refused", "acme"): 1}), None, 1)
    said = (await busy.call("audit")).stdout.splitlines()
    assert said[-1] == "acme: validation: the last validation of the webhook address was refused"
    report = json.loads((await busy.call("audit", "--json")).stdout)
    assert [alarm["about"] for alarm in report["alarms"]] == [BOX, "acme"]


async def test_a_window_leaves_older_mail_out(busy: Console) -> None:
    result = await busy.call("audit", "--since", "1h", "--json")
    assert result.exit_code == 0
    refused = await busy.call("audit", "--since", "soon")
    assert isinstance(refused.exception, SettingsError)


async def test_a_mailbox_that_cannot_be_read_is_named(busy: Console) -> None:
    busy.world.provider.failures["list_messages"] = [Unauthorized("the client secret is refused")]
    result = await busy.call("audit")
    assert isinstance(result.exception, SettingsError)
    assert str(result.exception) == f"{BOX} cannot be audited: the client secret is refused"
    assert SECRET not in str(result.exception)


async def test_a_mailbox_that_cannot_be_read_hides_nothing_of_the_others(busy: Console) -> None:
    base, other = busy.world.base, "a@acme.example"
    text = busy.config.read_text()
    busy.config.write_text(text.replace("mailboxes: {", f"mailboxes: {{{other}: {{account: acme}}, "))
    await base.redis.hset(base.key("started"), other, "1")
    await base.redis.hset(base.key("cursor"), other, "1")
    await busy.world.mailboxes.pause(other, "the client secret is refused", 2, 1)
    await base.redis.hdel(base.key("judged", BOX), "untouched")
    for form in ((), ("--json",)):
        busy.world.provider.failures["list_messages"] = [Unauthorized("the client secret is refused")]
        result = await busy.call("audit", *form)
        assert str(result.exception) == f"{other} cannot be audited: the client secret is refused"
        assert "it was never judged" in result.stdout
    assert [json.loads(line)["mailbox"] for line in result.stdout.splitlines()] == [BOX]
    busy.world.provider.failures["list_messages"] = [Unauthorized("the client secret is refused")]
    said = (await busy.call("audit")).stdout.splitlines()
    assert said[:2] == [f"{other}: not audited", "  paused: the client secret is refused"]


async def test_a_service_that_is_busy_or_away_for_a_moment_ends_no_audit(
    busy: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "FIRST_PAUSE_S", 0.0)
    base, failures = busy.world.base, busy.world.provider.failures
    await base.redis.hdel(base.key("judged", BOX), "untouched")
    for call in ("list_messages", "history", "fetch untouched"):
        failures[call] = [RateLimited("the rate budget is used up", until=0.0), Unavailable("away")]
    result = await busy.call("audit")
    assert result.exit_code == 1
    assert "missed: untouched: it was never judged" in result.stdout
    assert not any(failures.values())


async def test_only_the_mailboxes_that_are_named(busy: Console, tmp_path: Path) -> None:
    result = await busy.call("audit", "--mailbox", BOX, "--json")
    assert [json.loads(line)["mailbox"] for line in result.stdout.splitlines()] == [BOX]
