"""`outbound.budgets`: how many automatic mails there may be, as people write it."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BeforeValidator, PlainValidator

from engine.rules import budgets
from engine.rules.budgets import LONGEST_S, MOST, Window
from engine.rules.strict import Strict, some
from engine.settings.values import allowed, seconds

_WRITTEN = re.compile(r"(\d{1,9})\s*/\s*(\S+)", re.ASCII)


def _window(value: Any) -> Window:
    found = _WRITTEN.fullmatch(str(value))
    if found is None:
        raise ValueError(f"'{value}' is no budget: write a number and a span, such as 20/1d, or off")
    at_most, ms = int(found[1]), int(seconds(found[2]) * 1000)
    if not 1 <= at_most <= MOST or not 1_000 <= ms <= LONGEST_S * 1000:
        raise ValueError(f"'{value}' is out of bounds: at least 1 and at most {MOST}, within 1s to 31d")
    return Window(at_most, ms, str(value))


def _listed(value: Any) -> Any:
    return () if value == "off" else some(value)


Budget = Annotated[tuple[Annotated[Window, PlainValidator(_window)], ...], BeforeValidator(_listed)]


class BudgetSettings(Strict):
    """How many automatic mails go to one address, and out by one rule and from one mailbox."""

    empty_is_unset: ClassVar[bool] = True

    recipient: Budget = budgets.RECIPIENT
    own: Budget = budgets.OWN
    """For addresses of our own domains, and those of `outbound.allow`."""
    rule: Budget = budgets.RULE
    """For each rule in each mailbox."""
    mailbox: Budget = budgets.MAILBOX
    exchanges: Budget = budgets.EXCHANGES
    """For messages of one correspondent that set off mail to the same."""
    named: dict[Annotated[str, AfterValidator(allowed)], Budget] = {}
    """For addresses, domains and `*.x.example` that have a budget of their own."""
