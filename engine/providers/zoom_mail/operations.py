"""The calls of Zoom Mail that we make, with what api and rate limits say of each."""

from __future__ import annotations

from dataclasses import dataclass, field
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
    """Whether a second try does no harm. Send, draft and insert have no idempotency key."""
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

LIST_DRAFTS = Operation("drafts.list", "GET", "drafts", MEDIUM, gone=Rejected)
CREATE_DRAFT = Operation("drafts.create", "POST", "drafts", MEDIUM, idempotent=False, gone=Rejected)
GET_DRAFT = Operation("drafts.get", "GET", "drafts/{}", LIGHT)
DELETE_DRAFT = Operation("drafts.delete", "DELETE", "drafts/{}", LIGHT)

LIST_LABELS = Operation("labels.list", "GET", "labels", MEDIUM, gone=Rejected)
GET_LABEL = Operation("labels.get", "GET", "labels/{}", LIGHT, gone=Rejected)
CREATE_LABEL = Operation("labels.create", "POST", "labels", LIGHT, gone=Rejected, taken=NameTaken)
