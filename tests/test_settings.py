"""The configuration: defaults, every mistake with its place, secrets that never show."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import SettingsError
from engine.settings import Settings, duration, load_settings, log_format

SECRET = "very-" + "s3cret"
ACCOUNT = "acme: {provider: zoom, account_id: A1, client_id: C1, client_secret: env:ZOOM_SECRET}"
WHOLE = """version: 1
timezone: Europe/Berlin
data: state
redis: {url: env:REDIS_URL, prefix: mine, durability: external}
rules: [rules, more/rules.yaml]
templates: texts
web: {listen: '127.0.0.1:9090'}
execute: {timeout: 10s, margin: 500ms, look_gap: 1m}
retention: 2w
accounts:
  acme: {provider: zoom, account_id: A1, client_id: C1, client_secret: env:ZOOM_SECRET,
         webhook_secret: file:secrets/hook, webhook_max_age: 90m, budget: 0.25, limits: off, url: null}
mailboxes:
  support@acme.example: {account: acme, poll: 30s}
  sales@acme.example: {account: acme, poll: off}
  info@acme.example: {account: acme}
x-note: ours
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for a configuration, which is not the current one."""
    for name in ("POSTROOM_CONFIG", "POSTROOM_LOG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ZOOM_SECRET", SECRET)
    monkeypatch.setenv("REDIS_URL", f"redis://:{SECRET}@redis.example:6379/1")
    folder = tmp_path / "etc"
    (folder / "secrets").mkdir(parents=True)
    (folder / "secrets" / "hook").write_text(f"hook-{SECRET}\n")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return folder


def load(folder: Path, text: str) -> Settings:
    path = folder / "postroom.yaml"
    path.write_text(text)
    return load_settings(str(path))


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(SettingsError) as raised:
        load(folder, text)
    return str(raised.value).replace(f"{folder}/", "")


def test_with_no_file_the_defaults_hold(folder: Path) -> None:
    settings = load_settings()
    assert settings == Settings()
    assert settings.redis.url is None
    assert (settings.redis.prefix, settings.redis.durability) == ("postroom", "own")
    assert settings.web.listen == "127.0.0.1:8080"
    assert (settings.execute.timeout, settings.execute.margin) == (20.0, 60.0)
    assert settings.retention == 30 * 86_400


def test_everything_that_can_be_written(folder: Path) -> None:
    settings = load(folder, WHOLE)
    account = settings.accounts["acme"]
    assert settings.zone.key == "Europe/Berlin"
    assert (settings.data, settings.templates) == (folder / "state", folder / "texts")
    assert settings.rules == (str(folder / "rules"), str(folder / "more/rules.yaml"))
    assert settings.redis.url == f"redis://:{SECRET}@redis.example:6379/1"
    assert (settings.execute.timeout, settings.execute.margin, settings.execute.look_gap) == (10, 0.5, 60)
    assert settings.retention == 14 * 86_400
    assert (account.client_secret, account.webhook_secret) == (SECRET, f"hook-{SECRET}")
    assert (account.webhook_max_age, account.budget, account.limits, account.url) == (5400, 0.25, "off", None)
    assert [box.poll for box in settings.mailboxes.values()] == [30, 0, 60]


def test_an_absolute_path_stays_what_it_is(folder: Path, tmp_path: Path) -> None:
    assert load(folder, f"version: 1\ndata: {tmp_path}/data\n").data == tmp_path / "data"


def test_the_environment_names_the_file_and_an_option_comes_before_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(folder, "version: 1\ntimezone: Asia/Tokyo\n")
    monkeypatch.setenv("POSTROOM_CONFIG", str(folder / "postroom.yaml"))
    assert load_settings().timezone == "Asia/Tokyo"
    other = folder / "other.yaml"
    other.write_text("version: 1\ntimezone: Europe/Paris\n")
    assert load_settings(str(other)).timezone == "Europe/Paris"


def test_the_file_in_the_current_folder_is_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load(folder, "version: 1\ntimezone: Asia/Tokyo\n")
    monkeypatch.chdir(folder)
    settings = load_settings()
    assert settings.timezone == "Asia/Tokyo"
    assert settings.data == Path("data")


def test_secrets_show_nowhere(folder: Path) -> None:
    shown = repr(load(folder, WHOLE)) + str(load(folder, WHOLE).accounts) + str(load(folder, WHOLE).redis)
    assert SECRET not in shown


MISTAKES = [
    pytest.param("redis: {prefix: a'b}", "redis.prefix: 'a'b' cannot begin keys", id="a quote in the prefix"),
    pytest.param(
        "versoin: 1",
        "postroom.yaml:1:1 versoin: unknown key 'versoin'; did you mean 'version'?",
        id="a wrong key",
    ),
    pytest.param("file: x", "postroom.yaml:1:1 file: unknown key 'file'", id="what is no key"),
    pytest.param("# mine\n", "is empty; write 'mailboxes:' and mailboxes below it", id="nothing"),
    pytest.param("version: 2", "postroom.yaml:1:10 version: ", id="another version"),
    pytest.param(
        "timezone: Berlin",
        "postroom.yaml:1:11 timezone: 'Berlin' is no time zone: write a name such as",
        id="no time zone",
    ),
    pytest.param(
        "retention: long",
        "postroom.yaml:1:12 retention: 'long' is no duration: write a number with ms, s, m, h, d or w",
        id="no duration",
    ),
    pytest.param(
        "retention: 1h",
        "postroom.yaml:1:12 retention: must be at least 2d",
        id="a retention that is too short to recover from",
    ),
    pytest.param(
        "approvals: {expire: 30d}",
        "postroom.yaml:1:21 approvals.expire: must be at most 14d",
        id="approvals that wait for ages",
    ),
    pytest.param(
        "approvals: {expire: [3d]}",
        "postroom.yaml:1:21 approvals.expire: must be a duration: write a number with ms, s",
        id="a duration in a list",
    ),
    pytest.param(
        "execute: {timeout: -5s}",
        "postroom.yaml:1:20 execute.timeout: '-5s' is no duration",
        id="a negative duration",
    ),
    pytest.param(
        "execute: {timeout: 0s}",
        "postroom.yaml:1:20 execute.timeout: Input should be greater than or equal to 0.1",
        id="no time for a step at all",
    ),
    pytest.param(
        "redis: {durability: maybe}",
        "postroom.yaml:1:21 redis.durability: unknown value 'maybe'",
        id="a wrong choice",
    ),
    pytest.param(
        "redis: {url: http://x}",
        "postroom.yaml:1:14 redis.url: must begin with redis://, rediss:// or unix://",
        id="no Redis URL",
    ),
    pytest.param(
        "redis: {url: env:NOT_SET}",
        "postroom.yaml:1:14 redis.url: the environment variable NOT_SET is not set",
        id="a URL in no variable",
    ),
    pytest.param(
        "web: {listen: [1]}", "postroom.yaml:1:15 web.listen: must be a text", id="a list for a text"
    ),
    pytest.param("web: here", "postroom.yaml:1:6 web: must be a map", id="a text for a map"),
    pytest.param("version: 1\nversion: 1", "postroom.yaml:2:1", id="a key twice"),
    pytest.param("a: &x 1", "postroom.yaml:1:4", id="an anchor"),
    pytest.param("a: [", "postroom.yaml:", id="broken YAML"),
    pytest.param("- a", "postroom.yaml:1:1", id="a list for all"),
    pytest.param(
        "accounts: {acme: {provider: zoom}}",
        "postroom.yaml:1:18 accounts.acme: 'client_id' is missing",
        id="an account without its app",
    ),
    pytest.param(
        f"accounts: {{{ACCOUNT.replace('account_id: A1, ', '')}}}",
        "postroom.yaml:1:18 accounts.acme: grant: account goes with 'account_id' and without 'refresh_token'",
        id="an account without its id",
    ),
    pytest.param(
        f"accounts: {{{ACCOUNT[:-1]}, refresh_token: env:ZOOM_SECRET}}}}",
        "accounts.acme: grant: account goes with 'account_id' and without 'refresh_token'",
        id="an account with a user's refresh token",
    ),
    pytest.param(
        f"accounts: {{{ACCOUNT[:-1]}, grant: user, refresh_token: env:ZOOM_SECRET}}}}",
        "accounts.acme: grant: user goes with 'refresh_token' and without 'account_id'",
        id="a user with an account's id",
    ),
    pytest.param(
        f"accounts: {{{ACCOUNT.replace('account_id: A1', 'grant: user')}}}",
        "accounts.acme: grant: user goes with 'refresh_token' and without 'account_id'",
        id="a user without a refresh token",
    ),
    pytest.param(
        f"accounts: {{{ACCOUNT.replace('account_id: A1', 'grant: user, refresh_token: env:ZOOM_SECRET')}}}\n"
        "mailboxes: {a@x.example: {account: acme}, b@x.example: {account: acme}}",
        "postroom.yaml: accounts.acme: a user's consent reaches one mailbox alone",
        id="a user with two mailboxes",
    ),
    pytest.param(
        "accounts: {acme: {provider: gmail}}",
        "accounts.acme.provider: unknown value 'gmail'",
        id="a provider that there is not",
    ),
    pytest.param(
        f"accounts: {{{ACCOUNT[:-1]}, budget: 2}}}}", "accounts.acme.budget: ", id="more than all the budget"
    ),
    pytest.param(
        f"accounts: {{{ACCOUNT[:-1]}, budget: lots}}}}",
        "accounts.acme.budget: 'lots' is no number",
        id="no number",
    ),
    pytest.param(
        'mailboxes: {"a\\e[2J@x.example": {account: acme}}',
        "is no name: use characters that can be printed",
        id="a name that would write to the terminal",
    ),
    pytest.param(
        "mailboxes: {a@x.example: {account: acme}}",
        "mailboxes.a@x.example.account: there is no account 'acme'; there are: none",
        id="an account that there is not",
    ),
    pytest.param(
        "mailboxes: {a@x.example: {account: acme, poll: often}}",
        "postroom.yaml:1:48 mailboxes.a@x.example.poll: 'often' is no duration",
        id="no interval",
    ),
]


@pytest.mark.parametrize(("text", "said"), MISTAKES)
def test_a_mistake_is_named_with_its_place_and_what_to_write(folder: Path, text: str, said: str) -> None:
    assert said in refusal(folder, text)


def test_all_mistakes_are_named_at_once(folder: Path) -> None:
    said = refusal(folder, "timezone: Mars\nretention: long\nweb: {lisen: x}\n").splitlines()
    assert [line.split(" ")[0] for line in said] == [
        "postroom.yaml:1:11",
        "postroom.yaml:2:12",
        "postroom.yaml:3:7",
    ]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        pytest.param(
            SECRET, "must be a reference, env:NAME or file:PATH, never the value itself", id="itself"
        ),
        pytest.param("env:NOT_SET", "the environment variable NOT_SET is not set", id="no such variable"),
        pytest.param("env:EMPTY", "the environment variable EMPTY is empty", id="an empty variable"),
        pytest.param("file:secrets/no", "cannot be read: No such file or directory", id="no such file"),
        pytest.param("file:secrets/empty", "secrets/empty is empty", id="an empty file"),
        pytest.param("file:secrets", "cannot be read: Is a directory", id="a folder"),
        pytest.param("file:secrets/binary", "cannot be read: it is no UTF-8 text", id="a binary file"),
        pytest.param("[a, b]", "must be a reference", id="a list"),
        pytest.param("''", "must be a reference", id="nothing"),
    ],
)
@pytest.mark.parametrize("key", ["client_secret", "webhook_secret"])
def test_a_secret_is_a_reference_that_leads_somewhere(
    folder: Path, monkeypatch: pytest.MonkeyPatch, key: str, value: str, said: str
) -> None:
    monkeypatch.setenv("EMPTY", "")
    (folder / "secrets" / "empty").touch()
    (folder / "secrets" / "binary").write_bytes(b"\xff\xfe" + SECRET.encode())
    others = {"client_secret": "env:ZOOM_SECRET", "provider": "zoom", "account_id": "A", "client_id": "C"}
    fields = ", ".join(f"{name}: {text}" for name, text in (others | {key: value}).items())
    error = refusal(folder, f"accounts: {{acme: {{{fields}}}}}")
    assert f"accounts.acme.{key}: " in error
    assert said in error
    assert SECRET not in error


def test_a_url_with_a_password_never_shows(folder: Path) -> None:
    assert SECRET not in refusal(folder, f"redis: {{url: 'postgres://:{SECRET}@x'}}")


@pytest.mark.parametrize("name", ["nothing.yaml", "."])
def test_a_file_that_cannot_be_read_is_named(folder: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(str(folder / name))


def test_durations_on_the_command_line() -> None:
    assert [duration(text) for text in ("1500ms", "1.5h", "7d")] == [1.5, 5400, 604_800]
    with pytest.raises(SettingsError, match="'soon' is no duration"):
        duration("soon")


def test_the_log_format_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POSTROOM_LOG", raising=False)
    assert log_format() == "text"
    monkeypatch.setenv("POSTROOM_LOG", "json")
    assert log_format() == "json"


def test_the_configuration_of_the_contract_loads(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("POSTROOM_REDIS_URL", "ZENDESK_TOKEN", "ZOOM_SECRET", "ZOOM_HOOK", "ORDERS_SECRET"):
        monkeypatch.setenv(name, "redis://127.0.0.1")
    (folder / "secrets" / "api").write_text("planted-value")
    settings = load(
        folder,
        """
version: 1
timezone: Europe/Berlin
data: ./data
redis: {url: env:POSTROOM_REDIS_URL, prefix: postroom, durability: own}
rules: [rules]
templates: templates
web: {listen: 127.0.0.1:8080, api_token: file:secrets/api}
secrets: {zendesk-token: env:ZENDESK_TOKEN}
retention: 30d
accounts:
  acme: {provider: zoom, account_id: A1, client_id: C1, client_secret: env:ZOOM_SECRET,
         webhook_secret: env:ZOOM_HOOK, webhook_max_age: 90m, budget: 0.5, url: null}
mailboxes:
  support@acme.example: {account: acme, poll: 60s, authserv_id: mx.acme.example}
hooks:
  orders: {secret: env:ORDERS_SECRET, verify: hmac}
""",
    )
    assert settings.mailboxes["support@acme.example"].authserv_id == ("mx.acme.example",)
    assert "planted-value" not in repr(settings)


def test_a_key_without_a_value_is_not_set(tmp_path: Path) -> None:
    file = tmp_path / "postroom.yaml"
    file.write_text("version: 1\nredis: {url: , prefix: mine}\n", encoding="utf-8")
    assert load_settings(str(file)).redis.url is None
