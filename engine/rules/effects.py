"""The closed list of concrete things to do. Actions are many, effects are few."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Scope = Literal["message", "thread"]
"""Whether an effect reaches the message alone, or every message of its thread."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Effect(_Value):
    after: int = 0
    """Seconds that have to pass from the plan on before it is done; what stands behind it waits as well."""


class OncePer(_Value):
    """At most one such message to the same correspondent within a window (RFC 5230, section 4.2)."""

    by: Literal["sender"] = "sender"
    seconds: int


class DayTimes(_Value):
    """The next of these times of day, in the mailbox's time zone."""

    minutes: tuple[int, ...]
    """Since midnight."""
    weekdays: tuple[int, ...] = ()
    """Monday is 0; none means every day."""


class Moment(_Value):
    """One time, in epoch seconds."""

    seconds: int


class Throttle(_Effect):
    """At most so many of a step within a window, over all mailboxes; what is beyond is held."""

    at_most: int
    seconds: int
    key: str = ""
    """Each text is counted by itself; captures are already expanded."""


Switch = Literal["automated", "no_reply", "own", "vacation", "budget"]
"""What of the guard a rule may switch off."""


class ChangeLabels(_Effect):
    """Put labels on a message and take labels off, by name. Idempotent."""

    kind: Literal["labels"] = "labels"
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    scope: Scope = "message"


class DeleteMessage(_Effect):
    """Delete a message for good. Idempotent, and nothing takes it back."""

    kind: Literal["delete"] = "delete"
    scope: Scope = "message"


class CallHttp(_Effect):
    """Call another system. Keyed where the endpoint heeds its key, else once."""

    kind: Literal["http"] = "http"
    endpoint: str
    body: str = "{}"
    """JSON text, to be filled in."""
    name: str = "http"
    """What later steps call it."""
    keep: dict[str, str] = {}
    """Which parts of a JSON answer its receipt keeps: paths by name."""
    throttle: Throttle | None = None


class EmitEvent(_Effect):
    """Set off an event about the same message, once."""

    kind: Literal["event"] = "event"
    event: str
    body: str = "{}"
    """JSON text, to be filled in."""
    throttle: Throttle | None = None


class StoreFile(_Effect):
    """Save attached files, or the whole message, in a folder that the configuration names. Idempotent."""

    kind: Literal["file"] = "file"
    folder: str
    what: Literal["attachments", "message"] = "attachments"
    name: str = "{{ file.name }}"
    """A path below the folder, to be filled in."""
    only: tuple[str, ...] = ()
    """Globs of names; none means all."""


class Approval(_Value):
    """A person has to approve the very text before it is sent."""

    seconds: int = 0
    """How long it waits for that; 0 leaves it to the configuration."""
    draft: bool = False
    """Whether it lies as a draft in the mailbox: who sends it approves it, who deletes it rejects it."""


class _Templated(_Effect):
    template: str = ""
    """Empty where the message itself is sent on."""
    inputs: dict[str, str] = {}
    """Filled in: captures are already expanded."""
    reply: bool = False
    """An answer to the message that the rule matched, in its thread."""
    to: tuple[str, ...] = ()
    """Fixed recipients, from the rule alone; empty for a reply."""
    forward: Literal["", "inline", "attachment"] = ""
    """How the message that the rule matched is sent on; no template is filled in then."""


class SendMessage(_Templated):
    """Send a message from a template. Keyed by its Message-ID."""

    kind: Literal["send"] = "send"
    all: bool = False
    """A reply to everybody who was written to."""
    once_per: OncePer | None = None
    throttle: Throttle | None = None
    off: tuple[Switch, ...] = ()
    """What of the guard its rule switches off, for a stated reason."""
    approval: Approval | None = None
    at: DayTimes | Moment | None = None
    """Not before; the service keeps it until then where it can."""


class AddToSummary(_Effect):
    """Add to one message that gathers many and is sent when it is due. Done in the step that records it."""

    kind: Literal["summary"] = "summary"
    template: str
    to: tuple[str, ...]
    inputs: dict[str, str] = {}
    """What is told of this one, to be filled in."""
    key: str = ""
    """To be filled in: each key has a summary of its own."""
    every: int = 0
    """Due so many seconds after the first was added; 0 where `at` says when."""
    at: DayTimes | None = None


class SaveDraft(_Templated):
    """Leave a draft for a person. Keyed by its Message-ID."""

    kind: Literal["draft"] = "draft"


class WithdrawDraft(_Effect):
    """Delete a draft that a rule left in a thread in which a person has answered. No action asks for it."""

    kind: Literal["withdraw"] = "withdraw"
    answer: str
    """The key of what the person sent."""
    name: str
    """What the draft is remembered by in its thread."""


class Suppress(_Effect):
    """Read a bounce, and send nothing more to whom it says is gone. No action asks for it. Idempotent."""

    kind: Literal["suppress"] = "suppress"


Effect = Annotated[
    ChangeLabels
    | DeleteMessage
    | SendMessage
    | AddToSummary
    | SaveDraft
    | WithdrawDraft
    | StoreFile
    | CallHttp
    | EmitEvent
    | Suppress,
    Field(discriminator="kind"),
]
