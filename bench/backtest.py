"""A backtest of a hundred thousand messages against a hundred rules: rate for each core, and memory."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from time import monotonic, process_time
from typing import Any

from bench.expected import ARRIVED
from bench.figure import Figure, Section
from bench.mail import Mail
from bench.mix import Vocabulary, make_rules
from engine.backtest.crew import cores
from engine.mail.dates import arrival
from engine.mail.events import Event, EventKind
from engine.mail.mime import from_raw
from engine.rules.evaluate import evaluate
from engine.rules.loader import load_rules
from engine.rules.memory import Ledger
from engine.rules.ruleset import RuleSet

MESSAGES = 100_000
RULES = 100
APART = timedelta(minutes=5)
BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
STATEFUL: tuple[dict[str, Any], ...] = (
    {"id": "copies", "when": {"duplicate": "message_id"}, "then": [{"label": "Copy"}]},
    {
        "id": "bursts",
        "when": {"rate": {"per": "sender", "more_than": 20, "within": "1h"}},
        "then": [{"label": "Burst"}],
    },
    {
        "id": "answers",
        "when": {"subject": {"contains": "help"}},
        "then": [{"reply": {"template": "t", "once_per": {"sender": "7d"}}}],
    },
)
_ID = re.compile(rb"(?im)^(message-id:[ \t]*)<")


async def measure(mail: Mail, folder: Path, messages: int = MESSAGES) -> Section:
    """Run the command as a person does, over a tenth and over all."""
    rules = folder / "rules.yaml"
    rules.write_text(json.dumps({"rules": _rules(mail)}))
    tenth, whole = (_write(mail, count, folder / f"{count}.zip") for count in (messages // 10, messages))
    few, many, alone = _run(rules, tenth), _run(rules, whole), _run(rules, tenth, "--jobs", "1")
    plain = _plain(mail, load_rules({"rules.yaml": rules.read_text()}, None))
    return Section(
        f"Backtest of {messages:,} messages against {RULES} rules, on {cores()} cores",
        (
            Figure("messages a second of one core", messages / many.cpu_s, plain, "/s", "plain loop"),
            Figure(
                "on all cores together", messages / many.wall_s, messages // 10 / alone.wall_s, "/s", "one"
            ),
            Figure("memory, largest process", many.mb, few.mb, "MB", "a tenth of the mail"),
        ),
        ("three rules remember what came before; processor time of all processes counts, start included",),
    )


def _rules(mail: Mail) -> list[dict[str, Any]]:
    words = Vocabulary([from_raw(raw, key=str(at)) for at, raw in enumerate(mail.raws)])
    specs = make_rules(words, RULES - len(STATEFUL), bodies=True)
    plain = [
        {"id": f"r{at}", "when": spec.condition, "then": [{"label": f"L{at}"}]}
        for at, spec in enumerate(specs)
    ]
    return [*plain, *STATEFUL]


def _write(mail: Mail, count: int, path: Path) -> Path:
    """Write so many messages, each with an arrival and an id of its own."""
    with zipfile.ZipFile(path, "w") as archive:
        for at, raw in enumerate(_messages(mail, count)):
            archive.writestr(f"{at:06}.eml", raw)
    return path


def _messages(mail: Mail, count: int) -> Iterator[bytes]:
    for at in range(count):
        came = format_datetime(BEGIN + at * APART)
        mark = b"\\g<1><%d." % at
        raw = _ID.sub(mark, mail.raws[at % len(mail.raws)], count=1)
        yield f"Received: from a.example by b.example; {came}\r\n".encode() + raw


@dataclass(frozen=True, slots=True)
class _Spent:
    wall_s: float
    cpu_s: float
    mb: float


def _run(rules: Path, mail: Path, *words: str) -> _Spent:
    """Run it in a process of its own; its children count with it."""
    command = [sys.executable, "-m", "engine", "backtest", "--rules", str(rules), "--mail", str(mail)]
    began = monotonic()
    process = subprocess.Popen([*command, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"backtest ended with {process.returncode}")
    return _Spent(monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def _plain(mail: Mail, rules: RuleSet) -> float:
    """Messages a second of one core in a loop that reads each message whole and judges it at once."""
    ledger, began = Ledger(), process_time()
    for at, raw in enumerate(mail.raws):
        message = from_raw(raw, key=str(at), labels=ARRIVED)
        now = arrival(message.headers) or BEGIN
        event = Event(EventKind.MESSAGE_RECEIVED, "", 0, message.key)
        ledger.add(evaluate(rules, event, message, now, ledger.memory, final=True).remembered)
    return len(mail.raws) / (process_time() - began)
