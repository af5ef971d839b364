"""Parsing a raw message into what rules read, beside the standard library with its modern policy."""

from __future__ import annotations

from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from time import process_time

from bench.figure import Figure, Section
from bench.mail import Mail
from engine.mail.mime import from_raw

ROUNDS = 3


async def measure(mail: Mail, folder: Path) -> Section:
    """Read headers, text and attachments of every message with both, in turn; the best of each counts."""
    broken = sum(not _stdlib(raw) for raw in mail.raws)
    rounds = [(_seconds(mail, _ours), _seconds(mail, _stdlib)) for _ in range(ROUNDS)]
    ours, stdlib = (len(mail.raws) / min(times) for times in zip(*rounds, strict=True))
    return Section(
        "Messages parsed per second of processor time: headers, text, attachments",
        (Figure("engine.mail.mime", ours, stdlib, "a second", "email, policy.default"),),
        (f"the standard library gives up with an error on {broken} of {len(mail.raws)}, ours on none",),
    )


def _seconds(mail: Mail, parse: Callable[[bytes], object]) -> float:
    began = process_time()
    for raw in mail.raws:
        parse(raw)
    return process_time() - began


def _ours(raw: bytes) -> object:
    message = from_raw(raw, key="")
    return (
        message.subject,
        message.addresses("From"),
        message.addresses("To"),
        message.text,
        message.attachments,
    )


def _stdlib(raw: bytes) -> bool:
    """Do the same; False where it fails."""
    try:
        message: EmailMessage = message_from_bytes(raw, policy=policy.default)
        _ = message["Subject"], message["From"], message["To"]
        body = message.get_body(("plain", "html"))
        _ = body and body.get_content()
        _ = [(part.get_filename(), part.get_payload(decode=True)) for part in message.iter_attachments()]
    except Exception:  # noqa: BLE001 - it raises whatever it meets, by kind of damage
        return False
    return True
