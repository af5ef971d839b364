"""The configuration: `postroom.yaml`, and the one place that reads the environment."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from engine.errors import RuleError, SettingsError
from engine.mail.events import NAME, is_mailbox
from engine.rules.findings import RuleErrors, in_order
from engine.rules.places import load_model
from engine.rules.strict import Strict
from engine.rules.yaml import Node, parse_yaml
from engine.settings.hooks import HookSettings
from engine.settings.model import AccountSettings, Settings
from engine.settings.values import duration

__all__ = [
    "AccountSettings",
    "Settings",
    "duration",
    "find_file",
    "load_settings",
    "log_format",
    "log_level",
    "mailbox_of",
    "read_file",
    "telemetry_endpoint",
]

M = TypeVar("M", bound=Strict)

CONFIG_VARIABLE = "POSTROOM_CONFIG"
LOG_VARIABLE = "POSTROOM_LOG"
LOG_LEVEL_VARIABLE = "POSTROOM_LOG_LEVEL"
LOG_LEVELS = ("debug", "info", "warning", "error")
OTLP_VARIABLE = "OTEL_EXPORTER_OTLP_ENDPOINT"
DEFAULT_FILE = "postroom.yaml"


def load_settings(path: str | None = None) -> Settings:
    """Read the configuration from `path`, POSTROOM_CONFIG or ./postroom.yaml; else the defaults.

    Relative paths in the file count from its folder. Raises SettingsError with every problem.
    """
    name = find_file(path)
    if name is None:
        return Settings()
    settings = read_file(name, Settings)
    _check_names(settings, name)
    _check_accounts(settings, name)
    _check_hooks(settings, name)
    return settings.read_from(name)


def find_file(path: str | None = None) -> str | None:
    """Say which file is the configuration; None where there is none."""
    name = path or os.environ.get(CONFIG_VARIABLE) or ""
    return name or (DEFAULT_FILE if Path(DEFAULT_FILE).exists() else None)


def read_file(name: str, model: type[M], prepare: Callable[[Node], Node] = lambda root: root) -> M:
    """Read the configuration, or what `prepare` leaves of it. Raises SettingsError with every problem."""
    try:
        root = parse_yaml(Path(name).read_text(encoding="utf-8"), name, "mailboxes")
        return load_model(prepare(root), model, name, {"folder": Path(name).parent})
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{name} cannot be read: {error}") from None
    except RuleErrors as errors:
        raise SettingsError("\n".join(map(str, in_order(errors.errors)))) from None
    except RuleError as error:
        raise SettingsError(str(error)) from None


def _check_names(settings: Settings, name: str) -> None:
    """Names go into log lines, screens and keys as they are."""
    for key, names in (("accounts", settings.accounts), ("mailboxes", settings.mailboxes)):
        for one in names:
            if not one.isprintable() or not one.strip():
                raise SettingsError(f"{name}: {key}: {one!r} is no name: use characters that can be printed")
    for one in settings.mailboxes:
        if not is_mailbox(one):
            raise SettingsError(f"{name}: mailboxes: '{one}' is no mailbox: write an address")


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


def _check_hooks(settings: Settings, name: str) -> None:
    for hook, own in settings.hooks.items():
        if not NAME.fullmatch(hook):
            raise SettingsError(
                f"{name}: hooks: {hook!r} is no name: letters, digits, '-' and '_', at most 63"
            )
        mailbox_of(settings, hook, own, name)


def mailbox_of(settings: Settings, hook: str, own: HookSettings, name: str = "") -> str:
    """Give the mailbox that mail because of a hook leaves from. Raises SettingsError."""
    where = f"{name or settings.file or DEFAULT_FILE}: hooks.{hook}.mailbox"
    known = ", ".join(sorted(settings.mailboxes)) or "none"
    if own.mailbox and own.mailbox not in settings.mailboxes:
        raise SettingsError(f"{where}: there is no mailbox '{own.mailbox}'; there are: {known}")
    if own.mailbox or len(settings.mailboxes) == 1:
        return own.mailbox or next(iter(settings.mailboxes))
    raise SettingsError(f"{where}: write which mailbox its mail leaves from; there are: {known}")


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
