"""Values as the configuration writes them: durations, secrets by reference, addresses."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from engine.errors import SettingsError
from engine.mail.address import parse_address
from engine.mail.compose import is_sendable
from engine.rules.budgets import span
from engine.rules.strict import listed

REDIS_SCHEMES = ("redis://", "rediss://", "unix://")

_DOMAIN = re.compile(r"@?(?:\*\.)?[^\s@*]+\.[^\s@*]+")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
_SERVER_NAME = re.compile(r"[^\s;,()<>\"]{1,255}")
_PREFIX = re.compile(r"[A-Za-z0-9_.:-]{1,100}")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def seconds(value: Any) -> float:
    """Read a duration, or a number of seconds. Raises ValueError."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        what = f"'{value}' is no duration" if isinstance(value, str) else "must be a duration"
        raise ValueError(f"{what}: write a number with ms, s, m, h, d or w, such as 30s")
    return float(found[1]) * _SECONDS[found[2]]


def bounded(least: int = 1, most: int | None = None) -> AfterValidator:
    """Bound a duration, in seconds."""

    def check(value: float) -> float:
        if value < least:
            raise ValueError(f"must be at least {span(least)}")
        if most is not None and value > most:
            raise ValueError(f"must be at most {span(most)}")
        return value

    return AfterValidator(check)


def duration(text: str) -> float:
    """Read a duration such as 7d, in seconds. Raises SettingsError."""
    try:
        return seconds(text)
    except ValueError as error:
        raise SettingsError(str(error)) from None


def _poll(value: Any) -> float:
    return 0.0 if value in ("off", "never") else seconds(value)


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


def _server_names(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if not _SERVER_NAME.fullmatch(name):
            raise ValueError(
                f"'{name}' is no server's name: write it as the server does, such as mx.acme.example"
            )
    return names


def _redis_url(url: str | None) -> str | None:
    if url is not None and not url.startswith(REDIS_SCHEMES):
        raise ValueError(f"must begin with {', '.join(REDIS_SCHEMES[:-1])} or {REDIS_SCHEMES[-1]}")
    return url


def _http_url(url: str | None) -> str | None:
    if url is not None and not url.startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://")
    return url


def allowed(entry: str) -> str:
    """Check a domain or an address of a list. Raises ValueError."""
    address = parse_address(entry)
    if not _DOMAIN.fullmatch(entry) and not (is_sendable(address) and address.address == entry):
        raise ValueError(
            f"'{entry}' is no domain or address: write partner.example, *.partner.example, a@b.example"
        )
    return entry


def _number(value: Any) -> Any:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ValueError(f"'{value}' is no number") from None


Duration = Annotated[float, BeforeValidator(seconds)]
SecretText = Annotated[str, BeforeValidator(_secret)]
Secret = Annotated[SecretText, Field(repr=False)]
OptionalSecret = Annotated[str | None, BeforeValidator(_optional_secret), Field(repr=False)]
Url = Annotated[str | None, BeforeValidator(_url)]
RedisUrl = Annotated[Url, AfterValidator(_redis_url), Field(repr=False)]
Number = Annotated[float, BeforeValidator(_number)]
Zone = Annotated[str, AfterValidator(_zone)]
Names = Annotated[tuple[str, ...], BeforeValidator(listed)]
ServerNames = Annotated[Names, AfterValidator(_server_names)]
Poll = Annotated[float, BeforeValidator(_poll)]
Prefix = Annotated[str, AfterValidator(_prefix)]
Allowed = Annotated[tuple[Annotated[str, AfterValidator(allowed)], ...], BeforeValidator(listed)]
HttpUrl = Annotated[Url, AfterValidator(_http_url), Field(repr=False)]
