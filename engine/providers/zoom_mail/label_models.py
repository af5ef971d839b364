"""Labels as Zoom Mail gives and takes them."""

from __future__ import annotations

from typing import Any

from pydantic import AliasChoices, Field

from engine.providers.zoom_mail.models import Answered, Number, Text


class Color(Answered):
    """Colours of a label, of the service's palette: the API takes both or neither."""

    text: Text = Field(alias="textColor")
    background: Text = Field(alias="backgroundColor")


class LabelLook(Answered):
    """How a label is shown; what is None is left to the service."""

    color: Color | None = None
    in_list: Text | None = Field(default=None, alias="labelListVisibility")
    """labelShow, labelHide or labelShowIfUnread."""
    on_messages: Text | None = Field(
        default=None,
        validation_alias=AliasChoices("messageListVisibility", "messageListVisibilitystring", "on_messages"),
        serialization_alias="messageListVisibility",
    )
    """show or hide; the reference has the name misspelt in places."""

    def body(self) -> dict[str, Any]:
        """Give what a request holds. In requests the reference has the misspelt name alone: both are sent."""
        told = self.model_dump(mode="json", by_alias=True, include=set(LabelLook.model_fields))
        told["messageListVisibilitystring"] = self.on_messages
        return {key: value for key, value in told.items() if value is not None}


class Label(LabelLook):
    id: Text
    name: Text = ""
    parent: Text = Field(default="", validation_alias=AliasChoices("parentId", "parentld", "parent"))
    type: Text = "user"
    level: Number = Field(default=0, alias="labelLevel")
    messages: Number = Field(default=0, alias="messagesTotal")
    unread: Number = Field(default=0, alias="messagesUnread")
    threads: Number = Field(default=0, alias="threadsTotal")
    threads_unread: Number = Field(default=0, alias="threadsUnread")


class Labels(Answered):
    labels: tuple[Label, ...] = ()
