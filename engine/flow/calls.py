"""Calls from other systems: what is written down of one before it is answered."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.flow.plan import run_id
from engine.flow.written import dump
from engine.mail.bodies import File
from engine.mail.events import SEND_LANE, SEND_REQUESTED, Event, EventKind, hook_lane

SEND_RULE = "(send)"
"""Stands for the rule in runs that API or command line asked for; no rule is called so."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call, read and verified, on its way into its lane."""

    event: Event
    digest: str
    """Of its raw bytes: by it a repetition is told from something else under the same key."""
    strict: bool = True
    """Whether a repetition must have the same bytes; else the first ones count."""
    within: int = 0
    """For so many ms the same bytes are a repetition whatever id they have; 0 where the id tells."""
    files: tuple[File, ...] = field(default=(), repr=False)
    trace: str = ""

    @property
    def lane(self) -> str:
        return lane_of(self.event)

    @property
    def id(self) -> str:
        return call_id(self.event)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a call: under which id its state is told."""

    id: str
    repeated: bool = False
    differs: bool = False
    """The same key with other bytes: nothing was taken."""


@dataclass(frozen=True, slots=True)
class CallState:
    """How far a call is."""

    lane: str
    decided: bool
    runs: tuple[str, ...] = ()


def lane_of(event: Event) -> str:
    """Name the lane of a call."""
    return hook_lane(event.kind.hook) if event.kind.hook else SEND_LANE


def call_id(event: Event) -> str:
    """Give the id under which a call's state is told: the run's own where there is but one."""
    return event.changed[0] if event.kind.hook else run_id(event.id, SEND_RULE)


def key_id(lane: str, key: str, salt: str) -> str:
    """Give the same key of the same lane the same id, so that what it sets off is the same as well.

    Runs and Message-IDs follow from it, and a bounce is believed by these: who guesses keys, such as numbers
    of orders, must not know them.
    """
    told = f"{lane}\0{key}".encode("utf-8", "surrogatepass")
    return hmac.new(salt.encode(), told, "sha256").hexdigest()[:32]


def is_call(event: Event) -> bool:
    """Whether an event came by a call."""
    return bool(event.payload) and not event.kind.of_message


def hook_event(hook: str, mailbox: str, call: str, payload: str) -> Event:
    """Make the event of a hook's call; mail because of it leaves from `mailbox`."""
    return Event(EventKind(hook_lane(hook)), mailbox, 0, changed=(call,), payload=payload)


def send_event(mailbox: str, call: str, asked: Mapping[str, object]) -> Event:
    """Make the event of one message that was asked for."""
    return Event(SEND_REQUESTED, mailbox, 0, changed=(call,), payload=dump(asked))
