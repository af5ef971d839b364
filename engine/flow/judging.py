"""Judge one message, and say what would have to be fetched before all is decided."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from engine.flow.asked import judge_asked
from engine.flow.bounces import bounce_match
from engine.flow.guard import SENDING
from engine.flow.holding import NO_PROFILES, Profiles
from engine.flow.rulebook import Rulebook
from engine.mail.events import SEND_REQUESTED, Event
from engine.mail.message import Message
from engine.mail.needs import Need, Needs, union
from engine.rules.evaluate import evaluate
from engine.rules.evaluation import Evaluation, judging_failed
from engine.rules.memory import UNREAD, Memory


def wanting(evaluation: Evaluation, *, shadows: bool = True) -> Needs:
    """What has to be read before all is decided: the guard reads the headers before any send.

    Without `shadows`, before all is decided on which something hangs.
    """
    needs = union(rule.needs for rule in evaluation.undecided if shadows or not rule.shadow)
    sends = any(isinstance(effect, SENDING) for match in evaluation.matches for effect in match.effects)
    return needs | {Need.HEADERS} if sends else needs


def judge_once(
    book: Rulebook,
    event: Event,
    message: Message,
    now_ms: int,
    memory: Memory = UNREAD,
    *,
    profiles: Profiles = NO_PROFILES,
    final: bool = False,
) -> Evaluation:
    """Judge one message; a defect of ours makes it undecided, never unmatched."""
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    try:
        if event.kind is SEND_REQUESTED:
            return judge_asked(event)
        evaluation = evaluate(book.rules, event, message, now, memory, final=final)
        bounce = bounce_match(book.rules, event, message, profiles)
        return replace(evaluation, matches=(*evaluation.matches, *bounce)) if bounce else evaluation
    except Exception as defect:  # noqa: BLE001 - one message must not stop a lane
        return judging_failed(defect)
