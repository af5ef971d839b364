"""Whether a redacted message is to the rules what the real one is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from engine.mail.events import Event
from engine.mail.message import Message
from engine.mail.mime import MimePart, from_raw, parse
from engine.record.kept import Kept
from engine.record.redact import redact
from engine.rules.evaluate import evaluate
from engine.rules.memory import EMPTY
from engine.rules.ruleset import RuleSet

SEEDS = (0, 1, 2, 3, 5, 8, 13, 21)
"""Ways to choose words; a word may by chance be one that a rule looks for."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A redacted message, and what it does not show that the real one did."""

    raw: bytes
    matched: tuple[str, ...]
    """Rules that match it."""
    differing: tuple[str, ...] = ()
    """Rules that judge it otherwise than the real one."""
    structure: bool = True
    """Whether it has the same parts."""

    @property
    def faithful(self) -> bool:
        return self.structure and not self.differing


def record(raw: bytes, ruleset: RuleSet, like: Message, event: Event, now: datetime) -> Recorded:
    """Redact a message so that all rules judge it as they judge the real one, as far as that can be.

    `like` gives what a file does not tell: mailbox, labels and time of arrival.
    """
    kept = Kept(ruleset, ruleset.homes.of(event.mailbox).authserv_ids)
    before, shape = _verdicts(raw, ruleset, like, event, now), _shape(parse(raw))
    tried: list[Recorded] = []
    for seed in SEEDS:
        other = redact(raw, kept, seed)
        after = _verdicts(other, ruleset, like, event, now)
        differing = tuple(rule.id for rule in ruleset.rules if before.get(rule.id) != after.get(rule.id))
        matched = tuple(name for name, verdict in after.items() if verdict == "matched")
        found = Recorded(other, matched, differing, _shape(parse(other)) == shape)
        tried.append(found)
        if found.faithful:
            break
    return max(tried, key=lambda each: (each.structure, -len(each.differing)))


def _verdicts(raw: bytes, ruleset: RuleSet, like: Message, event: Event, now: datetime) -> dict[str, str]:
    message = from_raw(
        raw,
        key=like.key,
        mailbox=like.mailbox,
        thread=like.thread,
        labels=like.labels,
        received=like.received,
    )
    found = evaluate(ruleset, event, message, now, EMPTY, final=True)
    return {match.rule: "matched" for match in found.matches} | {
        each.rule: "undecided" for each in found.undecided
    }


def _shape(part: MimePart) -> tuple[object, ...]:
    """What of a message's parts stays the same: types, sizes, names of fields, lengths of file names."""
    fields = tuple(name.lower() for name, _ in part.headers)
    inner = tuple(_shape(each) for each in part.parts)
    return part.type, len(part.filename), part.size, fields, inner
