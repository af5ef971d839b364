"""`--fail-if`: what a change of rules may not bring, such as `replies>+10`.

WHAT  [change]  NUMBER
WHAT    an action (reply or replies), rule:ID, held, undecided, changes, messages, unreadable
change  one of  >  >=  <  <=
NUMBER  10 (how many there are), +10 or -10 (how many more or fewer than before), +10% or -10%
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from math import inf

from engine.backtest.plurals import plural
from engine.backtest.run import Report
from engine.backtest.tally import CHANGES, HELD, MESSAGES, UNDECIDED, UNREADABLE, WHOLE, Tally
from engine.errors import PostroomError
from engine.rules.findings import unknown
from engine.rules.registry import ACTIONS

EXAMPLES = "'replies>+10', 'rule:invoices<-5%' or 'undecided>0'"
_FORM = re.compile(
    r"\s*(?P<what>rule:[^<>=\s]+|\w+)\s*(?P<than>>=|<=|>|<)\s*"
    r"(?P<sign>[+-]?)(?P<number>\d{1,9}(?:\.\d{1,3})?)(?P<percent>%?)\s*"
)
_THAN: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
RULE = "rule:"


@dataclass(frozen=True, slots=True)
class Threshold:
    """One bound; the backtest fails when it is crossed."""

    text: str
    """As it was written."""
    what: str
    """An action's key, `rule:ID`, or one of the other counts."""
    than: str
    number: float
    relative: bool
    """Whether the number speaks of the change and not of the count."""
    percent: bool

    def crossed(self, report: Report) -> str:
        """Say what crosses it, "" when nothing does; without any mail nothing is shown to be kept."""
        counts = [count(self.what, report, tally) for tally in report.tallies]
        after, before = counts[0], counts[-1]
        value = _change(before, after, percent=self.percent) if self.relative else float(after)
        if not report.messages and self.what not in (MESSAGES, UNREADABLE):
            return f"{self.text}: no message was judged"
        if not _THAN[self.than](value, self.number):
            return ""
        return f"{self.text}: there are {after}{f', {before} before' if len(counts) > 1 else ''}"


def read_threshold(text: str, rules: Collection[str], *, against: bool) -> Threshold:
    """Read one. Raises PostroomError; `against` says whether there is another version to compare with."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise PostroomError(f"--fail-if {text!r} is no bound; write one such as {EXAMPLES}")
    what, relative, percent = _what(match["what"], rules), bool(match["sign"]), bool(match["percent"])
    if percent and not relative:
        raise PostroomError(f"--fail-if {text!r}: a percentage is of a change; write +{match['number']}%")
    if relative and not against:
        raise PostroomError(f"--fail-if {text!r} speaks of a change; name the version before with --against")
    if relative and what in WHOLE:
        raise PostroomError(f"--fail-if {text!r}: '{what}' is the same for both versions; leave the sign out")
    number = float(match["number"]) * (-1 if match["sign"] == "-" else 1)
    least = -100.0 if percent else -inf if relative else 0.0
    if match["than"].startswith("<") and not _THAN[match["than"]](least, number):
        raise PostroomError(f"--fail-if {text!r} can never be crossed: nothing is below {least:g}")
    return Threshold(text.strip(), what, match["than"], number, relative, percent)


def _what(name: str, rules: Collection[str]) -> str:
    if name.startswith(RULE):
        if name.removeprefix(RULE) not in rules:
            raise PostroomError(f"--fail-if: {unknown('rule', name.removeprefix(RULE), rules)}")
        return name
    names = {HELD: HELD, UNDECIDED: UNDECIDED} | {each: each for each in WHOLE}
    for key in ACTIONS:
        names |= {key: key, plural(key): key}
    if name not in names:
        raise PostroomError(f"--fail-if: {unknown('count', name, names)}")
    return names[name]


def count(what: str, report: Report, tally: Tally) -> int:
    """Say how often that would be in one version."""
    whole = {
        MESSAGES: report.messages,
        UNREADABLE: len(report.unreadable),
        CHANGES: len(report.shown),
        HELD: tally.held,
        UNDECIDED: tally.undecided,
    }
    if what in whole:
        return whole[what]
    if what.startswith(RULE):
        return tally.rules[what.removeprefix(RULE)]
    return tally.actions[what]


def _change(before: int, after: int, *, percent: bool) -> float:
    if not percent:
        return after - before
    if before:
        return 100 * (after - before) / before
    return 100.0 * after  # Of nothing, each one more counts as a hundred per cent.
