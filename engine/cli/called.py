"""Calls of hooks as `explain` looks at them: from a file, or what is still kept of one."""

from __future__ import annotations

import json
from pathlib import Path

from engine.errors import PostroomError
from engine.flow.calls import hook_event
from engine.flow.plan import Run
from engine.mail.events import NAME, SEND_REQUESTED, Event
from engine.wiring import Office


def call_from_file(path: Path, hook: str, mailbox: str) -> Event:
    """Take a file for the body of a call. Raises PostroomError."""
    if not NAME.fullmatch(hook):
        raise PostroomError(f"'{hook}' names no hook: write its name, such as orders")
    try:
        text = path.read_text(encoding="utf-8-sig")
        json.loads(text)
    except OSError as error:
        raise PostroomError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise PostroomError(f"{path} is no JSON: --hook takes the body of a call") from None
    return hook_event(hook, mailbox, "explained", text)


async def call_of_run(office: Office, run: Run) -> Event:
    """Give the call that set a run off, for as long as it is kept. Raises PostroomError."""
    if run.kind is SEND_REQUESTED:
        raise PostroomError("the run was asked for by API or command: no rule was asked")
    content = await office.journal.content(run.id)
    if content is None:
        raise PostroomError(
            "what the call brought along was erased when the run was settled: name its body as a file, "
            f"with --hook {run.kind.hook} and --rules"
        )
    return Event(run.kind, run.mailbox, 0, payload=content.payload)
