"""What every condition is, and Kleene's three-valued logic above them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any, ClassVar

from engine.errors import ConditionError, Missing
from engine.mail.needs import NOTHING, Need, Needs
from engine.rules.clues import Clues
from engine.rules.evaluation import Verdict
from engine.rules.strict import Strict
from engine.rules.text import Captures
from engine.rules.view import View


@dataclass(frozen=True, slots=True)
class Judged:
    """How one condition came out."""

    verdict: Verdict
    captures: Captures = field(default_factory=dict)
    needs: Needs = NOTHING
    """What one more fetch has to bring; of a match, what could still bring other captures."""
    why: str = ""


Check = Callable[[View], Captures | None]
Judge = Callable[[View], Judged]

MATCHED = Judged(Verdict.MATCHED)
NOT_MATCHED = Judged(Verdict.NOT_MATCHED)
"""The only one of its kind: "no" is told by identity."""


class Condition(Strict):
    """One question about a message. Most answer in `check`; those with members override `make_judge`."""

    key: ClassVar[str]
    examples: ClassVar[tuple[str, ...]]
    """Conditions as YAML, as an author would write them."""

    @property
    def needs(self) -> Needs:
        """What of a message this may read."""
        raise NotImplementedError

    @property
    def members(self) -> tuple[Condition, ...]:
        return ()

    @property
    def inner(self) -> tuple[Condition, ...]:
        """All conditions that this one asks: its members, and one whose answer it only reads."""
        return self.members

    @property
    def clues(self) -> Clues | None:
        """What a message shows wherever this holds or is left open, for the index; None if nothing known.

        A condition that gives none costs a look at every message; one that gives too few is never asked.
        """
        return None

    @property
    def possible_captures(self) -> frozenset[str]:
        """Names that a match may supply."""
        return frozenset()

    @property
    def sure_captures(self) -> frozenset[str]:
        """Names that every match supplies."""
        return frozenset()

    def check(self, view: View) -> Captures | None:
        """Answer with the captures of a match, or None. Raises Missing and Unreadable."""
        raise NotImplementedError

    def make_check(self) -> Check:
        """Make the function that answers; an override of it takes the place of `check`, for speed."""
        return self.check

    def seen(self, view: View) -> str:
        """Say what the message has where this condition looks, shortly."""
        raise NotImplementedError

    @cached_property
    def judge(self) -> Judge:
        """Answer in three values: an error is undecided, never "no". Made once, called for every message."""
        return self.make_judge()

    def make_judge(self) -> Judge:
        check = self.make_check()

        def judge(view: View) -> Judged:
            try:
                captures = check(view)
            except Exception as error:  # noqa: BLE001 - under a `not`, a swallowed error would send mail
                return self._unjudged(error)
            if captures is None:
                return NOT_MATCHED
            return Judged(Verdict.MATCHED, captures) if captures else MATCHED

        return judge

    def _unjudged(self, error: Exception) -> Judged:
        said = str(error) if isinstance(error, ConditionError) else f"failed with {type(error).__name__}"
        return self.undecided(said, error.need if isinstance(error, Missing) else None)

    def undecided(self, why: str, need: Need | None = None) -> Judged:
        """Leave it open, for lack of a part that can be fetched if `need` is given."""
        return _open(self.key, why, need)

    def dump(self) -> Any:
        if not self.members:
            return super().dump()
        each = [{member.key: member.dump()} for member in self.members]
        return each[0] if self.key == "not" else each

    def sight(self, view: View) -> View:
        """The message as its members saw it."""
        return view

    def wanted(self) -> str:
        """Say what was asked, as the author wrote it."""
        return json.dumps(self.dump(), ensure_ascii=False)


@lru_cache(maxsize=64)
def _open(key: str, said: str, need: Need | None) -> Judged:
    """Give the same for all that are open for the same reason: of one message, that may be thousands."""
    return Judged(Verdict.UNDECIDED, needs=frozenset({need}) if need else NOTHING, why=f"{key}: {said}")


def walk(condition: Condition) -> Iterator[Condition]:
    """Give a condition and all within it."""
    yield condition
    for member in condition.inner:
        yield from walk(member)


def judge_all(members: Iterable[Condition], view: View) -> Judged:
    """All must match: one "no" decides, however much is unknown."""
    captures: dict[str, str] = {}
    open_members, needs = [], NOTHING
    for member in members:
        judged = member.judge(view)
        if judged is NOT_MATCHED:
            return NOT_MATCHED
        if judged is MATCHED:
            continue
        if judged.verdict is Verdict.UNDECIDED:
            open_members.append(judged)
            continue
        needs |= judged.needs
        for name, value in judged.captures.items():
            captures.setdefault(name, value)
    if open_members:
        return _undecided(open_members)
    return Judged(Verdict.MATCHED, captures, needs) if captures or needs else MATCHED


def judge_any(members: Iterable[Condition], view: View) -> Judged:
    """One match decides; its captures stand unless an earlier member, still open, could bring its own."""
    open_members, could_capture = [], NOTHING
    for member in members:
        judged = member.judge(view)
        if judged is NOT_MATCHED:
            continue
        if judged.verdict is Verdict.MATCHED:
            return replace(judged, needs=judged.needs | could_capture) if could_capture else judged
        if judged.verdict is Verdict.UNDECIDED:
            open_members.append(judged)
            could_capture |= judged.needs if member.possible_captures else NOTHING
    return _undecided(open_members) if open_members else NOT_MATCHED


def negate(judged: Judged) -> Judged:
    """Turn yes and no round; unknown stays unknown. What was denied has no captures."""
    if judged is NOT_MATCHED:
        return MATCHED
    return NOT_MATCHED if judged.verdict is Verdict.MATCHED else judged


def _undecided(members: list[Judged]) -> Judged:
    needs = NOTHING.union(*(member.needs for member in members))
    why = "; ".join(dict.fromkeys(member.why for member in members))
    return Judged(Verdict.UNDECIDED, needs=needs, why=why)
