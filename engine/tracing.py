"""One id for all that follows from one cause, from webhook to receipt. A leaf: every part may ask.

The cause is named by a W3C traceparent, `00-{trace id}-{span id}-{flags}`; it travels in a context
variable within a task, and in Redis from one process to the next. Spans go nowhere until
`engine.telemetry` opens a way out: until then they cost next to nothing.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field

_HEADER = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?")
_NOTHING = nullcontext()
_CURRENT: ContextVar[str] = ContextVar("traceparent", default="")


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of work about to begin."""

    name: str
    parent: str
    """The traceparent that it follows, "" for a beginning."""
    attributes: dict[str, str | int]
    links: Sequence[str] = field(default=())
    """Other causes of the same work."""


Opener = Callable[[Span], AbstractContextManager[str]]
"""Opens a span and gives its own traceparent."""

_opener: Opener | None = None


def new() -> str:
    """A cause of our own."""
    ids = secrets.token_hex(24)
    return f"00-{ids[:32]}-{ids[32:]}-01"


def read(header: str) -> str:
    """Take over a traceparent; "" where there is none that holds (W3C Trace Context, section 3.2).

    It counts as sampled whatever its flags say: whether spans are kept is ours to decide.
    """
    found = _HEADER.fullmatch(header) if len(header) <= 200 else None
    return f"00-{found[1]}-{found[2]}-01" if found else ""


def current() -> str:
    """The traceparent of the work at hand, "" when it has none."""
    return _CURRENT.get()


def id_of(traceparent: str) -> str:
    """The one id that logs show: the trace id."""
    return traceparent[3:35]


def span(
    name: str, parent: str | None = None, links: Sequence[str] = (), **attributes: str | int
) -> AbstractContextManager[None]:
    """Work for a cause: `parent`, a new one when that is "", and the current one, if any, when it is None."""
    if _opener is None:
        return _NOTHING if parent is None else _Following(parent or new())
    return _within(_opener(Span(name, _CURRENT.get() if parent is None else parent, attributes, links)))


def send_to(opener: Opener | None) -> None:
    """Open spans by `opener` from now on; None ends that."""
    global _opener  # noqa: PLW0603 - one way out for the whole process
    _opener = opener


@contextmanager
def _within(opened: AbstractContextManager[str]) -> Iterator[None]:
    with opened as here, _Following(here):
        yield


class _Following(AbstractContextManager[None]):
    """Makes a traceparent the current one; a generator would cost each webhook several times as much."""

    __slots__ = ("_parent", "_token")

    def __init__(self, parent: str) -> None:
        self._parent = parent

    def __enter__(self) -> None:
        self._token = _CURRENT.set(self._parent)

    def __exit__(self, *_: object) -> None:
        _CURRENT.reset(self._token)
