"""What actions have in common that the guard counts: a throttle, and what their author switches off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, get_args

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from engine.rules.action import Action
from engine.rules.budgets import LONGEST_S, MOST
from engine.rules.captures import fill, only_plain
from engine.rules.effects import Switch
from engine.rules.effects import Throttle as Limit
from engine.rules.quantities import Duration, Quantity
from engine.rules.strict import Strict, Whole, Words, some
from engine.rules.text import Captures


def _some(number: int) -> int:
    if not 1 <= number <= MOST:
        raise ValueError(f"must be at least 1 and at most {MOST}")
    return number


def _bounded(span: Quantity) -> Quantity:
    if span.value > LONGEST_S:
        raise ValueError("a throttle counts within 31d at most")
    return span


def _key(text: str) -> str:
    if not only_plain(text):
        raise ValueError("a throttle's key is a text in which captures may stand: {{ captures.NAME }}")
    return text


class Throttle(Strict):
    """At most so many within a window; what is beyond is held, and the receipt says so."""

    hints: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("limit", "max", "count", "most"), "write 'at_most'"),
        **dict.fromkeys(("every", "within", "window", "seconds"), "write 'per'"),
    }

    at_most: Annotated[Whole, AfterValidator(_some)] = Field(
        description="How many.", json_schema_extra={"minimum": 1, "maximum": MOST}
    )
    per: Annotated[Duration, AfterValidator(_bounded)] = Field(description="Within which time, such as 1h.")
    key: Annotated[Words, AfterValidator(_key)] = Field(
        "",
        description="What is counted apart, such as `{{ captures.host }}`; all of the rule's unless given.",
    )


def _reason(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty; say why this is safe")
    return text


_SWITCH_SCHEMA = {"enum": list(get_args(Switch))}
_SWITCHES_SCHEMA = {"anyOf": [_SWITCH_SCHEMA, {"type": "array", "items": _SWITCH_SCHEMA, "minItems": 1}]}


class Unguarded(Strict):
    """What of the guard is switched off, and why that is safe; `check` shows it."""

    hints: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("why", "because"), "write 'reason'"),
        **dict.fromkeys(("skip", "disable", "without"), "write 'off'"),
    }

    off: Annotated[tuple[Switch, ...], BeforeValidator(some), WithJsonSchema(_SWITCHES_SCHEMA)] = Field(
        description="`automated`: automatic mail is answered as well; `no_reply`: such addresses too; "
        "`own`: our own mail too; `vacation`: also while the mailbox answers by itself; "
        "`budget`: more than `outbound.budgets` says."
    )
    reason: Annotated[Words, AfterValidator(_reason)] = Field(description="Why that is safe here.")


class Limited(Action):
    """An action that is held where too many were done already."""

    throttle: Throttle | None = Field(None, description="At most so many in a window, over all mailboxes.")

    def limit(self, captures: Captures) -> Limit | None:
        """Give its throttle with captures filled in."""
        if self.throttle is None:
            return None
        own = self.throttle
        return Limit(at_most=own.at_most, seconds=own.per.value, key=fill(own.key, captures))

    def texts(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        yield from super().texts()
        if self.throttle:
            yield ("throttle", "key"), self.throttle.key
