"""What stands before every send: whom we never answer by machine (RFC 3834, section 2)."""

from __future__ import annotations

from datetime import datetime

from engine.flow.sift import RECEPTIONS
from engine.flow.writers import OUR_MESSAGE_ID, refers_to_ours
from engine.mail.address import Address
from engine.mail.automated import automated, is_no_reply
from engine.mail.compose import answer_to
from engine.mail.events import EventKind
from engine.mail.message import Message
from engine.rules.effects import AddToSummary, Effect, SendMessage, Switch

SENDING = (SendMessage, AddToSummary)
"""Effects because of which mail leaves."""
ECHOES = frozenset({"auto_reply", "bounce"})
"""What machines send because they got mail."""
Off = tuple[Switch, ...]


def held(
    effect: Effect,
    message: Message,
    own: frozenset[str],
    kind: EventKind = EventKind.MESSAGE_RECEIVED,
    *,
    away: bool = False,
) -> str | None:
    """Say why this effect must not be performed, or None.

    `own` holds our addresses in normal form; `away` says that the mailbox answers by itself.
    """
    if not isinstance(effect, SENDING):
        return None
    if isinstance(effect, AddToSummary):
        return _held_notice(message, own, ()) or _held_echo(message)
    off = effect.off
    if not effect.reply:
        return _held_notice(message, own, off) or _held_echo(message)
    if kind is EventKind.MESSAGE_IMPORTED:
        return "imported mail is never answered"
    if away and "vacation" not in off:
        return "the mailbox's own vacation reply is on"
    why = _held_kind(message, off) or _held_address(answer_to(message), message, own, off)
    return why or _held_echo(message)


def _held_kind(message: Message, off: Off) -> str | None:
    if "SPAM" in message.labels:
        return "spam is never answered"
    if "automated" not in off and (kinds := automated(message.headers)):
        return f"automated mail ({', '.join(sorted(kinds))}) is never answered"
    return None


def _held_notice(message: Message, own: frozenset[str], off: Off) -> str | None:
    """A notice to somebody else: never about our own mail or its echo, lest it chases itself."""
    if "own" not in off and _is_own(message.addresses("From"), own):
        return "it comes from ourselves"
    echoes = automated(message.headers) & ECHOES if "automated" not in off else frozenset()
    return f"nothing is sent because of an echo ({', '.join(sorted(echoes))})" if echoes else None


def _held_echo(message: Message) -> str | None:
    """Our own automatic mail, or a machine's answer to it: no rule switches this off, lest a loop begins."""
    if OUR_MESSAGE_ID in message.message_id:
        return "it is automatic mail of our own that comes back"
    if automated(message.headers) & ECHOES and refers_to_ours(message):
        return "it is a machine's answer to automatic mail of our own"
    return None


def too_late(effect: Effect, message: Message, kind: EventKind, oldest: datetime) -> str | None:
    """Say that nothing is sent about an arrival of before `oldest`; what a person does to old mail counts."""
    if not isinstance(effect, SENDING) or kind not in RECEPTIONS or message.received is None:
        return None
    if message.received >= oldest:
        return None
    return f"it arrived on {message.received:%Y-%m-%d}, longer ago than `answer_within`"


def once_key(mailbox: str, rule: str, effect: SendMessage, message: Message) -> str:
    """What `once_per: sender` remembers: the correspondent and the unexpanded template (RFC 5230, 4.2)."""
    return once_name(mailbox, rule, effect.template, answer_to(message))


def once_name(mailbox: str, rule: str, template: str, address: Address | None) -> str:
    """Name what is remembered of an answer; a fresh tag is no other correspondent."""
    return f"{mailbox}:{rule}:{template}:{address.untagged if address else ''}"


def _held_address(to: Address | None, message: Message, own: frozenset[str], off: Off) -> str | None:
    if to is None:
        return "there is no address to answer"
    if "own" not in off and _is_own((to, *message.addresses("From")), own):
        return "it comes from ourselves"
    if "no_reply" not in off and is_no_reply(to.address):
        return "a no-reply address is never answered"
    return None


def _is_own(addresses: tuple[Address, ...], own: frozenset[str]) -> bool:
    return any(not own.isdisjoint((address.normal, address.untagged)) for address in addresses)
