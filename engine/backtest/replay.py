"""Go through judged messages in the order of their arrival, with a memory that begins empty."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from engine.backtest.judging import Judging
from engine.backtest.outcome import Act, Looked, Outcome, Ran
from engine.backtest.spill import load
from engine.backtest.threads import Threads
from engine.flow.memory import ANSWERED_MS
from engine.mail.message import Message
from engine.rules.conditions.thread import answered
from engine.rules.memory import Ledger, Seen, who

TOO_SOON = "this correspondent was answered by this rule within its window"
FEW = 1_000


class Answers:
    """Who was answered, until when that counts."""

    def __init__(self) -> None:
        self._until: dict[str, int] = {}
        self._forget_at = FEW

    def again(self, key: str, at: int, window: int) -> bool:
        """Whether it is too soon to answer again; if not, this answer counts."""
        if self._until.get(key, at) > at:
            return True
        self._until[key] = at + window
        if len(self._until) > self._forget_at:
            self._until = {key: until for key, until in self._until.items() if until > at}
            self._forget_at = max(FEW, 2 * len(self._until))
        return False


class Replay:
    """The memory of each version, which a simulated clock goes through."""

    def __init__(self, judging: Judging) -> None:
        self._judging = judging
        self._versions = range(len(judging.rulesets))
        self._ledgers = [Ledger() for _ in self._versions]
        self._answers = [Answers() for _ in self._versions]
        self._threads = Threads()

    def settle(self, looked: Looked) -> tuple[Outcome, ...]:
        """Say what each version does with the next message, and remember it."""
        looked = self._in_its_thread(looked)
        return tuple(self._settle(at, looked) for at in self._versions)

    def _in_its_thread(self, looked: Looked) -> Looked:
        if looked.thread or not looked.ids:
            return looked
        thread, seen = self._threads.join(looked.headline.name, looked.ids, ours=looked.ours)
        return replace(looked, thread=thread, conversation=seen)

    def _settle(self, version: int, looked: Looked) -> Outcome:
        outcome = looked.outcomes[version]
        if outcome is None or self._remembers(version, outcome.unless, looked.headline.at):
            outcome = self._judge(version, looked)
        self._ledgers[version].add(outcome.remembered)
        outcome = replace(outcome, runs=tuple(self._guarded(version, looked, outcome)))
        self._note_answers(version, looked, outcome)
        return outcome

    def _remembers(self, version: int, keys: frozenset[str], at: int) -> bool:
        """Whether any of the keys was seen, and that still counts."""
        kept = self._ledgers[version].memory.kept
        found = (kept[key] for key in keys if key in kept)
        return any(one.sightings and one.sightings[-1][0] + one.window >= at for one in found)

    def _judge(self, version: int, looked: Looked) -> Outcome:
        if looked.message is None:
            raise ValueError("a message that has to be judged again came without its text")
        message: Message = load(looked.message)
        if looked.conversation is not None:
            message = replace(message, thread=looked.thread, _conversation=looked.conversation)
        memory = self._ledgers[version].memory
        evaluation = self._judging.judge(version, message, memory, final=True)
        return self._judging.outcome(version, message, evaluation)

    def _guarded(self, version: int, looked: Looked, outcome: Outcome) -> Iterator[Ran]:
        for ran in outcome.runs:
            acts = tuple(self._once(version, act, looked.headline.at) for act in ran.acts)
            yield ran if acts == ran.acts else Ran(ran.rule, acts)

    def _once(self, version: int, act: Act, at: int) -> Act:
        if act.held or not act.once or not self._answers[version].again(act.once, at, act.window):
            return act
        return replace(act, held=TOO_SOON)

    def _note_answers(self, version: int, looked: Looked, outcome: Outcome) -> None:
        if not self._judging.awaits_answers[version] or not looked.thread:
            return
        if any(act.replies and not act.held for ran in outcome.runs for act in ran.acts):
            sighting = (looked.headline.at, who(looked.headline.name))
            self._ledgers[version].add([Seen(answered(looked.thread), sighting, 1, ANSWERED_MS)])
