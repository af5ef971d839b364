"""Call other systems: with the same key at every attempt, and never twice where that key is not heeded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from engine.errors import Rejected, TemplateError
from engine.flow.content import NOTHING_ALONG, Content
from engine.flow.executing import Receipt, Work
from engine.flow.inverse import CALLED, no_way_back
from engine.flow.passing import throttled
from engine.flow.stores import Claim
from engine.mail.message import Message, no_message
from engine.mail.needs import Need
from engine.rules.effects import CallHttp, StoreFile
from engine.rules.filling import Read, fill_json, uses_message

MAX_KEPT = 500
"""Characters of one value that is kept of an answer."""
MAX_TEXT = 50_000
LOST = (
    "whether the call was made cannot be known, and the endpoint does not heed Idempotency-Key: look there, "
    "then dismiss the run or replay it"
)


async def call(work: Work, effect: CallHttp) -> Receipt:
    """Call an endpoint. Raises Rejected where an earlier call may have gone out and none may follow."""
    endpoints, claim, run = work.executing.endpoints, work.claim, work.run
    if _may_have_gone_out(claim) and not endpoints.heeds_keys(effect.endpoint):
        raise Rejected(LOST)
    body = await filled(work, effect.body)
    if why := await throttled(work, effect):
        return {"outcome": "held", "why": why}
    sent = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    status, answer = await endpoints.call(effect.endpoint, sent, f"{run.id}-{work.step}")
    return {"outcome": "done", "status": str(status), **_kept(effect.keep, answer), **no_way_back(CALLED)}


async def filled(work: Work, text: str) -> Any:
    """Fill a JSON text of a rule's. Raises Rejected where it names something that is not there."""
    parts = uses_message(text)
    message = await _message(work, parts) if parts else no_message(work.run.mailbox)
    try:
        return fill_json(json.loads(text), _reader(work.claim, message))
    except LookupError as error:
        raise Rejected(f"the rule's JSON names something that is not there: {error}") from None


def along_with(claim: Claim) -> Content:
    """Give what a call brought along. Raises TemplateError when that is no longer there."""
    if claim.content is None and not claim.run.kind.of_message:
        raise TemplateError("what the call brought along is no longer kept: have it called again")
    return claim.content or NOTHING_ALONG


def named_steps(claim: Claim) -> dict[str, dict[str, str]]:
    """Receipts of earlier steps, by their number and, of those that have one, by their name."""
    found = {str(step): dict(receipt) for step, receipt in claim.receipts.items()}
    for step, receipt in claim.receipts.items():
        effect = claim.run.steps[step]
        if isinstance(effect, CallHttp):
            found[effect.name] = dict(receipt)
        elif isinstance(effect, StoreFile):
            found["save"] = dict(receipt)
    return found


def _may_have_gone_out(claim: Claim) -> bool:
    """Whether an attempt was lost; when a person opens the run again, the first one is that person's wish."""
    return claim.unknown and (claim.attempt > 1 or (claim.doubtful and not claim.replayed))


async def _message(work: Work, parts: frozenset[str]) -> Message:
    needs = frozenset({Need.HEADERS, Need.BODY} if "text" in parts else {Need.HEADERS})
    return await work.provider.fetch(work.run.mailbox, work.run.key, needs)


def _reader(claim: Claim, message: Message) -> Read:
    run = claim.run
    alone: Mapping[str, Any] = {"mailbox": run.mailbox, "rule": run.rule, "run": run.id}
    steps = named_steps(claim)
    payload = json.loads(claim.content.payload) if claim.content and claim.content.payload else {}

    def read(owner: str, path: tuple[str, ...]) -> Any:
        if owner == "message":
            return _part(message, path[0])
        if owner == "captures":
            return run.captures.get(path[0], "")
        if owner == "steps":
            return steps[path[0]][path[1]]
        return reached(payload, path) if owner == "payload" else alone[owner]

    return read


def _part(message: Message, part: str) -> str:
    sender = next(iter(message.addresses("From")), None)
    if part in ("sender", "domain"):
        found = (sender.address if part == "sender" else sender.domain) if sender else ""
    elif part == "date":
        found = (message.received or datetime.fromtimestamp(0, UTC)).isoformat()
    else:
        found = str(getattr(message, part))
    return found[:MAX_TEXT]


def reached(value: Any, path: tuple[str, ...]) -> Any:
    """Follow a path of keys and indexes through JSON. Raises LookupError where it ends."""
    for step in path:
        if isinstance(value, dict):
            value = value[step]
        elif isinstance(value, list) and step.isdigit() and len(step) < 6:
            value = value[int(step)]
        else:
            raise LookupError(".".join(path))
    return value


def _kept(keep: Mapping[str, str], answer: bytes) -> dict[str, str]:
    """What later steps may use; a path that leads nowhere keeps nothing."""
    kept: dict[str, str] = {}
    try:
        value = json.loads(answer) if keep else None
    except (ValueError, RecursionError):
        return kept
    for name, path in keep.items():
        try:
            found = reached(value, tuple(path.split(".")))
        except LookupError:
            continue
        if isinstance(found, str | int | float):
            text = found if isinstance(found, str) else json.dumps(found)
            kept[name] = "".join(char if char.isprintable() else " " for char in text)[:MAX_KEPT]
    return kept
