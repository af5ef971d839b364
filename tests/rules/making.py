"""Messages, events and rule sets made up for tests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

from pydantic import TypeAdapter

from engine.mail.events import Event, EventKind
from engine.mail.headers import Headers
from engine.mail.message import ALONE, Attachment, Message
from engine.rules.condition import Condition, Judged
from engine.rules.evaluate import evaluate
from engine.rules.evaluation import Evaluation, Verdict
from engine.rules.loader import load_rules
from engine.rules.registry import AnyCondition
from engine.rules.ruleset import RuleSet
from engine.rules.view import View
from engine.rules.yaml import parse_yaml, plain

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
CONDITION: TypeAdapter[Condition] = TypeAdapter(AnyCondition)


def make_message(
    *headers: tuple[str, str],
    labels: Iterable[str] = ("INBOX", "UNREAD"),
    size: int = 1_000,
    text: str = "",
    files: Iterable[Attachment] = (),
) -> Message:
    """A message of which everything is known."""
    return Message(
        key="k",
        mailbox="support@acme.example",
        labels=frozenset(labels),
        received=NOW,
        _headers=Headers(headers),
        _size=size,
        _text=text,
        _attachments=tuple(files),
        _conversation=ALONE,
    )


def condition(text: str, **context: Any) -> Condition:
    """Read one condition from YAML."""
    return CONDITION.validate_python(plain(parse_yaml(text, "c.yaml")), context=context)


def judged(text: str, message: Message, **context: Any) -> Judged:
    return condition(text, **context).judge(View(message, NOW))


def holds(text: str, message: Message, **context: Any) -> bool:
    """Judge a condition that must be decided."""
    verdict = judged(text, message, **context).verdict
    assert verdict is not Verdict.UNDECIDED
    return verdict is Verdict.MATCHED


def rules(text: str, **more: str) -> RuleSet:
    """Load `rules.yaml`, and further files by their stem."""
    sources = {"rules.yaml": text} | {f"{name}.yaml": source for name, source in more.items()}
    return load_rules(sources, None)


def judge(ruleset: RuleSet, message: Message, *, final: bool = False, **event: Any) -> Evaluation:
    """Judge a message's arrival, or another event."""
    fields: Mapping[str, Any] = {
        "kind": EventKind.MESSAGE_RECEIVED,
        "mailbox": "support@acme.example",
    } | event
    return evaluate(ruleset, Event(history=1, key="k", **fields), message, NOW, final=final)


@contextmanager
def indexed_from(size: float, ruleset: RuleSet) -> Iterator[RuleSet]:
    """Give a set whose index is asked from so many rules on: anew, since it keeps to what it did first."""
    with patch("engine.rules.audience.INDEXED_FROM", size):
        yield replace(ruleset)


def matched(evaluation: Evaluation) -> list[str]:
    return [match.rule for match in evaluation.matches]
