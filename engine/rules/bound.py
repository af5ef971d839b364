"""How many automatic mails one address can get within 24 hours, whatever comes in: an upper bound. Pure.

A window of n within w lets at most n * ceil(24 h / w) leave within 24 hours, since windows are closed at
both ends and a mail counts from when it has left at the latest. What the rules' own limits come to is added
up, and the budget of the address stands above all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf

from engine.mail.address import parse_address
from engine.rules.action import Action
from engine.rules.budgets import BUDGETS, DAY_MS, Budgets, Windows, most, window_of
from engine.rules.effects import AddToSummary, SendMessage
from engine.rules.ruleset import Rule, RuleSet
from engine.rules.templated import Sends


@dataclass(frozen=True, slots=True)
class Bound:
    """What one address of a kind can get within 24 hours; `inf` where nothing bounds it."""

    name: str
    """The budget that counts for the kind, as `Budgets.of` names it."""
    by_rules: float
    """What rules can send there."""
    at_most: float
    """With what API and command line are asked to send."""
    why: str
    """What bounds that which rules send."""
    cap: str
    """What bounds all of it, "" where nothing does."""


@dataclass(frozen=True, slots=True)
class _Step:
    """One sending step of a rule."""

    rule: str
    to: frozenset[str]
    """Its fixed recipients in normal form; none for an answer, which may go to anybody."""
    times: float
    """How often it can go to one address, budgets aside."""
    free: bool
    """Whether its rule switches budgets off."""

    def reaches(self, address: str) -> bool:
        return not self.to or address in self.to


def bounds(ruleset: RuleSet, budgets: Budgets, mailboxes: Sequence[str]) -> tuple[Bound, ...]:
    """Give the bound for each kind of address: any, our own, and those named in the configuration.

    Without `mailboxes` it is unknown in how many a rule works: then the address' own budget counts alone.
    """
    steps = tuple(_steps(ruleset.rules, mailboxes, budgets))
    fixed = {address: budgets.of(address).name for step in steps for address in step.to}
    kinds = {f"{BUDGETS}.recipient": budgets.recipient, f"{BUDGETS}.own": budgets.own}
    kinds |= {f"{BUDGETS}.named.{name}": windows for name, _, windows in budgets.named}
    return tuple(
        _bound(kind, _cap(kind, windows, budgets, len(mailboxes)), steps, _those(fixed, kind, budgets))
        for kind, windows in kinds.items()
    )


def _those(fixed: dict[str, str], kind: str, budgets: Budgets) -> list[str]:
    """One address that no rule names, "", and all of this kind that rules name."""
    return ["", *(one for one, name in fixed.items() if name == kind and not budgets.never.include(one))]


def _cap(kind: str, windows: Windows, budgets: Budgets, mailboxes: int) -> tuple[float, str]:
    """What all budgets allow one address, and which of them says so."""
    own, told = most(windows)
    common, common_told = most(budgets.mailbox)
    common *= mailboxes or inf
    if own <= common:
        return own, f"{kind}: {told}" if told else ""
    return common, f"{BUDGETS}.mailbox: {common_told}, in each"


def _bound(kind: str, cap: tuple[float, str], steps: Sequence[_Step], those: Iterable[str]) -> Bound:
    found = [_of(one, kind, cap, steps) for one in those]
    worst = max(found, key=lambda bound: bound.by_rules)
    return replace(worst, at_most=max(bound.at_most for bound in found))


def _of(address: str, kind: str, cap: tuple[float, str], steps: Sequence[_Step]) -> Bound:
    reaching = [step for step in steps if step.reaches(address)]
    guarded = [step for step in reaching if not step.free]
    free = [step for step in reaching if step.free]
    allowed, beyond = _sum(guarded), _sum(free)
    told = [_told(guarded) if allowed <= cap[0] else cap[1]]
    if free:
        told.append(f"`budget` switched off: {_told(free)}")
    why = "; ".join(filter(None, told))
    return Bound(kind, min(allowed, cap[0]) + beyond, cap[0] + beyond, why, cap[1])


def _sum(steps: Iterable[_Step]) -> float:
    return sum(step.times for step in steps)


def _told(steps: Sequence[_Step]) -> str:
    """Say which rules send how much."""
    by_rule: dict[str, float] = {}
    for step in steps:
        by_rule[step.rule] = by_rule.get(step.rule, 0) + step.times
    return ", ".join(f"'{rule}' {figure(times)}" for rule, times in by_rule.items()) or "no rule sends any"


def figure(times: float) -> str:
    """Write a number that may be none."""
    return "without bound" if times == inf else f"{times:.0f}"


def _steps(rules: Iterable[Rule], mailboxes: Sequence[str], budgets: Budgets) -> Iterator[_Step]:
    for rule in (one for one in rules if one.acts):
        scope = sum(rule.covers(mailbox) for mailbox in mailboxes) if mailboxes else inf
        for action in rule.then:
            for effect in action.effects({}):
                if isinstance(effect, AddToSummary):  # One mail may tell of one alone, as late as it may be.
                    yield _Step(rule.id, _normal(effect.to), inf if scope else 0, free=False)
                elif isinstance(effect, SendMessage):
                    own = _once(effect) * scope if scope else 0
                    times = min(own, _throttle(action), _exchanges(effect, budgets))
                    yield _Step(rule.id, _normal(effect.to), times, "budget" in effect.off)


def _normal(addresses: Iterable[str]) -> frozenset[str]:
    return frozenset(parse_address(text).normal for text in addresses)


def _once(effect: SendMessage) -> float:
    """How often `once_per` lets one mailbox answer one sender; it counts nobody else."""
    if effect.once_per is None or effect.all:
        return inf
    return window_of(1, effect.once_per.seconds).within(DAY_MS)


def _exchanges(effect: SendMessage, budgets: Budgets) -> float:
    """How often answers go to one address; others' copies, and what a person approves, are not held by it."""
    free = "budget" in effect.off or effect.approval or not effect.reply or effect.all
    return inf if free else most(budgets.exchanges)[0]


def _throttle(action: Action) -> float:
    """What a throttle lets leave; one that counts by a key lets any number, since keys may be made up."""
    own = action.throttle if isinstance(action, Sends) else None
    if own is None or "{{" in own.key:
        return inf
    return window_of(own.at_most, own.per.value).within(DAY_MS)
