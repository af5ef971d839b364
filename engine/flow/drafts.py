"""Drafts that belong to a thread and a rule: what is known of one, and whether a person has changed it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from engine.flow.plan import Run
from engine.mail.mime import from_raw
from engine.rules.effects import Effect, SaveDraft, SendMessage

UNKNOWN = ""
"""The digest of what nobody has seen as it was written: it counts as changed."""


@dataclass(frozen=True, slots=True)
class Home:
    """Where a draft belongs."""

    mailbox: str
    thread: str
    name: str
    """The rule, with a number behind its first draft."""


@dataclass(frozen=True, slots=True)
class Left:
    """A draft of ours that lies in a thread."""

    id: str
    digest: str
    """Of what it said when it was written, as the service gave it back."""
    run: str
    rule: str


class Turn(StrEnum):
    """Why a run may not write its draft now."""

    BUSY = "busy"
    """Another run is writing it."""
    NEWER = "newer"
    """It was written for a newer message, or a person has answered since."""


class Drafts(Protocol):
    """Remembers our drafts by mailbox and thread."""

    async def take(self, home: Home, run: Run, arrived: int) -> Left | Turn | None:
        """Take the pen, which one run at a time has, for what arrived then (epoch ms).

        Gives the draft that lies there, None where none does.
        """
        ...

    async def record(self, home: Home, run: Run, left: Left) -> None:
        """Remember a draft as it was written, and put the pen down."""
        ...

    async def put_down(self, home: Home, run: Run) -> None:
        """Put the pen down with nothing written."""
        ...

    async def forget(self, home: Home, run: Run, left: Left, answered: int) -> None:
        """Forget this draft, if it is still the one, and put the pen down; nothing older gets another."""
        ...

    async def stir(self, mailbox: str, drafts: Sequence[str], now: int) -> None:
        """Wake the runs that wait for what becomes of these drafts."""
        ...

    async def in_threads(self, mailbox: str, threads: Sequence[str]) -> Mapping[Home, Left]:
        """Every draft of ours in these threads."""
        ...


def home_of(run: Run, step: int) -> Home | None:
    """Say where the draft of a step belongs; None for one that answers nothing, or in no known thread."""
    effect = run.steps[step]
    if not run.thread or not _answers_by_draft(effect):
        return None
    before = sum(map(_answers_by_draft, run.steps[:step]))
    return Home(run.mailbox, run.thread, f"{run.rule} {before + 1}" if before else run.rule)


def _answers_by_draft(effect: Effect) -> bool:
    if isinstance(effect, SendMessage):
        return effect.reply and effect.approval is not None and effect.approval.draft
    return isinstance(effect, SaveDraft) and effect.reply


def digest_of(raw: bytes) -> str:
    """Digest what a person would change in a draft: recipients, subject, words, files."""
    message = from_raw(raw, key="")
    people = [sorted(one.normal for one in message.addresses(name)) for name in ("To", "Cc", "Bcc")]
    files = sorted((one.name, one.sha256 or "") for one in message.attachments)
    told = [people, message.subject.split(), message.text.split(), files]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()
