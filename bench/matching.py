"""Finding the rules that match, from ten rules to ten thousand, beside a plain loop of functions."""

from __future__ import annotations

import gc
import json
import resource
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import TypeVar

from bench.apart import apart
from bench.expected import ARRIVED, NOW
from bench.figure import Figure, Section
from bench.loop import Read, loop
from bench.mail import Mail
from bench.mix import Spec, Vocabulary, make_rules
from engine.errors import Place
from engine.mail.encrypted import hides_text
from engine.mail.events import Event, EventKind
from engine.mail.message import Message
from engine.mail.mime import from_raw
from engine.rules.action import Action
from engine.rules.condition import NOT_MATCHED
from engine.rules.evaluate import evaluate
from engine.rules.loader import load_rules, read_sources
from engine.rules.registry import ACTIONS, CONDITIONS
from engine.rules.ruleset import Rule, RuleSet
from engine.rules.view import View

SIZES = (10, 100, 1_000, 10_000, 100_000)
LOADED = 10_000
"""Rules that are also read from YAML."""
ROUNDS = 3
MOST_ASKED = 20_000_000
"""Questions that the plain loop is asked in one round."""
MAILBOX = "judged@ours.example"
LONG = 1_000
"""Characters: to fold one longer subject takes as long as all the rest."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Times:
    """Microseconds for each message, and what else there is to say."""

    ours: float
    loop: float
    whole: float
    """Of ours, from the message as read to the evaluation."""
    compiled_ms: float
    memory_mb: float
    matches: float
    differing: int


async def measure(mail: Mail, folder: Path, sizes: Sequence[int] = SIZES) -> Section:
    """Warm up with half of the mail and measure with the other, which neither has seen."""
    figures, notes, left_out = [], [], len(mail.raws) - len(_messages(mail))
    for bodies in (False, True):
        for size in sizes:
            times = apart(_measure, mail, size, bodies=bodies)
            name = f"{size:,} rules{', with bodies' if bodies else ''}"
            figures.append(Figure(name, 1e6 / times.ours, 1e6 / times.loop, "a second", "loop of functions"))
            notes.append(_note(name, times))
    notes.append(apart(_load, mail, min(LOADED, max(sizes)), folder))
    return Section(
        "Messages per second of processor time: which rules match, of decoded and parsed fields",
        tuple(figures),
        (
            *notes,
            "both compare folded texts, and fold each once at most; each message is seen once",
            "each number of rules has a process of its own",
            f"left out: {left_out}, encrypted or with a subject over {LONG} characters",
        ),
    )


def _messages(mail: Mail) -> list[Message]:
    parsed = (from_raw(raw, key=str(at), labels=ARRIVED) for at, raw in enumerate(mail.raws))
    return [one for one in parsed if len(one.subject) <= LONG and not hides_text(one.headers)]


def _note(name: str, times: Times) -> str:
    return (
        f"{name}: {times.ours:.1f} us, with reasons and plan {times.whole:.1f} us; "
        f"index {times.compiled_ms:.0f} ms, the process grew by {max(0, times.memory_mb):.0f} MB; "
        f"{times.matches:.2f} matches a message, {times.differing} differ"
    )


def _measure(mail: Mail, size: int, *, bodies: bool) -> Times:
    messages = _messages(mail)
    specs = make_rules(Vocabulary(messages), size, bodies=bodies)
    known, some = messages[::2], messages[1::2][: MOST_ASKED // size]
    peer = loop(specs)
    rounds = []
    for _ in range(ROUNDS):
        rules, before = as_ruleset(specs), _memory_mb()
        began = process_time()
        matching, judge = _matcher(rules), _judge(rules)
        matching(_read(known[0]))
        compiled = process_time() - began
        for message in known:
            matching(_read(message))
        grown = _memory_mb() - before
        ours, found = _timed(matching, [_read(message) for message in some])
        plain, expected = _timed(peer, [Read(message) for message in some])
        whole, _ = _timed(judge, some)
        rounds.append((ours, plain, whole, compiled, grown))
    ours, plain, whole, compiled, _ = map(min, zip(*rounds, strict=True))
    return Times(
        1e6 * ours / len(some),
        1e6 * plain / len(some),
        1e6 * whole / len(some),
        1e3 * compiled,
        rounds[0][4],
        sum(map(len, expected)) / len(some),
        sum(one != other for one, other in zip(found, expected, strict=True)),
    )


def _timed(function: Callable[[T], list[int]], arguments: Sequence[T]) -> tuple[float, list[list[int]]]:
    """Time it without the garbage collector, whose cost is that of everything else in this process."""
    found = []
    gc.collect()
    gc.disable()
    began = process_time()
    for argument in arguments:
        found.append(function(argument))
    taken = process_time() - began
    gc.enable()
    return taken, found


def _archived(number: int) -> Action:
    return ACTIONS["archive"].model_validate({})


def as_ruleset(specs: Sequence[Spec], then: Callable[[int], Action] = _archived) -> RuleSet:
    """Make rules of them without any file; each is named by its number."""
    place = Place("mix.yaml")

    def rule(number: int, spec: Spec) -> Rule:
        ((key, value),) = spec.condition.items()
        when = CONDITIONS[key].model_validate(value)
        return Rule(
            str(number), "", EventKind.MESSAGE_RECEIVED, "default", 0, (), when, (then(number),), False, place
        )

    return RuleSet(tuple(rule(number, spec) for number, spec in enumerate(specs)), "")


def _load(mail: Mail, size: int, folder: Path) -> str:
    """Read rules from YAML; JSON is YAML too."""
    specs = make_rules(Vocabulary(_messages(mail)), size, bodies=True)
    each = (
        {"id": f"r{number}", "when": spec.condition, "then": [{"archive": True}]}
        for number, spec in enumerate(specs)
    )
    lines = "".join(f"  - {json.dumps(rule)}\n" for rule in each)
    (folder / "mix.yaml").write_text(f"version: 1\nrules:\n{lines}")
    before, began = _memory_mb(), process_time()
    rules = load_rules(read_sources(folder), None)
    taken, grown = process_time() - began, _memory_mb() - before
    return f"{len(rules.rules):,} rules read from YAML in {taken:.2f} s; the process grew by {grown:.0f} MB"


def _read(message: Message) -> View:
    """Decode and parse what rules will look at; nothing is compared yet."""
    view = View(message, NOW)
    view.header("subject"), view.header("list-id"), view.people(("From",)), view.file_names(), view.body()
    return view


def _matcher(rules: RuleSet) -> Callable[[View], list[int]]:
    audience = rules.audience(EventKind.MESSAGE_RECEIVED, MAILBOX)

    def matching(view: View) -> list[int]:
        return [int(rule.id) for rule in audience.asked(view) if rule.judge(view) is not NOT_MATCHED]

    return matching


def _judge(rules: RuleSet) -> Callable[[Message], list[int]]:
    event = Event(EventKind.MESSAGE_RECEIVED, MAILBOX, 1)

    def judge(message: Message) -> list[int]:
        return [int(match.rule) for match in evaluate(rules, event, message, NOW, final=True).matches]

    return judge


def _memory_mb() -> float:
    """What the process holds, where the system tells it."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * resource.getpagesize() / 1e6 if statm.exists() else 0.0
