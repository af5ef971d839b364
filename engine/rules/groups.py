"""Groups of rules at work: a common `when`, and of `mode: first` one member alone."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import Place
from engine.mail.needs import NOTHING, Needs, union
from engine.rules.clues import Clues
from engine.rules.condition import Condition, Judge, judge_any, negate
from engine.rules.conditions.all_ import All
from engine.rules.model import Mode
from engine.rules.remembering import remembers
from engine.rules.shown import shown
from engine.rules.text import NONE, Captures
from engine.rules.view import View


class Entry(Condition):
    """A group's own condition. It is asked once for each message, before any rule of the group acts."""

    key = "group"
    group: str
    condition: Condition

    @property
    def members(self) -> tuple[Condition, ...]:
        return (self.condition,)

    @property
    def needs(self) -> Needs:
        return self.condition.needs

    @property
    def clues(self) -> Clues | None:
        return self.condition.clues

    @property
    def possible_captures(self) -> frozenset[str]:
        return self.condition.possible_captures

    @property
    def sure_captures(self) -> frozenset[str]:
        return self.condition.sure_captures

    def make_judge(self) -> Judge:
        judge, key = self.condition.judge, ("group", self.group)
        if not remembers(self.condition):
            return lambda view: view.once(key, judge)
        return lambda view: view.once(key, lambda seen: judge(self._own(seen)))

    def sight(self, view: View) -> View:
        """The message as it was when the group was reached: with the labels of then."""
        return self._own(view.first_seen(("group", self.group)))

    def _own(self, view: View) -> View:
        """A group has a memory of its own, whichever of its rules asks."""
        return view.within(f"group {self.group}")


class Spared(Condition):
    """No earlier member of a group of `mode: first` that is a group itself has held."""

    key = "none"
    entries: tuple[Entry, ...]

    @property
    def needs(self) -> Needs:
        return union(entry.needs for entry in self.entries)

    def make_judge(self) -> Judge:
        entries = self.entries
        return lambda view: negate(judge_any(entries, view))

    def seen(self, view: View) -> str:
        return shown(entry.group for entry in self.entries if entry.judge(view).verdict == "matched")

    def wanted(self) -> str:
        return f"no group before it: {', '.join(entry.group for entry in self.entries)}"


class Always(Condition):
    """What a member of a group asks that has no `when`: nothing."""

    key = "always"

    @property
    def needs(self) -> Needs:
        return NOTHING

    def check(self, view: View) -> Captures | None:
        return NONE

    def seen(self, view: View) -> str:
        return "the message"

    def wanted(self) -> str:
        return "any message that gets here"


ALWAYS = Always()


@dataclass(frozen=True)
class Group:
    """A group as it is shown: what a rule stands in."""

    id: str
    title: str
    mode: Mode
    place: Place
    entry: Entry


def joined(conditions: list[Condition], own: Condition) -> Condition:
    """Put what groups ask before what a rule asks by itself."""
    asked = [condition for condition in conditions if not _is_idle(condition)]
    if own is not ALWAYS or not asked:
        asked.append(own)
    return asked[0] if len(asked) == 1 else All.model_construct(conditions=tuple(asked))


def _is_idle(condition: Condition) -> bool:
    return isinstance(condition, Entry) and condition.condition is ALWAYS
