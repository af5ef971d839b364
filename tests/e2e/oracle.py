"""What the mailboxes must look like in the end: a second, plain loop over the rules.

No index, no plan, no store: messages one by one, rules one by one, labels changed on a set.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.flow.plan import run_id
from engine.mail.address import Address
from engine.mail.automated import automated, is_no_reply
from engine.mail.compose import is_sendable
from engine.mail.events import EventKind
from engine.mail.message import Message
from engine.mail.mime import from_raw
from engine.rules.evaluation import Verdict
from engine.rules.loader import load_rules, read_sources
from engine.rules.ruleset import Rule
from engine.rules.view import View

HERE = Path(__file__).parent
NOW = datetime(2026, 1, 1, tzinfo=UTC)
STARTING = frozenset({"INBOX", "UNREAD"})


@dataclass
class Expected:
    """The outcome for one mailbox."""

    labels: dict[str, frozenset[str]] = field(default_factory=dict)
    sends: Counter[str] = field(default_factory=Counter)
    """Message-IDs."""
    drafts: dict[str, str] = field(default_factory=dict)
    """By Message-ID, the key of what it answers; in a thread the newest takes the place of the others."""
    instead: dict[str, str] = field(default_factory=dict)
    """By the Message-ID of an answer that is held, that of the one the correspondent has already."""
    saved: dict[str, bytes] = field(default_factory=dict)
    """By key, messages that were saved."""
    told: set[str] = field(default_factory=set)
    """Keys that another system was told of."""
    gathered: dict[str, str] = field(default_factory=dict)
    """Keys that summaries tell of, each with the run that gathers it."""


def expect(mailbox: str, delivered: Sequence[tuple[str, bytes]]) -> Expected:
    """Judge what was delivered, as (key, raw), in its order."""
    rules = [
        rule
        for rule in load_rules(read_sources(HERE / "rules"), None).rules
        if rule.event is EventKind.MESSAGE_RECEIVED
    ]
    expected, answered = Expected(), dict[tuple[str, str], str]()
    for key, raw in delivered:
        message = from_raw(raw, key=key, labels=STARTING)
        labels = set(STARTING)
        for rule in _in_order(rules):
            view = View(message.relabelled(frozenset(labels)), NOW)
            verdict = rule.when.judge(view).verdict
            if verdict is Verdict.UNDECIDED and rule.stop:
                break  # What cannot be told, as of the subject of encrypted mail, lets nothing past it.
            if verdict is not Verdict.MATCHED:
                continue
            _act(rule, mailbox, message, labels, expected, answered)
            _act_beyond(rule, mailbox, message, raw, labels, expected)
            if rule.stop:
                break
        expected.labels[key] = frozenset(labels)
    return expected


def _in_order(rules: Sequence[Rule]) -> list[Rule]:
    return sorted(rules, key=lambda rule: (rule.priority, rules.index(rule)))


def _act(
    rule: Rule,
    mailbox: str,
    message: Message,
    labels: set[str],
    expected: Expected,
    answered: dict[tuple[str, str], str],
) -> None:
    for step, action in enumerate(rule.then):
        settings = action.dump()
        if action.key in ("label", "archive", "mark", "trash"):
            add, remove = _labels(action.key, settings)
            labels -= remove
            labels |= add
        elif action.key in BEYOND:
            continue
        elif action.key == "draft":
            if _answerable(message):
                expected.drafts[_message_id(mailbox, message, rule, step)] = message.key
        elif not _held(action.key, mailbox, message):
            own_id = _message_id(mailbox, message, rule, step)
            first = own_id
            if action.key == "reply":
                first = answered.setdefault((rule.id, _answerable(message)[0].normal), own_id)
            if first == own_id:
                expected.sends[own_id] += 1
            else:
                expected.instead[own_id] = first


BEYOND = frozenset({"save", "emit", "summary"})


def _act_beyond(
    rule: Rule, mailbox: str, message: Message, raw: bytes, labels: set[str], expected: Expected
) -> None:
    """What is saved or gathered, and what follows from the event that is set off: a call and a label."""
    keys = {action.key for action in rule.then}
    if "save" in keys:
        expected.saved[message.key] = raw
    if "emit" in keys:
        expected.told.add(message.key)
        labels.add("Told")
    if "summary" in keys and not _held("send", mailbox, message):
        expected.gathered[message.key] = run_id(f"{mailbox}/{message.key}", rule.id)


def _labels(key: str, settings: Any) -> tuple[set[str], set[str]]:
    if key == "label":
        return set(settings.get("add", ())), set(settings.get("remove", ()))
    if key == "archive":
        return set(), {"INBOX"}
    if key == "trash":
        return {"TRASH"}, {"INBOX"}
    return set(), {"UNREAD"}


def _held(key: str, mailbox: str, message: Message) -> bool:
    senders = [address for address in message.addresses("From") if address.domain]
    if key in ("send", "forward"):
        echoes = automated(message.headers) & {"auto_reply", "bounce"}
        return bool(echoes) or any(address.normal == mailbox for address in senders)
    reply_to = _answerable(message)
    if automated(message.headers) or not reply_to or is_no_reply(reply_to[0].address):
        return True
    return mailbox in {reply_to[0].normal, *(address.normal for address in senders)}


def _answerable(message: Message) -> list[Address]:
    addresses = (*message.addresses("Reply-To"), *message.addresses("From"))
    return [address for address in addresses if is_sendable(address)]


def _message_id(mailbox: str, message: Message, rule: Rule, step: int) -> str:
    run = run_id(f"{mailbox}/{message.key}", rule.id)
    return f"<{run}.{step}.postroom@{mailbox.partition('@')[2]}>"
