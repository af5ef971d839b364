"""Every error that Postroom raises on purpose.

    PostroomError
    ├── RuleError                 the author can fix it: file, line, column, path, what to do
    ├── SettingsError             the operator can fix it: postroom.yaml or the environment
    ├── ConditionError            a condition could not be judged: undecided, never "no match"
    │   ├── Missing               a need was not fetched yet; one more fetch settles it
    │   └── Unreadable            a need can never be read (broken, encrypted)
    ├── TemplateError             a template could not be rendered
    ├── ProviderError
    │   ├── Unauthorized          the credentials are refused; the mailbox is paused
    │   │   └── ConsentGone       a user's consent has ended: only that user can give it again
    │   ├── Inactive              the service has put the mailbox out of use; it is paused
    │   ├── CursorExpired         the history no longer reaches back to our cursor
    │   ├── MessageGone           the message was deleted before we could read it
    │   ├── RateLimited           try again at `until`
    │   ├── Unavailable           the call certainly did nothing; try again
    │   │   └── Unfinished        a look-up got further but not to its end; go on soon
    │   ├── Rejected              the call is wrong and stays wrong
    │   └── OutcomeUnknown        the call may have worked: look it up before any second try
    ├── WebhookError
    │   ├── Forged                the signature does not match
    │   ├── Stale                 signed too long ago
    │   └── Malformed             signed, and not what it should be
    └── StoreError
        └── LeaseLost             another worker has taken the lane

An error says what to do next and never holds a secret or message text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.mail.needs import Need


class PostroomError(Exception):
    """The root: catching it catches what we foresaw."""


@dataclass(frozen=True)
class Place:
    """Where in a file something stands; line and column count from 1, 0 means unknown."""

    file: str
    line: int = 0
    column: int = 0
    path: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{where} {self.path}".rstrip()


class RuleError(PostroomError):
    """A rule or template file is wrong; its author can fix it."""

    def __init__(self, message: str, place: Place) -> None:
        super().__init__(f"{place}: {message}")
        self.message = message
        self.place = place


class SettingsError(PostroomError):
    """The configuration is wrong; the message names the key and what to write."""


class ConditionError(PostroomError):
    """A condition could not be judged, so the rule is undecided."""


class Missing(ConditionError):
    """A need that was not fetched yet."""

    def __init__(self, need: Need) -> None:
        super().__init__(f"{need} was not fetched")
        self.need = need


class Unreadable(ConditionError):
    """A need that no further fetch can supply."""

    def __init__(self, need: Need, reason: str) -> None:
        super().__init__(f"{need} cannot be read: {reason}")
        self.need = need
        self.reason = reason


class TemplateError(PostroomError):
    """A template could not be rendered; the message names template, line and what is missing."""


class ProviderError(PostroomError):
    """A call to a mail service failed; `tracking` is the service's own id of the call."""

    def __init__(self, message: str, *, tracking: str = "") -> None:
        super().__init__(f"{message} (tracking id {tracking})" if tracking else message)
        self.tracking = tracking


class Unauthorized(ProviderError):
    """The credentials are refused."""


class Inactive(ProviderError):
    """The service says that the mailbox is not in use: suspended, read-only, on its way out."""


class ConsentGone(Unauthorized):
    """A user's consent has ended, and only that user can give it again."""


class CursorExpired(ProviderError):
    """The history no longer reaches back to the cursor."""


class MessageGone(ProviderError):
    """The message is no longer there."""


class RateLimited(ProviderError):
    """The service or our own rate budget says: not before `until` (epoch seconds)."""

    def __init__(self, message: str, *, until: float, tracking: str = "") -> None:
        super().__init__(message, tracking=tracking)
        self.until = until


class Unavailable(ProviderError):
    """The service did not take the call."""


class Unfinished(Unavailable):
    """A look-up got further, but not to its end: the next one goes on there."""


class Rejected(ProviderError):
    """The service refuses the call for good."""


class OutcomeUnknown(ProviderError):
    """The answer was lost: whether the call worked must be looked up."""


class WebhookError(PostroomError):
    """A webhook that is not taken."""


class Forged(WebhookError):
    """The signature is missing or does not match the raw bytes."""


class Stale(WebhookError):
    """The signature is right, its timestamp too old."""


class Malformed(WebhookError):
    """Signed, and not what it should be."""


class StoreError(PostroomError):
    """Redis holds something else than expected."""


class LeaseLost(StoreError):
    """Another worker holds the lane: stop at once, commit nothing."""
