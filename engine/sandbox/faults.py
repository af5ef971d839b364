"""Failures on demand: what the service is told to do wrong, when and how often.

Scripted faults are shown one after another; a share of all calls may fail at random beside them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from engine.sandbox.failure import invalid
from engine.sandbox.limits import Limit

Kind = Literal[
    "429", "429-daily", "500", "503", "401", "revoked", "expired",
    "slow", "cut", "lost", "silent", "refused",
]  # fmt: skip
Form = Literal["none", "seconds", "date", "iso", "reset"]
"""How an answer tells when to come back: not at all, `Retry-After` in three forms, `X-RateLimit-Reset`."""

USUAL: tuple[Kind, ...] = ("429", "500", "503", "slow", "cut", "lost", "refused")
FORMS: tuple[Form, ...] = get_args(Form)
OAUTH = frozenset({"token", "revoke"})
"""Names of the calls beside the API's operations."""
_OF_THE_API = frozenset({"401", "revoked", "expired"})
_HISTORY = "list_mailbox_history"
_LONGEST_CUT = 400
PRESETS: dict[Kind, dict[str, object]] = {
    "429": {"status": 429, "limit": "QPS", "form": "reset"},
    "429-daily": {"status": 429, "limit": "Daily-limit", "form": "iso"},
    "500": {"status": 500},
    "503": {"status": 503},
    "401": {"status": 401},
    "revoked": {"revoke": True},
    "expired": {"expire": True},
    "cut": {"cut": 20},
    "lost": {"drop_after": True},
    "silent": {"silent": True},
    "refused": {"drop_before": True},
    "slow": {"delay": 1.0},
}
"""What each kind stands for; a fault may name a kind and change parts of it."""


_STRICT = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Fault(BaseModel):
    """One thing to do wrong. Several may be said at once: a delay, then a status."""

    model_config = _STRICT

    operation: str
    """An operationId of the OpenAPI file, `token`, `revoke`, or `*` for any."""
    times: int = Field(1, ge=1)
    kind: Kind | None = None
    status: int = 0
    """Answer with this status and do nothing; 0 for none."""
    limit: Limit | None = None
    """The rate limit that a 429 tells of, in Zoom's headers."""
    form: Form = "none"
    wait: float = Field(1.0, ge=0, le=86_400)
    """Seconds until the caller may come back, told in that form."""
    retry_after: str = Field("", pattern=r"^[ -~]*$", max_length=200)
    """The very text of Retry-After, instead of `form`."""
    revoke: bool = False
    """Revoke every token, then go on."""
    expire: bool = False
    """Expire the mailbox's history, then go on."""
    delay: float = Field(0.0, ge=0)
    """Seconds to wait before doing anything."""
    delay_after: float = Field(0.0, ge=0)
    """Seconds to wait between doing it and the answer."""
    drop_before: bool = False
    """Cut the connection before doing anything."""
    drop_after: bool = False
    """Do what was asked, then cut the connection without an answer."""
    silent: bool = False
    """Do what was asked, and never answer."""
    cut: int | None = Field(None, ge=0)
    """Cut the connection after so many bytes of the answer's body."""

    @model_validator(mode="before")
    @classmethod
    def _filled(cls, given: Any) -> Any:
        preset = PRESETS.get(given["kind"]) if isinstance(given, dict) and _named(given) else None
        return {**preset, **given} if preset else given

    @model_validator(mode="after")
    def _refusing(self) -> Self:
        if self.status and not 400 <= self.status <= 599:
            raise ValueError("status lies between 400 and 599")
        return self

    @property
    def name(self) -> str:
        """Its kind, or what comes nearest."""
        if self.kind or self.status:
            return self.kind or str(self.status)
        return next((kind for kind in PRESETS if self.model_fields_set & PRESETS[kind].keys()), "slow")


class Share(BaseModel):
    """Let a share of the calls fail at random, until replaced or reset."""

    model_config = _STRICT

    operation: str = "*"
    share: float = Field(ge=0, le=1)
    seed: int = 0
    kinds: list[Kind] = Field(list(USUAL), min_length=1)
    longest_wait: float = Field(1.0, ge=0, le=86_400)
    """Seconds that a slow call takes, or that a refused one is told to wait, at most."""


