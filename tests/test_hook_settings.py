"""Hooks in the configuration: what they are held against, and every mistake with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import SettingsError
from engine.settings import Settings, load_settings, mailbox_of

SECRET = "very-" + "s3cret"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "hook").write_text(SECRET)
    return tmp_path


def load(folder: Path, text: str) -> Settings:
    file = folder / "postroom.yaml"
    file.write_text(text)
    return load_settings(str(file))


HOOKS = """
accounts:
  acme: {provider: zoom, account_id: A1, client_id: C1, client_secret: file:secrets/hook}
mailboxes:
  support@acme.example: {account: acme}
hooks:
"""


def test_hooks_are_read_with_their_schema_and_leave_from_the_only_mailbox(folder: Path) -> None:
    (folder / "order.json").write_text('{"type": "object", "required": ["id"]}')
    settings = load(
        folder,
        HOOKS
        + "  orders: {secret: file:secrets/hook, verify: stripe, schema: order.json, attachments: 5MB}\n",
    )
    hook = settings.hooks["orders"]
    assert (hook.verify, hook.attachments, "required" in (hook.schema_ or "")) == ("stripe", 5_000_000, True)
    assert mailbox_of(settings, "orders", hook) == "support@acme.example"
    assert SECRET not in repr(settings)


@pytest.mark.parametrize(
    ("hook", "error"),
    [
        pytest.param("orders: {verify: hmac}", "'secret' is missing", id="no secret"),
        pytest.param("orders: {secret: plain}", "must be a reference", id="a secret itself"),
        pytest.param("or.ders: {secret: file:secrets/hook}", "'or.ders' is no name", id="a name with a dot"),
        pytest.param(
            "orders: {secret: file:secrets/hook, verify: githb}",
            "did you mean 'github'?",
            id="a scheme misspelt",
        ),
        pytest.param(
            "orders: {secret: file:secrets/hook, mailbox: x@acme.example}",
            "hooks.orders.mailbox: there is no mailbox 'x@acme.example'; there are: support@acme.example",
            id="another's mailbox",
        ),
        pytest.param(
            "orders: {secret: file:secrets/hook, schema: none.json}",
            "none.json cannot be read",
            id="no schema",
        ),
        pytest.param(
            "orders: {secret: file:secrets/hook, schema: bad.json}",
            "bad.json is no JSON Schema",
            id="a schema that is none",
        ),
        pytest.param(
            "orders: {secret: file:secrets/hook, schema: away.json}",
            "away.json is no JSON Schema",
            id="a schema from elsewhere",
        ),
        pytest.param(
            "orders: {secret: file:secrets/hook, schema: slow.json}",
            "slow.json is no JSON Schema",
            id="a pattern that could stall",
        ),
        pytest.param(
            "orders: {secret: file:secrets/hook, attachments: 1GB}",
            "at most 20MB",
            id="files too large for a mail",
        ),
    ],
)
def test_what_is_wrong_with_a_hook_is_named(folder: Path, hook: str, error: str) -> None:
    (folder / "bad.json").write_text('{"type": "nope"}')
    (folder / "away.json").write_text('{"$ref": "http://127.0.0.1:1/x"}')
    (folder / "slow.json").write_text('{"pattern": "(?=a)b"}')
    with pytest.raises(SettingsError) as raised:
        load(folder, f"{HOOKS}  {hook}\n")
    assert error in str(raised.value)


@pytest.mark.parametrize("name", ["hook.orders", "send"])
def test_no_mailbox_is_named_as_a_lane_of_calls(folder: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="is no mailbox"):
        load(folder, HOOKS.replace("support@acme.example", name).replace("hooks:\n", ""))


def test_with_several_mailboxes_a_hook_names_its_own(folder: Path) -> None:
    several = HOOKS.replace("hooks:", "  sales@acme.example: {account: acme}\nhooks:")
    hook = "  orders: {secret: file:secrets/hook"
    with pytest.raises(SettingsError, match=r"hooks\.orders\.mailbox: write which mailbox"):
        load(folder, f"{several}{hook}}}\n")
    settings = load(folder, f"{several}{hook}, mailbox: sales@acme.example}}\n")
    assert mailbox_of(settings, "orders", settings.hooks["orders"]) == "sales@acme.example"
