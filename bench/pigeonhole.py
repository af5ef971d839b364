"""From raw bytes to a plan, beside Dovecot Pigeonhole with the same rules and the same mail."""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import process_time

from bench import sieve_filter
from bench.apart import apart
from bench.expected import ARRIVED, NOW
from bench.figure import Figure, Section
from bench.mail import Mail
from bench.matching import as_ruleset
from bench.mix import Vocabulary, make_rules
from engine.flow.drain import BATCH
from engine.flow.guard import held
from engine.flow.plan import Judged, Plan, make_plan
from engine.mail.events import Event, EventKind
from engine.mail.message import Message
from engine.mail.mime import from_raw
from engine.rules.action import Action
from engine.rules.effects import Effect
from engine.rules.evaluate import evaluate
from engine.rules.registry import ACTIONS
from engine.rules.ruleset import RuleSet

SIZES = (10, 100, 1_000, 10_000)
ALONE = (100_000,)
"""Rules that are not asked of Pigeonhole: a round of them would take minutes."""
ROUNDS = 3
MOST_ASKED = 3_000_000
"""Questions that Pigeonhole is asked in one round."""
MAILBOX = "judged@ours.example"

Taken = tuple[float, list[list[int]]]
"""Seconds of processor time, and the numbers of the rules that hold, by message."""


@dataclass(frozen=True, slots=True)
class Done:
    """What came of so many rules: seconds of processor time for so many messages."""

    messages: int
    ours: float
    matches: float
    """By message."""
    peer: float = 0.0
    startup: float = 0.0
    """The peer's, not counted in `peer`."""
    compiled: float = 0.0
    differing: int = 0


async def measure(
    mail: Mail,
    folder: Path,
    sizes: Sequence[int] = SIZES,
    alone: Sequence[int] = ALONE,
    rounds: int = ROUNDS,
) -> Section:
    """Warm up with half of the mail and measure with the other, in turn; the best of each counts."""
    title = "Messages per second of processor time, from raw bytes to plan"
    if missing := sieve_filter.missing():
        return Section(title, (), (f"skipped: {' and '.join(missing)} of Dovecot Pigeonhole are needed",))
    figures, notes = [], []
    for bodies in (False, True):
        for size in (*sizes, *alone):
            done = apart(_measure, mail.raws, size, rounds, bodies=bodies, alone=size in alone)
            name = f"{size:,} rules{', with bodies' if bodies else ''}"
            if done.peer:
                figures.append(_figure(name, done))
            notes.append(_note(name, done))
    return Section(
        title,
        tuple(figures),
        (
            *notes,
            f"ours: parse, evaluate with reasons, plan in batches of {BATCH}, in a warm process",
            "each number of rules has a process of its own",
            "Pigeonhole: sievec once, then sieve-filter over a Maildir of files in the system's memory, "
            "without carrying out and without an index on disk, less the same over an empty mailbox",
        ),
    )


def _figure(name: str, done: Done) -> Figure:
    return Figure(name, done.messages / done.ours, done.messages / done.peer, "a second", "Pigeonhole")


def _note(name: str, done: Done) -> str:
    each = f"{name}: {1e6 * done.ours / done.messages:.0f} us, {done.matches:.2f} matches a message"
    if not done.peer:
        return f"{each}, {done.messages / done.ours:,.0f} a second; without Pigeonhole"
    return (
        f"{each}, {done.differing} of {done.messages} messages differ; Pigeonhole compiles "
        f"in {1e3 * done.compiled:.0f} ms and starts up in {1e3 * done.startup:.0f} ms"
    )


def _measure(raws: Sequence[bytes], size: int, rounds: int, *, bodies: bool, alone: bool) -> Done:
    specs = make_rules(Vocabulary([from_raw(raw, key="") for raw in raws]), size, bodies=bodies)
    known, some = raws[::2], raws[1::2][: None if alone else MOST_ASKED // size]
    rules = as_ruleset(specs, _filed)
    _ours(rules, known)
    if alone:
        return _done([_ours(rules, some) for _ in range(rounds)])
    with tempfile.TemporaryDirectory(prefix="postroom-bench-") as home:
        peer = sieve_filter.set_up(Path(home), specs, some)
        both = [(_ours(rules, some), sieve_filter.run(peer)) for _ in range(rounds)]
        startup = min(sieve_filter.run(peer, sieve_filter.EMPTY)[0] for _ in range(rounds))
    done, theirs = _done([ours for ours, _ in both]), min(taken for _, (taken, _) in both)
    (_, found), (_, expected) = both[0]
    differing = sum(one != other for one, other in zip(found, expected, strict=True))
    return replace(
        done, peer=theirs - startup, startup=startup, compiled=peer.compiled_s, differing=differing
    )


def _done(rounds: Sequence[Taken]) -> Done:
    _, found = rounds[0]
    return Done(len(found), min(taken for taken, _ in rounds), sum(map(len, found)) / len(found))


def _filed(number: int) -> Action:
    return ACTIONS["label"].model_validate({"add": [f"r{number}"]})


def _ours(rules: RuleSet, raws: Sequence[bytes]) -> Taken:
    """Time it as a worker does it, batch by batch; the collector leaves alone what was there before."""
    gc.collect()
    gc.freeze()
    began = process_time()
    plans = [_plan(rules, raws[start : start + BATCH], start) for start in range(0, len(raws), BATCH)]
    taken = process_time() - began
    gc.unfreeze()
    found: list[list[int]] = [[] for _ in raws]
    for plan in plans:
        for run in plan.runs:
            found[int(run.key)] += [int(run.rule)] if run.steps else []
    return taken, found


def _plan(rules: RuleSet, raws: Sequence[bytes], start: int) -> Plan:
    judged = [_judge(rules, raw, str(start + at)) for at, raw in enumerate(raws)]
    return make_plan(judged, rules.digest, NOW.timestamp(), _hold)


def _judge(rules: RuleSet, raw: bytes, key: str) -> Judged:
    message = from_raw(raw, key=key, labels=ARRIVED)
    event = Event(EventKind.MESSAGE_RECEIVED, MAILBOX, 1, key, labels=tuple(sorted(ARRIVED)))
    return Judged(event, message, evaluate(rules, event, message, NOW, final=True))


def _hold(rule: str, effect: Effect, message: Message, event: Event) -> str | None:
    return held(effect, message, frozenset({MAILBOX}), event.kind)