@dataclass(slots=True)
class Faults:
    """The faults still to be shown, in the order in which they were asked for, and the shares."""

    waiting: list[Fault] = field(default_factory=list)
    shares: dict[str, tuple[Share, Random]] = field(default_factory=dict)
    shown: Counter[str] = field(default_factory=Counter)
    """How often each kind was shown."""

    def add(self, wanted: list[Fault | Share]) -> None:
        """Put faults behind those that wait; a share takes the place of the operation's last one."""
        for one in wanted:
            if isinstance(one, Fault):
                self.waiting.append(one)
            else:
                self.shares[one.operation] = one, Random(one.seed)

    def clear(self) -> None:
        """Drop what waits and all shares."""
        self.waiting.clear()
        self.shares.clear()

    def take(self, operation: str) -> Fault | None:
        """Take the first fault meant for a call, or draw one."""
        fault = self._scripted(operation) or self._drawn(operation)
        if fault is not None:
            self.shown[fault.name] += 1
        return fault

    def _scripted(self, operation: str) -> Fault | None:
        for index, fault in enumerate(self.waiting):
            if fault.operation in (operation, "*"):
                left = fault.model_copy(update={"times": fault.times - 1})
                self.waiting[index : index + 1] = [left] if left.times > 0 else []
                return fault
        return None

    def _drawn(self, operation: str) -> Fault | None:
        share, random = self.shares.get(operation) or self.shares.get("*") or (None, None)
        if share is None or random is None or random.random() >= share.share:
            return None
        kinds = [kind for kind in share.kinds if _fits(kind, operation)]
        return _draw(random.choice(kinds), random, operation, share.longest_wait) if kinds else None


def read_faults(body: object, operations: frozenset[str]) -> list[Fault | Share]:
    """Read faults from JSON: a list, or one alone. Raises ApiError 400 naming what is wrong."""
    given = body["faults"] if isinstance(body, dict) and "faults" in body else body
    items = [given] if isinstance(given, dict) else given
    if not isinstance(items, list):
        raise invalid("faults", "Send a fault or a list of them.")
    return [_read(item, operations | OAUTH | {"*"}) for item in items]


def _read(item: object, operations: frozenset[str]) -> Fault | Share:
    kind: type[Fault | Share] = Share if isinstance(item, dict) and "share" in item else Fault
    try:
        read = kind.model_validate(item)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"]))[:100] or "faults"
        raise invalid(place, f"{place}: {first['msg']}") from error
    if read.operation not in operations:
        raise invalid("operation", "operation is an operationId of the API, token, revoke or *.")
    return read


def _named(given: dict[Any, Any]) -> bool:
    return isinstance(given.get("kind"), str)


def _fits(kind: Kind, operation: str) -> bool:
    """Whether a kind can happen to a call: tokens are of no use to the token endpoint."""
    return operation == _HISTORY if kind == "expired" else kind not in _OF_THE_API or operation not in OAUTH


_CHANCE: dict[Kind, Callable[[Random, float], dict[str, object]]] = {
    "429": lambda random, longest: {"form": random.choice(FORMS), "wait": random.uniform(0, longest)},
    "429-daily": lambda random, longest: {"wait": random.uniform(0, longest)},
    "503": lambda random, longest: {"form": random.choice(FORMS), "wait": random.uniform(0, longest)},
    "slow": lambda random, longest: {
        "delay": 0.0,
        random.choice(("delay", "delay_after")): random.uniform(0, longest),
    },
    "cut": lambda random, _longest: {"cut": random.randrange(_LONGEST_CUT)},
}


def _draw(kind: Kind, random: Random, operation: str, longest: float) -> Fault:
    """Make a fault of a kind, what the kind leaves open at random."""
    chance = _CHANCE.get(kind)
    drawn = chance(random, longest) if chance else {}
    return Fault.model_validate({"operation": operation, "kind": kind, **drawn})
