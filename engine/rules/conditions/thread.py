from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from engine.mail.needs import Need, Needs
from engine.rules.memory import Seen, name_of
from engine.rules.quantities import CountKinds
from engine.rules.remembering import Remembering
from engine.rules.strict import NOT_EMPTY, Flag
from engine.rules.text import NONE, Captures
from engine.rules.view import View


def answered(thread: str) -> str:
    """Name what is remembered of an answer that we are about to send in a thread."""
    return name_of("answered", thread)


class Thread(Remembering):
    """The conversation that the message belongs to, as the mailbox has it, drafts left out.

    All keys speak of the same moment. It costs one call for each thread, made only where the rest of a rule
    leaves the answer open.
    """

    key = "thread"
    examples = ("thread: {first: true}", "thread: {messages: {gt: 20}, replied_by_us: false}")
    map_schema: ClassVar[Mapping[str, Any]] = NOT_EMPTY

    first: Flag | None = Field(None, description="Whether no message of the thread is older.")
    messages: CountKinds | None = Field(
        None, description="How many messages the thread has, this one and sent ones included."
    )
    replied_by_us: Flag | None = Field(
        None,
        description="Whether this mailbox has sent a message in the thread, or a rule has decided to answer.",
    )

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if all(getattr(self, name) is None for name in type(self).model_fields):
            raise ValueError(f"asks nothing; write one of {', '.join(self.keys())}")
        return self

    @property
    def needs(self) -> Needs:
        return frozenset({Need.THREAD, Need.HEADERS} if self.awaits_answers else {Need.THREAD})

    @property
    def awaits_answers(self) -> bool:
        return self.replied_by_us is not None

    def check(self, view: View) -> Captures | None:
        thread = view.message.conversation
        if self.first is not None and thread.first is not self.first:
            return None
        if self.messages is not None and not self.messages.holds(thread.messages):
            return None
        if self.replied_by_us is not None and self._replied(view) is not self.replied_by_us:
            return None
        return NONE

    def counted(self, view: View) -> Seen | None:
        return None

    def _replied(self, view: View) -> bool:
        """An answer counts from the moment of deciding, since sending it may take a while."""
        if view.message.conversation.replied:
            return True
        return bool(view.message.thread) and bool(view.recalled(answered(view.message.thread)))

    def seen(self, view: View) -> str:
        thread = view.message.conversation
        place = "the first" if thread.first else "not the first"
        said = f"{place} of {thread.messages} message{'s' * (thread.messages != 1)}"
        if self.replied_by_us is None:
            return said
        return f"{said}, {'one of them' if self._replied(view) else 'none'} sent by us"
