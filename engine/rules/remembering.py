"""Conditions on what was remembered, and which messages count for them.

A message counts where the rest of its rule leaves the answer open: where every other condition of an
`all` holds, and none of an `any` does. Of two such conditions in one rule the first is asked before the
second. So it never depends on which rules an index passes over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from engine.errors import ConditionError
from engine.rules.condition import Condition, walk
from engine.rules.evaluation import Verdict
from engine.rules.memory import UNREAD, Seen
from engine.rules.view import View


class Remembering(Condition):
    """A condition whose answer depends on earlier messages.

    It needs the headers, even where it reads none: memory is looked up when all is fetched, and whether a
    message may be answered is read in its headers.
    """

    @property
    def awaits_answers(self) -> bool:
        """Whether it matters what we answered in the message's thread."""
        return False

    def counted(self, view: View) -> Seen | None:
        """Give what to remember of a message that counts, if anything. Raises ConditionError."""
        raise NotImplementedError


def remembers(condition: Condition) -> bool:
    """Say whether a condition, or one within it, looks at what was remembered."""
    return any(isinstance(node, Remembering) for node in walk(condition))


def note(when: Condition, view: View, *, decided: bool) -> None:
    """Note in the view what to remember; of what is left open, only what has to be looked up first."""
    for condition, seen_by in _open(when, view, unread(view)):
        try:
            seen = condition.counted(seen_by)
        except ConditionError:
            continue
        if seen and decided:
            view.noted.append(seen)


def unread(view: View) -> View:
    """The same message, with nothing looked up in memory, and nothing that is asked of it kept."""
    return view.aside(replace(view.beside, memory=UNREAD))


def _open(condition: Condition, view: View, blind: View) -> Iterator[tuple[Remembering, View]]:
    """Give the conditions on memory whose answer the others leave open."""
    if isinstance(condition, Remembering):
        yield condition, view
    members, decides = condition.inner, _decisive(condition)
    view, blind = condition.sight(view), condition.sight(blind)
    settles = [at for at, member in enumerate(members) if member.judge(blind).verdict is decides]
    last = max(settles, default=-1)
    for at, member in enumerate(members):
        if last <= at and remembers(member):
            yield from _open(member, view, blind)
        if member.judge(view).verdict is decides:
            return


def _decisive(condition: Condition) -> Verdict | None:
    """Which answer of one member makes the others needless."""
    if len(condition.members) < 2:
        return None
    return Verdict.NOT_MATCHED if condition.key == "all" else Verdict.MATCHED
