"""Runs as machines read them: `postroom runs --json`, and the API."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from engine.flow.calls import CallState
from engine.flow.inverse import UNDO, dumped, way_back
from engine.flow.recorded import Recorded, Undone
from engine.store.calls import RedisCalls
from engine.store.journal import RedisJournal


def as_dict(recorded: Recorded) -> dict[str, Any]:
    """A run as machines read it."""
    run = recorded.run
    return {
        "run": run.id,
        "state": recorded.state,
        "shadow": run.shadow,
        "rule": run.rule,
        "mailbox": run.mailbox,
        "event": run.kind,
        "message": run.key,
        "created": as_time(run.created),
        "rules": run.digest,
        "attempts": recorded.attempts,
        "why": recorded.why,
        "captures": run.captures,
        "undone": _undone(recorded.undone),
        "steps": [
            {"effect": effect.model_dump(), "receipt": _receipt(recorded, step)}
            for step, effect in enumerate(run.steps)
        ],
    }


def _receipt(recorded: Recorded, step: int) -> dict[str, str]:
    """A receipt with what takes its step back, whether that is written down or follows from the run."""
    receipt, back = recorded.receipts.get(step, {}), way_back(recorded, step)
    return {**receipt, UNDO: dumped(back)} if back else dict(receipt)


def _undone(undone: Undone | None) -> dict[str, Any] | None:
    if undone is None:
        return None
    return {"at": as_time(undone.at / 1000), "by": undone.by, "left": list(undone.left)}


def as_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


async def tell(journal: RedisJournal, calls: RedisCalls, asked: str) -> dict[str, Any] | None:
    """How far a run is, or a call with all its runs; None for what nobody knows."""
    if recorded := await journal.get(asked):
        return as_dict(recorded)
    state = await calls.state(asked)
    if state is None:
        return None
    found = [recorded for run in state.runs if (recorded := await journal.get(run))]
    return {"run": asked, "state": _state(state, found), "runs": [as_dict(one) for one in found]}


def _state(call: CallState, runs: list[Recorded]) -> str:
    """`queued` before rules were asked; else the state of the run that is furthest from done."""
    if not call.decided:
        return "queued"
    states = {one.state for one in runs}
    return next((state for state in ("dead", "planned", "open") if state in states), "done")
