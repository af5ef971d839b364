"""The bound on automatic mail as `check` prints it."""

from __future__ import annotations

from math import inf
from typing import Any

from engine.rules.bound import Bound, figure
from engine.rules.budgets import BUDGETS

_KINDS = {
    f"{BUDGETS}.recipient": "one address",
    f"{BUDGETS}.own": "one address of our own domains or outbound.allow",
}


def bound_as_line(bound: Bound) -> str:
    """Say it in one line."""
    mails = "automatic mail" if bound.by_rules == 1 else "automatic mails"
    said = f"{_who(bound)} can get at most {figure(bound.by_rules)} {mails} in 24 hours ({bound.why})"
    if bound.by_rules == inf:
        said = f"there is no bound to what {_who(bound)} can get in 24 hours ({bound.why})"
    if bound.at_most <= bound.by_rules:
        return said
    return (
        f"{said}; {figure(bound.at_most)} with what API and command line ask for ({bound.cap or 'no budget'})"
    )


def bound_as_dict(bound: Bound) -> dict[str, Any]:
    """As machines read it; null where there is no bound."""
    return {
        "level": "note",
        "check": "bound",
        "budget": bound.name,
        "hours": 24,
        "by_rules": _number(bound.by_rules),
        "at_most": _number(bound.at_most),
        "message": bound_as_line(bound),
    }


def _who(bound: Bound) -> str:
    named = bound.name.removeprefix(f"{BUDGETS}.named.")
    return _KINDS.get(bound.name) or (named if "@" in named[1:] else f"one address of {named}")


def _number(times: float) -> int | None:
    return None if times == inf else int(times)
