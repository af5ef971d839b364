"""What Zoom Mail answers, read leniently: only what we use, and odd spellings of it."""

from __future__ import annotations

import json
from typing import Annotated, Any, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    model_validator,
)
from pydantic_core import from_json

from engine.mail.mime import MimePart
from engine.net.failures import BadAnswer
from engine.providers.zoom_mail.tree import read_part
from engine.providers.zoom_mail.values import decode_base64url, number


def _bytes(value: object) -> bytes | None:
    return None if value is None else decode_base64url(value)


def _text(value: object) -> object:
    return str(value) if isinstance(value, int | float) else value


def _record(value: object) -> object:
    return value if isinstance(value, dict) else {"record": value}


def _part(value: object) -> MimePart | None:
    return None if value is None else read_part(value)


Number = Annotated[int, BeforeValidator(number)]
Text = Annotated[str, BeforeValidator(_text)]
Tree = Annotated[MimePart | None, PlainValidator(_part)]
Base64 = Annotated[bytes | None, BeforeValidator(_bytes)]


class Answered(BaseModel):
    """An answer or a part of one: a null counts as absent, what we do not know is ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, data: Any) -> Any:
        if isinstance(data, dict):
            return {key: value for key, value in data.items() if value is not None}
        return data


class ApiError(Answered):
    code: Number = 0
    message: Text = ""


class OAuthError(Answered):
    code: Number = 0
    error: Text = ""
    reason: Text = ""
    message: Text = ""


class TokenAnswer(Answered):
    access_token: str = Field(pattern=r"^[!-~]+$")
    expires_in: Number = 3600
    api_url: str = ""
    refresh_token: str = Field(default="", pattern=r"^[!-~]*$", repr=False)
    """The next one, which ends the one that was used; "" from an account's own credentials."""


class Alias(Answered):
    address: Text = Field(default="", alias="aliasEmail")


class ProfileAnswer(Answered):
    """A mailbox as the service describes it; `own` has all addresses that its user alone has."""

    address: Text = Field(default="", alias="emailAddress")
    aliases: tuple[Alias, ...] = ()
    groups: tuple[Text, ...] = Field(default=(), alias="groupEmails")
    status: Text = "active"
    history: Number = Field(alias="historyId")

    @property
    def own(self) -> frozenset[str]:
        told = (self.address, *(alias.address for alias in self.aliases))
        return frozenset(address.strip().lower() for address in told) - {""}


class Reference(Answered):
    """A message by its ids, as lists, history and the answers of changes give it."""

    id: Text
    thread: Text = Field(default="", alias="threadId")
    labels: tuple[Text, ...] = Field(default=(), alias="labelIds")


class MessageAnswer(Reference):
    internal_date: Number = Field(default=0, alias="internalDate")
    """Epoch milliseconds; 0 when unknown."""
    size: Annotated[int | None, BeforeValidator(number)] = Field(default=None, alias="sizeEstimate")
    payload: Tree = None
    raw: Base64 = None


class MessageList(Answered):
    messages: tuple[Reference, ...] = ()
    next: Text = Field(default="", alias="nextPageToken")


class Draft(Answered):
    id: Text
    message: MessageAnswer | None = None

    @property
    def key(self) -> str:
        """The message's id; in Zoom Mail the draft's own is the same."""
        return self.message.id if self.message else self.id


class DraftList(Answered):
    drafts: tuple[Draft, ...] = ()
    next: Text = Field(default="", alias="nextPageToken")


class Thread(Answered):
    id: Text
    history: Number = Field(default=0, alias="historyId")
    name: Text = Field(default="", alias="threadName")
    status: Text = "normal"
    """normal, or ignored when muted."""
    snippet: Text = ""
    messages: tuple[MessageAnswer, ...] = ()
    next: Text = Field(default="", alias="nextPageToken")


class ThreadList(Answered):
    threads: tuple[Thread, ...] = ()
    next: Text = Field(default="", alias="nextPageToken")


class AttachmentAnswer(Answered):
    data: Base64 = None


class HistoryAnswer(Answered):
    """Records stay as they came: one that is odd must not hide its neighbours."""

    history: tuple[Annotated[dict[str, Any], BeforeValidator(_record)], ...] = ()
    next: Text = Field(default="", alias="nextPageToken")
    newest: Number = Field(default=0, alias="historyId")


T = TypeVar("T", bound=BaseModel)


def read_answer(model: type[T], body: bytes) -> T:
    """Read an answer's body. Raises BadAnswer, which never quotes the body."""
    try:
        return model.model_validate(_json(body))
    except ValidationError as error:
        reason = _faults(error)
    except (ValueError, RecursionError):
        reason = "not JSON"
    raise BadAnswer(reason)


def _json(body: bytes) -> Any:
    """Read JSON, also with broken UTF-8 or halves of surrogate pairs, as broken mail brings them."""
    try:
        return from_json(body)
    except ValueError:
        value = json.loads(body.decode("utf-8", "replace"))
    text = json.dumps(value, ensure_ascii=False).encode("utf-16", "surrogatepass")
    return from_json(text.decode("utf-16", "replace"))


def _faults(error: ValidationError) -> str:
    faults = error.errors(include_input=False, include_url=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['type']}" for fault in faults[:3])
