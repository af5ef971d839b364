"""What carrying out a run needs, and what one step of it is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from engine.errors import PostroomError
from engine.flow.approvals import Approvals
from engine.flow.clock import Clock, now_ms
from engine.flow.drafts import Drafts
from engine.flow.gate import Gate
from engine.flow.mailboxes import Mailboxes
from engine.flow.outside import Endpoints, Folders
from engine.flow.plan import Run
from engine.flow.ports import Profile, Provider
from engine.flow.rulebook import Rulebooks
from engine.flow.stores import Claim, Journal
from engine.flow.summaries import Summaries
from engine.flow.suppression import Suppressions
from engine.rules.budgets import DEFAULTS as BUDGETS
from engine.rules.budgets import Budgets

Receipt = Mapping[str, str]
CLOCKS_MS = 60_000
"""How far the service's clock may be behind ours."""
LATER_MS = 60_000
"""When to ask again where nobody knows how long it takes."""


@dataclass(frozen=True)
class Executing:
    """What carrying out a run needs; times in ms."""

    journal: Journal
    mailboxes: Mailboxes
    books: Rulebooks
    provider: Callable[[str], Provider]
    """The provider of a mailbox."""
    folders: Folders
    endpoints: Endpoints
    approvals: Approvals
    drafts: Drafts
    summaries: Summaries
    gate: Gate
    suppressions: Suppressions
    timeout: int = 20_000
    """From claim to deadline: no request of a step is begun after it."""
    margin: int = 60_000
    """How long after a deadline a second attempt waits for a request that may still be on its way."""
    look_gap: int = 5_000
    approve_within: int = 3 * 86_400_000
    """How long a message waits for approval, where its rule does not say."""
    clock: Clock = now_ms
    budgets: Budgets = BUDGETS


@dataclass(frozen=True, slots=True)
class Work:
    """One claimed step and what it may use."""

    executing: Executing
    provider: Provider
    claim: Claim
    step: int
    profiles: Mapping[str, Profile]

    @property
    def run(self) -> Run:
        return self.claim.run

    async def note(self, text: str) -> str:
        """Write down what the step has to know of the time before it; the first note stands.

        Raises Unavailable when the claim is somebody else's by now.
        """
        return await self.executing.journal.note(self.claim, self.step, text)


class NotYetError(PostroomError):
    """The step has to wait for something that takes its time, and has not begun.

    `until` says for how long (epoch ms) where it is to wait for a time; 0 where that is not known, and it is
    then asked for again after `pause` ms.
    """

    def __init__(self, message: str, until: int = 0, pause: int = LATER_MS) -> None:
        super().__init__(message)
        self.until, self.pause = until, pause


class AwaitingError(PostroomError):
    """The step waits for a person until `until` (epoch ms), and its claim is given back."""

    def __init__(self, until: int) -> None:
        super().__init__("it waits for a person")
        self.until = until
