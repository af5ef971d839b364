from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field, ValidationError

from engine.mail.needs import Needs
from engine.mail.search import SearchError, parse_search
from engine.rules.clues import Clues
from engine.rules.condition import Condition, Judge
from engine.rules.searching import conditions_of
from engine.rules.strict import Words


def _line(text: str) -> str:
    try:
        if not text.strip():
            raise ValueError("asks nothing; write a search such as from:ann@x.example has:attachment")
        conditions_of(parse_search(text))
    except SearchError as error:
        raise ValueError(f"at sign {error.column} of the line: {error.message}") from None
    except ValidationError as error:
        said = error.errors(include_url=False)[0]["msg"]
        raise ValueError(f"a size, date or age of the line is out of range: {said}") from None
    return text


class Query(Condition):
    """A search line as people type it in Gmail, read as the conditions that it stands for.

    Words stand for all of them; `OR` binds closer; `{a b}` is any of them; `-` is not; "..." are words in a
    row; (...) groups, behind a field too. Words are whole words in subject, From, To, Cc, names of files and
    text. Fields: from to cc bcc deliveredto subject filename list label in is has category larger smaller
    size after before older newer older_than newer_than rfc822msgid.
    """

    key = "query"
    bare: ClassVar[str] = "line"
    only_bare: ClassVar[bool] = True
    examples = (
        "query: 'from:ann@partner.example has:attachment larger:1M -label:done'",
        "query: '{subject:invoice \"payment due\"} (from:me OR to:me) newer_than:7d'",
    )

    line: Annotated[Words, AfterValidator(_line)] = Field(description="The search line.")

    @cached_property
    def tree(self) -> Condition:
        """The conditions that the line stands for."""
        return conditions_of(parse_search(self.line))

    @property
    def members(self) -> tuple[Condition, ...]:
        return (self.tree,)

    @property
    def needs(self) -> Needs:
        return self.tree.needs

    @property
    def clues(self) -> Clues | None:
        return self.tree.clues

    def make_judge(self) -> Judge:
        return self.tree.judge

    def dump(self) -> Any:
        return self.line
