"""The configuration: `postroom.yaml`, and the one place that reads the environment."""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, model_validator

from engine.errors import RuleError, SettingsError
from engine.rules.findings import RuleErrors, in_order
from engine.rules.places import load_model
from engine.rules.strict import Strict, listed
from engine.rules.yaml import parse_yaml

CONFIG_VARIABLE = "POSTROOM_CONFIG"
LOG_VARIABLE = "POSTROOM_LOG"
LOG_LEVEL_VARIABLE = "POSTROOM_LOG_LEVEL"
LOG_LEVELS = ("debug", "info", "warning", "error")
OTLP_VARIABLE = "OTEL_EXPORTER_OTLP_ENDPOINT"
DEFAULT_FILE = "postroom.yaml"
REDIS_SCHEMES = ("redis://", "rediss://", "unix://")

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
_PREFIX = re.compile(r"[A-Za-z0-9_.:-]{1,100}")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def _seconds(value: Any) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    found = _DURATION.fullmatch(str(value))
    if found is None:
        raise ValueError(f"'{value}' is no duration: write a number with ms, s, m, h, d or w, such as 30s")
    return float(found[1]) * _SECONDS[found[2]]


def duration(text: str) -> float:
    """Read a duration such as 7d, in seconds. Raises SettingsError."""
    try:
        return _seconds(text)
    except ValueError as error:
        raise SettingsError(str(error)) from None


def _poll(value: Any) -> float:
    return 0.0 if value in ("off", "never") else _seconds(value)


def _secret(value: Any, info: ValidationInfo) -> str:
    """Resolve `env:NAME` or `file:PATH`. A secret itself is refused: it does not belong into the file."""
    kind, _, name = str(value).partition(":")
    if kind == "env":
        where, secret = f"the environment variable {name}", os.environ.get(name)
    elif kind == "file":
        path = _folder(info) / name
        where, secret = str(path), _read_secret(path)
    else:
        raise ValueError("must be a reference, env:NAME or file:PATH, never the value itself")
    if secret is None:
        raise ValueError(f"{where} is not set")
    if not secret:
        raise ValueError(f"{where} is empty")
    return secret


def _folder(info: ValidationInfo) -> Path:
    """Where relative paths count from."""
    return Path((info.context or {}).get("folder", "."))


def _read_secret(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path} cannot be read: it is no UTF-8 text") from None


def _optional_secret(value: Any, info: ValidationInfo) -> str | None:
    return None if value in (None, "null", "~") else _secret(value, info)


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"'{name}' is no time zone: write a name such as Europe/Berlin")
    return name


def _optional(value: Any) -> Any:
    return None if value in ("null", "~", "") else value


def _url(value: Any, info: ValidationInfo) -> Any:
    return _secret(value, info) if str(value).startswith(("env:", "file:")) else _optional(value)


def _prefix(text: str) -> str:
    if not _PREFIX.fullmatch(text):
        raise ValueError(f"'{text}' cannot begin keys: use letters, digits, '-', '_', '.' and ':'")
    return text


def _redis_url(url: str | None) -> str | None:
    if url is not None and not url.startswith(REDIS_SCHEMES):
        raise ValueError(f"must begin with {', '.join(REDIS_SCHEMES[:-1])} or {REDIS_SCHEMES[-1]}")
    return url


def _http_url(url: str | None) -> str | None:
    if url is not None and not url.startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://")
    return url


def _number(value: Any) -> Any:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ValueError(f"'{value}' is no number") from None


Duration = Annotated[float, BeforeValidator(_seconds)]
Secret = Annotated[str, BeforeValidator(_secret), Field(repr=False)]
OptionalSecret = Annotated[str | None, BeforeValidator(_optional_secret), Field(repr=False)]
Url = Annotated[str | None, BeforeValidator(_url)]
RedisUrl = Annotated[Url, AfterValidator(_redis_url), Field(repr=False)]
Number = Annotated[float, BeforeValidator(_number)]
Zone = Annotated[str, AfterValidator(_zone)]
Names = Annotated[tuple[str, ...], BeforeValidator(listed)]


class RedisSettings(Strict):
    """Where state lives; with no url, Postroom starts a Redis of its own in the data folder."""

    url: RedisUrl = None
    prefix: Annotated[str, AfterValidator(_prefix)] = "postroom"
    durability: Literal["own", "external"] = "own"


class WebSettings(Strict):
    """Where webhooks are taken."""

    listen: str = "127.0.0.1:8080"
    api_token: OptionalSecret = None
    """Read and checked; nothing asks for it yet."""


