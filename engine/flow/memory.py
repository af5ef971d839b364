"""What rules remember, over a batch: looked up together, then added to message by message.

It is written in the batch's own commit, so that a crash counts a message neither twice nor not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from engine.flow.hydrate import Looked
from engine.flow.plan import Judged, Plan
from engine.flow.stores import Memories, Queued
from engine.mail.events import EventKind
from engine.rules.conditions.thread import answered
from engine.rules.effects import SendMessage
from engine.rules.memory import Kept, Ledger, Seen, who
from engine.rules.ruleset import RuleSet

ANSWERED_MS = 7 * 86_400_000
"""By then an answer is sent, and the thread itself shows it, or a person has the run."""


async def judge_remembering(
    lanes: Memories, lane: str, looked: Sequence[Looked], judge: Callable[[Ledger], list[Judged]]
) -> tuple[list[Judged], Ledger]:
    """Judge a batch in order with what its rules remember.

    That takes one look-up, and another only where what came of it lets a rule be asked that was not before.
    """
    known: dict[str, Kept] = {}
    wanted = {key for one in looked if one.evaluation for key in one.evaluation.unread}
    while True:
        if wanted:
            known |= await lanes.recall(lane, sorted(wanted))
        ledger = Ledger(whole=False)
        ledger.learn(known)
        judged = judge(ledger)
        wanted = {key for item in judged for key in item.evaluation.unread} - known.keys()
        if not wanted:
            return judged, ledger


def awaits_answers(rules: RuleSet, lane: str) -> bool:
    """Whether it matters to a rule of a mailbox what we answered in a message's thread."""
    kinds = (*EventKind, *rules.schedules, *rules.unanswered(lane))
    return any(rules.audience(kind, lane).awaits_answers for kind in kinds)


def answers(judged: Sequence[Judged], plan: Plan, now: int) -> Iterator[Seen]:
    """Give what to remember of the answers that a batch decided on: they are sent a little later."""
    threads = {item.event.id: item.message.thread for item in judged if item.message and item.message.thread}
    for run in plan.runs:
        if run.shadow:
            continue
        replies = (
            step
            for step, effect in enumerate(run.steps)
            if isinstance(effect, SendMessage) and effect.reply and step not in run.held
        )
        if run.event in threads and any(True for _ in replies):
            yield Seen(answered(threads[run.event]), (now, who(run.event)), 1, ANSWERED_MS)


def until_same_thread(queued: Sequence[Queued], rules: RuleSet) -> list[Queued]:
    """Cut a batch before the second event of a thread, which has to see what the first one sets off."""
    events = [one.event for one in queued]
    threads = [event.thread if rules.listens(event.kind, event.mailbox) else "" for event in events]
    return list(queued[: _second(threads)])


def until_same_thread_read(looked: Sequence[Looked]) -> list[Looked]:
    """The same where events name no thread, as those of a listing: messages do."""
    threads = [one.message.thread if one.message else "" for one in looked]
    return list(looked[: _second(threads)])


def _second(threads: Sequence[str]) -> int:
    """Where a thread comes for the second time, else the end."""
    seen: set[str] = set()
    for at, thread in enumerate(threads):
        if thread and thread in seen:
            return at
        seen.add(thread)
    return len(threads)


def to_write(ledger: Ledger, now: int) -> Mapping[str, tuple[Kept, int]]:
    """Give what is to be written, each with how long it lives, in ms."""
    return {key: (kept, kept.lives(now)) for key, kept in ledger.changed.items()}
