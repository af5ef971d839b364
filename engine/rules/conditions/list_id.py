from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from engine.mail.needs import Need, Needs
from engine.rules.clues import Clues
from engine.rules.condition import Check, Condition
from engine.rules.finding import text_finder
from engine.rules.kind_clues import text_clues
from engine.rules.shown import shown
from engine.rules.strict import NOT_EMPTY
from engine.rules.text import Text, TextKinds
from engine.rules.view import View


@dataclass(frozen=True, slots=True)
class _ListIds:
    """The identifiers of the lists that a message came by."""

    rank: ClassVar[int] = 0

    def texts(self, view: View) -> tuple[Text, ...]:
        return view.once(("list_id", ""), _list_ids)

    def keys(self, view: View) -> Iterable[str]:
        return [text.folded for text in self.texts(view)]


class ListId(TextKinds, Condition):
    """The identifier of a mailing list, from List-Id: what stands in angle brackets, without its name."""

    key = "list_id"
    map_schema: ClassVar[Mapping[str, Any]] = NOT_EMPTY
    examples = ("list_id: dev.lists.example", "list_id: {ends_with: .lists.example}")

    @property
    def needs(self) -> Needs:
        return frozenset({Need.HEADERS})

    @property
    def clues(self) -> Clues | None:
        return text_clues(self, _ListIds())

    def make_check(self) -> Check:
        find, read = text_finder(self), _ListIds().texts
        return lambda view: find(read(view))

    def seen(self, view: View) -> str:
        return shown(text.raw for text in _ListIds().texts(view))


def _list_ids(view: View) -> tuple[Text, ...]:
    return tuple(Text(_identifier(text.raw)) for text in view.header("list-id"))


def _identifier(value: str) -> str:
    """Take the name off (RFC 2919, section 3); some lists write the identifier alone."""
    _, bracket, rest = value.rpartition("<")
    return (rest.partition(">")[0] if bracket else value).strip()
