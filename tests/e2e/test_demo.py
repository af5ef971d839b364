"""The demo as a person calls it: it comes to its end although a summary waits for its hour."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

REMINDER = b"From: billing@hosting.example\r\nTo: support@acme.example\r\nSubject: Second reminder\r\n"
QUESTION = b"From: ann@customer.example\r\nTo: support@acme.example\r\nSubject: Cannot log in\r\n"


@pytest.mark.e2e
async def test_the_demo_ends_with_every_message_accounted_for(tmp_path: Path) -> None:
    for name, head in (("reminder.eml", REMINDER), ("question.eml", QUESTION)):
        (tmp_path / name).write_bytes(head + b"\r\nHello.\r\n")
    command = (sys.executable, "-m", "engine", "demo", "--exit", "--mail", str(tmp_path))
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    told, _ = await asyncio.wait_for(process.communicate(), 120)
    lines = told.decode().splitlines()
    assert (process.returncode, lines[-1]) == (0, "Every message is accounted for.")
    assert next(line for line in lines if "delivered" in line).startswith("2 delivered, 2 judged, 0 waiting;")
    assert any(line.split() == ["reminders-every-morning", "2", "1"] for line in lines)
