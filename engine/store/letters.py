"""Messages that wait for a person, as API and command line show them, and what became of a decision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.flow.approvals import Answer, Letter
from engine.flow.rewriting import bodies
from engine.mail.mime import from_raw
from engine.store.approvals import RedisApprovals
from engine.store.journal import RedisJournal
from engine.store.shown import as_time

MAX_BY, MAX_REASON = 100, 200
"""Characters of a name and of a reason: both go into the journal."""


def in_short(letter: Letter) -> dict[str, Any]:
    """A message as a list shows it."""
    about = letter.about
    edited = {"edited_by": letter.edited_by} if letter.edited_by else {}
    draft = {"draft": letter.draft} if letter.draft else {}
    return {
        "run": letter.run,
        "state": letter.standing.value,
        "mailbox": about.mailbox,
        "rule": about.rule,
        "to": list(about.to),
        "subject": about.subject,
        "asked": as_time(letter.asked / 1000),
        "expires": as_time(letter.expires / 1000),
        "edition": letter.edition,
        **edited,
        **draft,
    }


def in_full(letter: Letter) -> dict[str, Any]:
    """The whole message: what will be sent, files by name, type and size."""
    message = from_raw(letter.raw, key=letter.run)
    text, html = bodies(letter.raw)
    files = [{"name": one.name, "type": one.type, "size": one.size} for one in message.attachments]
    named = {
        name.lower().replace("-", "_"): message.headers.text(name) for name in ("From", "Cc", "Reply-To")
    }
    return (
        in_short(letter)
        | {name: said for name, said in named.items() if said}
        | {
            "text": text,
            "html": html,
            "files": files,
        }
    )


def one_line(text: str, limit: int) -> str:
    """Make one printable line of what a person wrote, for receipts and screens."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:limit]


async def became(approvals: RedisApprovals, journal: RedisJournal, run: str, answer: Answer) -> str:
    """Say in words what stands in the way of a decision."""
    if answer is Answer.LATE:
        return "it has expired, and is not sent"
    if answer is Answer.ELSEWHERE:
        return "it lies as a draft in the mailbox: send it there, or delete it"
    if answer is Answer.CHANGED:
        return "it was edited meanwhile: read it again"
    letter = await approvals.get(run)
    if letter and letter.at:
        return said(letter.told())
    recorded = await journal.get(run)
    receipts = recorded.receipts.values() if recorded else ()
    return next((said(one) for one in receipts if "approval" in one), "no message of this run waits")


def said(receipt: Mapping[str, str]) -> str:
    """Tell a decision: `approved by ann at …`."""
    by = f" by {receipt['by']}" if receipt.get("by") else ""
    edited = f", edited by {receipt['edited_by']}" if receipt.get("edited_by") else ""
    return f"it was {receipt['approval']}{by} at {receipt['at']}{edited}"