class TelemetrySettings(Strict):
    """Where traces go."""

    endpoint: Annotated[Url, AfterValidator(_http_url), Field(repr=False)] = None
    """The root of an OTLP receiver over HTTP; else OTEL_EXPORTER_OTLP_ENDPOINT; with none, no traces."""


class ExecuteSettings(Strict):
    """The time limits of one step of a run."""

    timeout: Annotated[Duration, Field(ge=0.1)] = 20.0
    margin: Duration = 60.0
    look_gap: Duration = 5.0


class AccountSettings(Strict):
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


class MailboxSettings(Strict):
    """One mailbox that rules apply to."""

    account: str
    poll: Annotated[float, BeforeValidator(_poll)] = 60.0
    """Seconds between reads of its history; 0 when only webhooks wake it (`poll: off`)."""
    authserv_id: str | None = None
    """The receiving server's own name (RFC 8601, section 2.2); no condition asks for it yet."""


class HookSettings(Strict):
    """One hook that other systems call; none is served yet."""

    secret: Secret
    verify: Literal["hmac", "bearer"] = "hmac"


class Settings(Strict):
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
    retention: Annotated[Duration, Field(ge=2 * 86_400)] = 30 * 86_400.0
    """How long judged messages and settled runs are remembered; an expired cursor is recovered within it."""
    answer_within: Annotated[Duration, Field(gt=0)] = 7 * 86_400.0
    accounts: dict[str, AccountSettings] = {}
    mailboxes: dict[str, MailboxSettings] = {}
    hooks: dict[str, HookSettings] = {}
    secrets: dict[str, Annotated[str, BeforeValidator(_secret)]] = Field(default={}, repr=False)
    """Secrets that rules name; none does yet."""
    file: str = ""

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


def load_settings(path: str | None = None) -> Settings:
    """Read the configuration from `path`, POSTROOM_CONFIG or ./postroom.yaml; else the defaults.

    Relative paths in the file count from its folder. Raises SettingsError with every problem.
    """
    name = path or os.environ.get(CONFIG_VARIABLE) or ""
    if not name:
        if not Path(DEFAULT_FILE).exists():
            return Settings()
        name = DEFAULT_FILE
    try:
        text = Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{name} cannot be read: {error}") from None
    return _parse(text, name)


def _parse(text: str, name: str) -> Settings:
    try:
        settings = load_model(parse_yaml(text, name), Settings, name, {"folder": Path(name).parent})
    except RuleErrors as errors:
        raise SettingsError("\n".join(map(str, in_order(errors.errors)))) from None
    except RuleError as error:
        raise SettingsError(str(error)) from None
    _check_accounts(settings, name)
    return settings.model_copy(update=_absolute(settings, Path(name).parent) | {"file": name})


def _check_accounts(settings: Settings, name: str) -> None:
    for mailbox, own in settings.mailboxes.items():
        if own.account not in settings.accounts:
            known = ", ".join(sorted(settings.accounts)) or "none"
            where = f"{name}: mailboxes.{mailbox}.account"
            raise SettingsError(f"{where}: there is no account '{own.account}'; there are: {known}")
    users = {account for account, own in settings.accounts.items() if own.grant == "user"}
    for account, boxes in Counter(own.account for own in settings.mailboxes.values()).items():
        if account in users and boxes > 1:
            raise SettingsError(f"{name}: accounts.{account}: a user's consent reaches one mailbox alone")


def _absolute(settings: Settings, folder: Path) -> dict[str, Any]:
    return {
        "data": folder / settings.data,
        "rules": tuple(str(folder / rules) for rules in settings.rules),
        "templates": folder / settings.templates,
    }


def telemetry_endpoint(settings: Settings) -> str | None:
    """Where spans go: what the configuration says, else OpenTelemetry's own variable."""
    return settings.telemetry.endpoint or os.environ.get(OTLP_VARIABLE) or None


def log_level() -> str:
    """`debug`, `info`, `warning` or `error`, from POSTROOM_LOG_LEVEL. Raises SettingsError."""
    level = os.environ.get(LOG_LEVEL_VARIABLE, "info").lower()
    if level not in LOG_LEVELS:
        raise SettingsError(f"{LOG_LEVEL_VARIABLE} is '{level}': write {', '.join(LOG_LEVELS)}")
    return level


def log_format() -> str:
    """`text` or `json`, from POSTROOM_LOG."""
    return os.environ.get(LOG_VARIABLE, "text")
