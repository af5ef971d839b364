"""The filters that people made in the mail service's own settings come over as rules."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from engine.cli.stage import Play, Stage, staged

pytestmark = pytest.mark.e2e

BOX = "us@ours.example"


async def test_filters_of_a_mailbox_become_rules(tmp_path: Path) -> None:
    for name in ("rules", "templates"):
        (tmp_path / name).mkdir()
    (tmp_path / "rules" / "r.yaml").write_text("version: 1\nrules: []\n")
    play = Play({BOX: "off"}, tmp_path / "rules", tmp_path / "templates")
    async with staged(play, tmp_path) as stage:
        await _filter(stage, {"from": "boss@x.example", "subject": "urgent"}, {"addLabelIds": ["STARRED"]})
        told, code = await _imported(stage, "--json")
    assert code == 0
    assert '"query": "from:boss@x.example subject:urgent"' in told
    assert '"starred": true' in told


async def _filter(stage: Stage, criteria: dict[str, str], action: dict[str, list[str]]) -> None:
    """Make a filter by the service's API, as its settings do."""
    account = stage.settings.accounts["sandbox"]
    form = {"grant_type": "account_credentials", "account_id": account.account_id}
    who = (account.client_id, account.client_secret)
    token = (await stage.sandbox.post("/oauth/token", data=form, auth=who)).json()["access_token"]
    path, headers = f"/v2/emails/mailboxes/{BOX}/settings/filters", {"Authorization": f"Bearer {token}"}
    made = await stage.sandbox.post(path, json={"criteria": criteria, "action": action}, headers=headers)
    made.raise_for_status()


async def _imported(stage: Stage, *words: str) -> tuple[str, int | None]:
    command = (sys.executable, "-m", "engine", "import", "zoom", "--mailbox", BOX, *words)
    config = ("--config", str(stage.folder / "postroom.yaml"))
    process = await asyncio.create_subprocess_exec(*command, *config, stdout=asyncio.subprocess.PIPE)
    told, _ = await process.communicate()
    return told.decode(), process.returncode
