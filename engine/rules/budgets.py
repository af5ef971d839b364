"""How many automatic mails there may be: windows, and whose budget an address has."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, inf

from engine.rules.reach import NOBODY, Recipients

HOUR_S = 3_600
DAY_S = 24 * HOUR_S
DAY_MS = DAY_S * 1000
MOST = 100_000
"""What counts one mail takes some 150 bytes until its longest window is over."""
LONGEST_S = 31 * DAY_S
BUDGETS = "outbound.budgets"


@dataclass(frozen=True, slots=True)
class Window:
    """At most so many within any span of this length, its ends included."""

    at_most: int
    ms: int
    told: str
    """As people write it, such as `20/1d`."""

    def within(self, ms: int) -> int:
        """How many that can be within any span of `ms`: it holds so many windows that lie apart."""
        return self.at_most * ceil(ms / self.ms)


Windows = tuple[Window, ...]
_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


def window_of(at_most: int, seconds: int) -> Window:
    """Make a window and say what it says."""
    return Window(at_most, seconds * 1000, f"{at_most}/{span(seconds)}")


def span(seconds: int) -> str:
    """Write a time as people do, such as `2d`."""
    unit, size = next((unit, size) for unit, size in _UNITS if seconds % size == 0)
    return f"{seconds // size}{unit}"


RECIPIENT = (window_of(10, HOUR_S), window_of(20, DAY_S))
OWN = (window_of(100, HOUR_S), window_of(500, DAY_S))
RULE = (window_of(1_000, HOUR_S), window_of(5_000, DAY_S))
MAILBOX = (window_of(2_000, HOUR_S), window_of(10_000, DAY_S))
EXCHANGES = (window_of(2, DAY_S), window_of(3, 2 * DAY_S))


@dataclass(frozen=True, slots=True)
class Share:
    """The budget of a kind of recipients."""

    name: str
    """Where it stands in the configuration."""
    windows: Windows


@dataclass(frozen=True, slots=True)
class Budgets:
    """All of them: those of recipients count whoever writes to them, those of rules mailbox by mailbox."""

    recipient: Windows = RECIPIENT
    own: Windows = OWN
    """Of who is permitted by `ours`."""
    rule: Windows = RULE
    mailbox: Windows = MAILBOX
    exchanges: Windows = EXCHANGES
    """How many messages of one correspondent set off mail that comes round to the same."""
    named: tuple[tuple[str, Recipients, Windows], ...] = ()
    """Recipients with a budget of their own, each under its name; the first that fits counts."""
    ours: Recipients = NOBODY
    """Our own domains, and where else mail may be forwarded to."""
    never: Recipients = NOBODY
    """Whom nothing is sent to."""

    def of(self, address: str) -> Share:
        """Give the budget that counts for an address."""
        for name, who, windows in self.named:
            if who.include(address):
                return Share(f"{BUDGETS}.named.{name}", windows)
        return self.share("own" if self.ours.include(address) else "recipient")

    def share(self, name: str) -> Share:
        """Give a budget by its key: recipient, own, rule, mailbox or exchanges."""
        windows: Windows = getattr(self, name)
        return Share(f"{BUDGETS}.{name}", windows)


DEFAULTS = Budgets()


def most(windows: Windows, ms: int = DAY_MS) -> tuple[float, str]:
    """How much all windows together allow within any span of `ms`, and which of them says so."""
    return min(((window.within(ms), window.told) for window in windows), default=(inf, ""))
