"""What Dovecot Pigeonhole does with a script and a message, and what our rules do, in the same words."""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.mail.events import Event, EventKind
from engine.mail.message import Message
from engine.mail.mime import from_raw
from engine.rules.evaluate import changed, evaluate
from engine.rules.ruleset import RuleSet

BEFORE = frozenset({"INBOX", "UNREAD"})
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
REWRITTEN = "$expire-"
"""How the oracle's rewrite writes `expire` down."""


@dataclass(frozen=True)
class Outcome:
    """Where a message ends up, and what leaves."""

    labels: frozenset[str]
    sent: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Verdicts:
    """What Pigeonhole did: lines by script and message; a pair without one is kept and nothing else."""

    messages: tuple[str, ...]
    scripts: tuple[str, ...]
    lines: Mapping[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)

    def outcome(self, script: str, message: str) -> Outcome:
        line = self.lines.get((script, message))
        return Outcome(BEFORE) if line is None else pigeonhole(line)


def read_verdicts(path: Path) -> Verdicts:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        head = json.loads(next(lines))
        rest = [json.loads(line) for line in lines]
    found = {(Path(line["script"]).name, line["message"]): line for line in rest}
    return Verdicts(tuple(head["messages"]), tuple(head["scripts"]), found)


def pigeonhole(line: Mapping[str, Any]) -> Outcome:
    """Say in labels what Pigeonhole did: flags of every store together, as one message has them."""
    stores = [action for action in line["actions"] if action["action"] in ("fileinto", "keep")]
    flags = {flag for store in stores for flag in store.get("flags", ())} | set(line.get("keep_flags", ()))
    labels = {as_label(store["folder"]) for store in stores}
    if line["implicit_keep"]:
        labels.add("INBOX")
    if not labels:
        labels |= {"TRASH"} if any(action["action"] == "discard" for action in line["actions"]) else set()
    return Outcome(_settled(labels | _flagged(flags)), frozenset(_sent(line["actions"])))


def _settled(labels: set[str]) -> frozenset[str]:
    """In the trash, it does not matter how a message is marked: Pigeonhole has no message left then."""
    return frozenset({"TRASH"} if "TRASH" in labels else labels)


def _flagged(flags: set[str]) -> set[str]:
    folded = {flag.lower() for flag in flags}
    own = {flag for flag in flags if not flag.startswith("\\") and not flag.startswith(REWRITTEN)}
    unread = set() if "\\seen" in folded else {"UNREAD"}
    return own | unread | ({"STARRED"} if "\\flagged" in folded else set())


def _sent(actions: list[Mapping[str, Any]]) -> Iterator[str]:
    for action in actions:
        if action["action"] == "redirect":
            yield f"forward {action['address']}"
        elif action["action"] in ("vacation", "reject"):
            yield "reply"


def as_label(folder: str) -> str:
    """Write a folder's name as a label can have it (engine/rules/action.py)."""
    parts = (" ".join(part.split()) for part in folder.split("/"))
    name = "/".join(part for part in parts if part)
    return "INBOX" if name.upper() == "INBOX" else name


def ours(ruleset: RuleSet, message: Message) -> Outcome:
    """Judge a message as production would."""
    event = Event(EventKind.MESSAGE_RECEIVED, "", 0, message.key, labels=tuple(sorted(message.labels)))
    evaluation = evaluate(ruleset, event, message, NOW, final=True)
    effects = [effect for match in evaluation.matches for effect in match.effects]
    labels = changed(message.labels, effects)
    actions = [action for match in evaluation.matches for action in match.actions]
    sent = {"reply" for action in actions if "reply" in action}
    sent |= {f"forward {to}" for action in actions for to in action.get("forward", {}).get("to", ())}
    return Outcome(_settled(set(map(as_label, labels))), frozenset(sent))


def read_messages(corpus: Path, names: Mapping[str, None]) -> Iterator[tuple[str, bytes]]:
    """Give the raw messages of these names, such as `folder/messages.zip:member`."""
    by_archive: dict[str, list[str]] = {}
    for name in names:
        archive, _, member = name.partition(":")
        by_archive.setdefault(archive, []).append(member)
    for archive, members in by_archive.items():
        with zipfile.ZipFile(corpus / archive) as opened:
            for member in members:
                yield f"{archive}:{member}", without_separator(opened.read(member))


def without_separator(raw: bytes) -> bytes:
    """Take off the line that begins a message in an mbox."""
    return raw.split(b"\n", 1)[1] if raw.startswith(b"From ") and b"\n" in raw else raw


def as_message(name: str, raw: bytes) -> Message:
    return from_raw(raw, key=name, labels=BEFORE, received=NOW)
