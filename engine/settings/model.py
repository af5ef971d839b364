"""The shape of `postroom.yaml`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, PrivateAttr, model_validator

from engine.rules.strict import Strict
from engine.rules.templated import LONGEST_APPROVAL_S
from engine.settings.hooks import Attachments, HookSettings
from engine.settings.outside import EndpointSettings, OutboundSettings
from engine.settings.values import (
    Duration,
    HttpUrl,
    Names,
    Number,
    OptionalSecret,
    Poll,
    Prefix,
    RedisUrl,
    Secret,
    SecretText,
    ServerNames,
    Url,
    Zone,
    bounded,
)


class Section(Strict):
    """A part of the configuration; a key without a value is one that is not set."""

    empty_is_unset: ClassVar[bool] = True


class RedisSettings(Section):
    """Where state lives; with no url, Postroom starts a Redis of its own in the data folder."""

    url: RedisUrl = None
    prefix: Prefix = "postroom"
    durability: Literal["own", "external"] = "own"


class WebSettings(Section):
    """Where webhooks are taken."""

    listen: str = "127.0.0.1:8080"
    api_token: OptionalSecret = None
    """What callers of the API show; without it, there is none."""
    attachments: Attachments = 10_000_000
    """Bytes of files that one message may bring along that the API is asked to send."""


class TelemetrySettings(Section):
    """Where traces go."""

    endpoint: HttpUrl = None
    """The root of an OTLP receiver over HTTP; else OTEL_EXPORTER_OTLP_ENDPOINT; with none, no traces."""


class ExecuteSettings(Section):
    """The time limits of one step of a run."""

    timeout: Annotated[Duration, Field(ge=0.1)] = 20.0
    margin: Duration = 60.0
    look_gap: Duration = 5.0


class ApprovalSettings(Section):
    """What waits for a person."""

    expire: Annotated[Duration, bounded(most=LONGEST_APPROVAL_S)] = 3 * 86_400.0
    """How long, where a rule does not say."""


class AccountSettings(Section):
    """Credentials at one provider."""

    provider: Literal["zoom"]
    grant: Literal["account", "user"] = "account"
    account_id: str = ""
    client_id: str
    client_secret: Secret
    refresh_token: OptionalSecret = None
    """What a consent gave: the first of a chain, of which Redis keeps the last."""
    webhook_secret: OptionalSecret = None
    webhook_max_age: Duration = 5400.0
    budget: Number = Field(default=0.5, gt=0, le=1)
    limits: Literal["business", "off"] = "business"
    url: Url = None

    @model_validator(mode="after")
    def _granted(self) -> Self:
        wanted, other = ("account_id", "refresh_token")[:: 1 if self.grant == "account" else -1]
        if getattr(self, wanted) and not getattr(self, other):
            return self
        raise ValueError(f"grant: {self.grant} goes with '{wanted}' and without '{other}'")


class MailboxSettings(Section):
    """One mailbox that rules apply to."""

    account: str
    poll: Poll = 60.0
    """Seconds between reads of its history; 0 when only webhooks wake it (`poll: off`)."""
    timezone: Zone | None = None
    """In which `received` reads times; the global one unless given."""
    authserv_id: ServerNames = ()
    """The receiving server's own name or names (RFC 8601, section 2.2), which `auth` believes alone."""


class Settings(Section):
    """All of it, built once and passed in."""

    version: Annotated[Literal[1], BeforeValidator(lambda v: int(v) if str(v).isdigit() else v)] = 1
    timezone: Zone = "UTC"
    data: Path = Path("data")
    redis: RedisSettings = RedisSettings()
    rules: Names = ("rules",)
    templates: Path = Path("templates")
    web: WebSettings = WebSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    execute: ExecuteSettings = ExecuteSettings()
    approvals: ApprovalSettings = ApprovalSettings()
    retention: Annotated[Duration, bounded(least=2 * 86_400)] = 30 * 86_400.0
    """How long judged messages and settled runs are remembered; an expired cursor is recovered within it."""
    answer_within: Annotated[Duration, bounded()] = 7 * 86_400.0
    accounts: dict[str, AccountSettings] = {}
    mailboxes: dict[str, MailboxSettings] = {}
    hooks: dict[str, HookSettings] = {}
    outbound: OutboundSettings = OutboundSettings()
    endpoints: dict[str, EndpointSettings] = {}
    """Other systems that rules may call."""
    folders: dict[str, Path] = {}
    """Where rules may save files."""
    secrets: dict[str, SecretText] = Field(default={}, repr=False)
    """Secrets that rules name; none does yet."""
    _file: str = PrivateAttr("")

    @property
    def file(self) -> str:
        """Where it was read; "" for the defaults."""
        return self._file

    def read_from(self, file: str) -> Settings:
        """Give it with the file that it was read from, and paths that count from there."""
        folder = Path(file).parent
        found = self.model_copy(
            update={
                "data": folder / self.data,
                "rules": tuple(str(folder / rules) for rules in self.rules),
                "templates": folder / self.templates,
                "folders": {name: folder / path for name, path in self.folders.items()},
            }
        )
        found._file = file
        return found

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)
