"""The calls of Zoom Mail, with what the reference and its rate limits say of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import quote

from engine.errors import CursorExpired, MessageGone, ProviderError, Rejected
from engine.net.failures import Call

LIGHT, MEDIUM, HEAVY = "LIGHT", "MEDIUM", "HEAVY"


class NameTaken(Rejected):
    """A label of that name is there already."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One call below the mailbox's root; `{}` in its path stands for one id each."""

    name: str
    method: str
    path: str
    rate: str
    idempotent: bool = True
    """Whether a second try does no harm. Nothing that makes something anew has an idempotency key."""
    gone: type[ProviderError] = MessageGone
    taken: type[ProviderError] = Rejected
    call: Call = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "call", Call(self.name, self.idempotent, self.gone, self.taken))

    def address(self, mailbox: str, ids: tuple[str, ...]) -> str:
        """Give the path with every part quoted. Raises Rejected for what cannot stand in a path."""
        for part in (mailbox, *ids):
            if part in ("", ".", ".."):
                raise Rejected(f"{self.name}: {part!r} is no mailbox, message or label")
        tail = self.path.format(*(_quoted(part) for part in ids))
        return f"/emails/mailboxes/{_quoted(mailbox)}/{tail}"


@lru_cache(maxsize=1_000)
def _quoted(part: str) -> str:
    return quote(part, safe="@", errors="replace")


PROFILE = Operation("profile", "GET", "profile", LIGHT, gone=Rejected)
HISTORY = Operation("history", "GET", "history", LIGHT, gone=CursorExpired)

LIST_MESSAGES = Operation("messages.list", "GET", "messages", MEDIUM, gone=Rejected)
GET_MESSAGE = Operation("messages.get", "GET", "messages/{}", LIGHT)
GET_ATTACHMENT = Operation("attachments.get", "GET", "messages/{}/attachments/{}", MEDIUM)
INSERT = Operation("messages.insert", "POST", "messages", MEDIUM, idempotent=False, gone=Rejected)
SEND = Operation("messages.send", "POST", "messages/send", MEDIUM, idempotent=False, gone=Rejected)
MODIFY = Operation("messages.modify", "POST", "messages/{}/modify", MEDIUM)
BATCH_MODIFY = Operation("messages.batchModify", "POST", "messages/batchModify", HEAVY, gone=Rejected)
TRASH = Operation("messages.trash", "POST", "messages/{}/trash", LIGHT)
UNTRASH = Operation("messages.untrash", "POST", "messages/{}/untrash", LIGHT)
DELETE = Operation("messages.delete", "DELETE", "messages/{}", LIGHT)
BATCH_DELETE = Operation("messages.batchDelete", "POST", "messages/batchDelete", MEDIUM, gone=Rejected)

LIST_DRAFTS = Operation("drafts.list", "GET", "drafts", MEDIUM, gone=Rejected)
CREATE_DRAFT = Operation("drafts.create", "POST", "drafts", MEDIUM, idempotent=False, gone=Rejected)
GET_DRAFT = Operation("drafts.get", "GET", "drafts/{}", LIGHT)
UPDATE_DRAFT = Operation("drafts.update", "PUT", "drafts/{}", MEDIUM)
SEND_DRAFT = Operation("drafts.send", "POST", "drafts/send", MEDIUM, idempotent=False)
DELETE_DRAFT = Operation("drafts.delete", "DELETE", "drafts/{}", LIGHT)

LIST_THREADS = Operation("threads.list", "GET", "threads", MEDIUM, gone=Rejected)
GET_THREAD = Operation("threads.get", "GET", "threads/{}", LIGHT)
MODIFY_THREAD = Operation("threads.modify", "POST", "threads/{}/modify", MEDIUM)
TRASH_THREAD = Operation("threads.trash", "POST", "threads/{}/trash", MEDIUM)
UNTRASH_THREAD = Operation("threads.untrash", "POST", "threads/{}/untrash", MEDIUM)
DELETE_THREAD = Operation("threads.delete", "DELETE", "threads/{}", MEDIUM)

LIST_LABELS = Operation("labels.list", "GET", "labels", MEDIUM, gone=Rejected)
GET_LABEL = Operation("labels.get", "GET", "labels/{}", LIGHT, gone=Rejected)
CREATE_LABEL = Operation("labels.create", "POST", "labels", LIGHT, gone=Rejected, taken=NameTaken)
UPDATE_LABEL = Operation("labels.update", "PUT", "labels/{}", LIGHT, gone=Rejected, taken=NameTaken)
PATCH_LABEL = Operation("labels.patch", "PATCH", "labels/{}", LIGHT, gone=Rejected, taken=NameTaken)
DELETE_LABEL = Operation("labels.delete", "DELETE", "labels/{}", LIGHT, gone=Rejected)

GET_VACATION = Operation("vacation.get", "GET", "settings/vacation", LIGHT, gone=Rejected)
UPDATE_VACATION = Operation("vacation.update", "PUT", "settings/vacation", LIGHT, gone=Rejected)

LIST_DELEGATES = Operation("delegates.list", "GET", "settings/delegates", MEDIUM, gone=Rejected)
GET_DELEGATE = Operation("delegates.get", "GET", "settings/delegates/{}", LIGHT, gone=Rejected)
GRANT_DELEGATE = Operation("delegates.grant", "POST", "settings/delegates", LIGHT, gone=Rejected)
REVOKE_DELEGATE = Operation("delegates.revoke", "DELETE", "settings/delegates/{}", LIGHT, gone=Rejected)

LIST_FILTERS = Operation("filters.list", "GET", "settings/filters", MEDIUM, gone=Rejected)
GET_FILTER = Operation("filters.get", "GET", "settings/filters/{}", LIGHT, gone=Rejected)
CREATE_FILTER = Operation(
    "filters.create", "POST", "settings/filters", LIGHT, idempotent=False, gone=Rejected
)
DELETE_FILTER = Operation("filters.delete", "DELETE", "settings/filters/{}", LIGHT, gone=Rejected)
