"""What rules may reach beyond their mailbox, as the configuration says it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter, ValidationInfo

from engine.rules.budgets import Budgets
from engine.rules.reach import Reach, recipients
from engine.rules.strict import Flag, Strict
from engine.settings.budgets import BudgetSettings
from engine.settings.values import Allowed, OptionalSecret, SecretText


class OutboundSettings(Strict):
    """Where mail may go, and where it never goes."""

    allow: Allowed = ()
    """Where mail may be forwarded to beside our own domains."""
    suppress: Allowed = ()
    """Whom nothing is sent to."""
    budgets: BudgetSettings = BudgetSettings()
    """How many automatic mails there may be."""


def reach_of(
    mailboxes: Iterable[str],
    outbound: OutboundSettings,
    endpoints: Iterable[str] = (),
    folders: Iterable[str] = (),
) -> Reach:
    """Say what rules may reach; without mailboxes it is unknown whom we are."""
    own = tuple(mailboxes)
    permitted = recipients(own, outbound.allow) if own else None
    return Reach(permitted, frozenset(endpoints), frozenset(folders))


def budgets_of(mailboxes: Iterable[str], outbound: OutboundSettings) -> Budgets:
    """Say what all sends have to keep to."""
    own = outbound.budgets
    named = tuple((name, recipients((), [name]), own.named[name]) for name in sorted(own.named, key=_width))
    ours, never = recipients(mailboxes, outbound.allow), recipients((), outbound.suppress)
    return Budgets(own.recipient, own.own, own.rule, own.mailbox, own.exchanges, named, ours, never)


def _width(name: str) -> tuple[bool, bool, int]:
    """Put addresses before domains, and those before all that lies below one, the longest first."""
    bare = name.removeprefix("@")
    return "@" not in bare, bare.startswith("*."), -len(bare)


_URL = re.compile(r"https?://[^\s/@?#]+(?:[/?][^\s#]*)?", re.I)
_FIELD = re.compile(r"[A-Za-z0-9-]{1,76}")
OURS = frozenset(
    [
        "host",
        "content-length",
        "content-type",
        "transfer-encoding",
        "connection",
        "authorization",
        "idempotency-key",
        "postroom-signature",
    ]
)
"""Fields that are written here."""


def _referred(value: Any, info: ValidationInfo) -> Any:
    """Resolve `env:NAME` and `file:PATH`, where anything else stands for itself."""
    return REFERENCE.validate_python(value, context=info.context) if str(value).startswith(REFERS) else value


def _url(url: str) -> str:
    if not _URL.fullmatch(url):
        raise ValueError("must be an address such as https://api.acme.example/orders, without a user or '#'")
    return url


def _header(name: str) -> str:
    if not _FIELD.fullmatch(name) or name.lower() in OURS:
        raise ValueError(f"'{name}' is no header field that can be added")
    return name


def _value(text: str) -> str:
    if not text.isprintable() or not text.isascii():
        raise ValueError("must be one line of plain ASCII")
    return text


REFERS = ("env:", "file:")
REFERENCE: TypeAdapter[str] = TypeAdapter(SecretText)
EndpointUrl = Annotated[str, BeforeValidator(_referred), AfterValidator(_url), Field(repr=False)]
HeaderValue = Annotated[str, BeforeValidator(_referred), AfterValidator(_value)]
HeaderFields = Annotated[dict[Annotated[str, AfterValidator(_header)], HeaderValue], Field(repr=False)]


class EndpointSettings(Strict):
    """One address of another system, which rules call by its name."""

    empty_is_unset: ClassVar[bool] = True

    url: EndpointUrl
    method: Literal["POST", "PUT", "PATCH"] = "POST"
    secret: OptionalSecret = None
    """Signs each call: HMAC-SHA256 over time and body, in `Postroom-Signature`."""
    bearer: OptionalSecret = None
    headers: HeaderFields = {}
    """Further header fields, the same for each call."""
    keyed: Flag = False
    """Whether it takes two calls with one `Idempotency-Key` for one."""
    private: Flag = False
    """Whether it may lie in a private network, or on this machine."""
