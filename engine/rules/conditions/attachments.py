from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from engine.mail.message import Attachment
from engine.mail.needs import Need, Needs
from engine.rules.clues import Clue, Clues, How
from engine.rules.condition import Condition
from engine.rules.quantities import CountKinds, SizeKinds
from engine.rules.sources import FileNames
from engine.rules.strict import NOT_EMPTY
from engine.rules.text import NONE, Captures
from engine.rules.view import View


class Attachments(Condition):
    """All attached files together: how many there are, and how large they are in all."""

    key = "attachments"
    map_schema: ClassVar[Mapping[str, Any]] = NOT_EMPTY
    examples = ("attachments: {count: {gte: 3}}", "attachments: {count: 2, total_size: {gt: 10MB}}")

    count: CountKinds | None = Field(None, description="How many; none are 0.")
    total_size: SizeKinds | None = Field(None, description="The sum of their sizes, decoded.")

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if self.count is None and self.total_size is None:
            raise ValueError("asks nothing; write one of count, total_size")
        return self

    @property
    def needs(self) -> Needs:
        return frozenset({Need.ATTACHMENTS})

    @property
    def clues(self) -> Clues | None:
        return None if self._holds(()) else (Clue(FileNames(), How.ANY),)

    def check(self, view: View) -> Captures | None:
        return NONE if self._holds(view.attachments()) else None

    def _holds(self, files: Sequence[Attachment]) -> bool:
        if self.count is not None and not self.count.holds(len(files)):
            return False
        return self.total_size is None or self.total_size.holds(_total(files))

    def seen(self, view: View) -> str:
        files = view.attachments()
        named = "1 attachment" if len(files) == 1 else f"{len(files)} attachments"
        return f"{named} of {_total(files)} bytes in all"


def _total(files: Sequence[Attachment]) -> int:
    return sum(file.size for file in files)
