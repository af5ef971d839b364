"""Judging a message by ten rules, beside the same rules as a plain loop of Python functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from time import process_time

from bench.closures import matching
from bench.expected import ARRIVED, NOW, bench_rules
from bench.figure import Figure, Section
from bench.mail import Mail
from engine.mail.events import Event, EventKind
from engine.mail.message import Message
from engine.mail.mime import from_raw
from engine.mail.needs import Need
from engine.rules.evaluate import evaluate

MAILBOX = "judged@ours.example"
ROUNDS = 3

Judge = Callable[[Message], list[str]]


async def measure(mail: Mail, folder: Path) -> Section:
    """Judge freshly parsed messages with both, in turn; the best of each counts."""
    ours = _judge()
    differing = sum(ours(one) != matching(one) for one in _parsed(mail))
    rounds = [(_seconds(ours, _parsed(mail)), _seconds(matching, _parsed(mail))) for _ in range(ROUNDS)]
    each, plain = (1e6 * min(times) / len(mail.raws) for times in zip(*rounds, strict=True))
    return Section(
        "Microseconds of processor time to judge a message by ten rules",
        (Figure("engine.rules", each, plain, "us", "loop of closures"),),
        (f"both read addresses, subject and headers anew; their verdicts differ on {differing} messages",),
    )


def _judge() -> Judge:
    rules = bench_rules()

    def judge(message: Message) -> list[str]:
        event = Event(EventKind.MESSAGE_RECEIVED, MAILBOX, 1, message.key)
        return [match.rule for match in evaluate(rules, event, message, NOW, final=True).matches]

    return judge


def _parsed(mail: Mail) -> list[Message]:
    whole = (from_raw(raw, key=str(at), labels=ARRIVED) for at, raw in enumerate(mail.raws))
    return [message.holding(frozenset(Need)) for message in whole]


def _seconds(judge: Judge, messages: Sequence[Message]) -> float:
    began = process_time()
    for message in messages:
        judge(message)
    return process_time() - began
