"""An immutable snapshot of what was fetched of one message."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol, TypeVar

from engine.errors import Missing, Unreadable
from engine.mail.address import Address, parse_addresses
from engine.mail.encrypted import ENCRYPTED, is_encrypted
from engine.mail.headers import Headers
from engine.mail.needs import Need, Needs

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Attachment:
    """One attached file: a leaf part with a file name or `Content-Disposition: attachment`."""

    name: str
    type: str
    """The declared media type, lower case, without parameters."""
    size: int
    """Bytes after the transfer encoding is taken off."""
    sniffed: str | None = None
    """The type that its first bytes show; "" when they show none; None when they were not read."""
    sha256: str | None = None
    """Hex digest of the decoded bytes; None when they were not read."""
    id: str = ""
    """The provider's handle for fetching it."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A message's thread at the moment of looking, drafts left out."""

    first: bool
    """Whether no message of it is older."""
    messages: int
    """How many there are, this one and sent ones included."""
    replied: bool
    """Whether another of them was sent from this mailbox."""
    answered: bool = False
    """Whether a person sent another from this mailbox, and not before this one came."""


ALONE = Conversation(first=True, messages=1, replied=False)


class Contents(Protocol):
    """What lies below the header of a message."""

    @property
    def text(self) -> str | None: ...
    @property
    def attachments(self) -> tuple[Attachment, ...] | None: ...
    @property
    def types(self) -> frozenset[str]: ...


@dataclass(frozen=True, slots=True)
class Message:
    """What is known of a message. Reading a part that was not fetched raises `Missing`."""

    key: str
    mailbox: str = ""
    thread: str = ""
    labels: frozenset[str] = frozenset()
    received: datetime | None = None
    """When the receiving server took it, with a zone."""
    _headers: Headers | None = None
    _size: int | None = None
    _text: str | None = None
    _attachments: tuple[Attachment, ...] | None = None
    unreadable: tuple[tuple[Need, str], ...] = ()
    """Needs that no fetch can supply, each with its reason."""
    _conversation: Conversation | None = None
    _types: frozenset[str] = frozenset()
    _unparsed: Contents | None = field(default=None, repr=False)
    """Of a message that is held whole: text, attachments and types, made when first asked for."""

    @property
    def headers(self) -> Headers:
        return self._read(self._headers, Need.HEADERS)

    @property
    def size(self) -> int:
        """The whole message in bytes, as the provider tells it."""
        return self._read(self._size, Need.HEADERS)

    @property
    def text(self) -> str:
        """The text a person reads: the plain parts, or the HTML parts as text."""
        return self._read(self._unparsed.text if self._unparsed else self._text, Need.BODY)

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        found = self._unparsed.attachments if self._unparsed else self._attachments
        return self._read(found, Need.ATTACHMENTS)

    @property
    def types(self) -> frozenset[str]:
        """The media types of its parts, as far as those were fetched."""
        return self._unparsed.types if self._unparsed else self._types

    @property
    def conversation(self) -> Conversation:
        return self._read(self._conversation, Need.THREAD)

    @property
    def subject(self) -> str:
        return self.headers.text("Subject")

    @property
    def message_id(self) -> str:
        return self.headers.text("Message-ID").strip()

    @property
    def encrypted(self) -> bool:
        """Whether its text and files are encrypted, as far as its header is known."""
        if (Need.BODY, ENCRYPTED) in self.unreadable:
            return True
        return self._headers is not None and is_encrypted(self._headers)

    def addresses(self, field: str) -> tuple[Address, ...]:
        """The parsed addresses of every field of that name, in order."""
        return parse_addresses(self.headers.all(field))

    def holding(self, needs: Needs) -> Message:
        """Keep of a message that is held whole what such a fetch would have brought."""
        whole = self._unparsed
        if whole is None:
            return self
        files = not needs.isdisjoint({Need.ATTACHMENTS, Need.CONTENT})
        return replace(
            self,
            _text=whole.text if Need.BODY in needs else None,
            _attachments=whole.attachments if files else None,
            _types=whole.types if files else frozenset(),
            _unparsed=None,
        )

    def relabelled(self, labels: frozenset[str]) -> Message:
        return replace(self, labels=labels)

    def _read(self, value: T | None, need: Need) -> T:
        for unreadable, reason in self.unreadable:
            if unreadable is need:
                raise Unreadable(need, reason)
        if value is None:
            raise Missing(need)
        return value


def no_message(mailbox: str) -> Message:
    """What there is to read where an event concerns no message: every part, and nothing in it."""
    return Message("", mailbox, _headers=Headers(()), _size=0, _text="", _attachments=(), _conversation=ALONE)
