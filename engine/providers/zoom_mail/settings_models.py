"""A mailbox's settings as Zoom Mail gives and takes them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pydantic import Field, model_validator

from engine.providers.zoom_mail.models import Answered, Number, Text


class Setting(Answered):
    """What is written in the shape in which it is read."""

    def body(self) -> dict[str, Any]:
        """Give what a request holds: only what was set."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


class Vacation(Setting):
    """The reply that the mailbox itself gives while its owner is away."""

    on: bool = Field(default=False, alias="enableAutoReply")
    always: bool = Field(default=False, alias="enableAlwaysRespond")
    subject: Text = Field(default="", alias="responseSubject")
    text: Text = Field(default="", alias="responseBodyPlainText")
    html: Text = Field(default="", alias="responseBodyHtml")
    contacts_only: bool = Field(default=False, alias="restrictToContacts")
    domain_only: bool = Field(default=False, alias="restrictToDomain")
    start: Number = Field(default=0, alias="startTime")
    """Epoch milliseconds; 0 when open."""
    end: Number = Field(default=0, alias="endTime")
    """Epoch milliseconds; 0 when open."""

    @model_validator(mode="before")
    @classmethod
    def _times(cls, data: Any) -> Any:
        """Take a time that stands in the ISO field alone."""
        if not isinstance(data, dict):
            return data
        told = {key: _milliseconds(data.get(f"{key}ISO")) for key in ("startTime", "endTime")}
        return {**data, **{key: time for key, time in told.items() if time and not data.get(key)}}

    def body(self) -> dict[str, Any]:
        # Whether it is on must be said, and times go as text.
        told = super().body() | {"enableAutoReply": self.on}
        return {key: str(value) if key in ("startTime", "endTime") else value for key, value in told.items()}


class Delegate(Answered):
    """Somebody who may use the mailbox."""

    address: Text = Field(default="", alias="delegateEmail")
    access: Text = Field(default="", alias="delegateAccess")
    """dlgreviewer, dlgauthor or dlgeditor."""
    verification: Text = Field(default="", alias="verificationStatus")
    created: Number = Field(default=0, alias="creationTime")
    accessed: Number = Field(default=0, alias="accessTime")


class Delegates(Answered):
    delegates: tuple[Delegate, ...] = ()


class Criteria(Setting):
    """What mail a filter is for: all that is set must hold."""

    sender: Text = Field(default="", alias="from")
    recipient: Text = Field(default="", alias="to")
    subject: Text = ""
    query: Text = ""
    negated_query: Text = Field(default="", alias="negatedQuery")
    has_attachment: bool = Field(default=False, alias="hasAttachment")
    size: Number = 0
    """Bytes."""
    size_comparison: Text = Field(default="", alias="sizeComparison")
    """smaller or larger; the reference also has "unspecifield"."""


class FilterAction(Setting):
    """What a filter does: label ids, and an address to forward to."""

    add: tuple[Text, ...] = Field(default=(), alias="addLabelIds")
    remove: tuple[Text, ...] = Field(default=(), alias="removeLabelIds")
    forward: Text = ""


class Filter(Answered):
    id: Text = Field(min_length=1)
    criteria: Criteria = Criteria()
    action: FilterAction = FilterAction()


class Filters(Answered):
    filters: tuple[Filter, ...] = Field(default=(), alias="filter")


def _milliseconds(text: object) -> int:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return 0
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
