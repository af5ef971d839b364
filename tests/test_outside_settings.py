"""What the configuration says of forwarding, other systems and folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import SettingsError
from engine.rules.reach import recipients
from engine.settings import load_settings
from engine.settings.homes import homes_of, load_homes
from engine.settings.outside import budgets_of

ACCOUNT = "accounts: {a: {provider: zoom, account_id: A, client_id: C, client_secret: env:S}}\n"
BOX = "mailboxes: {support@acme.example: {account: a}}\n"


def config(folder: Path, text: str) -> str:
    file = folder / "postroom.yaml"
    file.write_text(ACCOUNT + BOX + text)
    return str(file)


def test_what_rules_may_reach_is_known_without_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("S", raising=False)
    text = (
        "outbound: {allow: [partner.example]}\nfolders: {f: files}\n"
        "endpoints: {e: {url: env:WHERE, secret: env:HUSH, headers: {X-Key: env:HUSH}}}\n"
    )
    reach = load_homes(config(tmp_path, text)).reach
    assert (reach.endpoints, reach.folders) == (frozenset({"e"}), frozenset({"f"}))
    assert reach.recipients is not None
    assert reach.recipients.include("a@partner.example")
    assert not reach.recipients.include("a@other.example")
    monkeypatch.setenv("S", "hush")
    monkeypatch.setenv("HUSH", "hush")
    monkeypatch.setenv("WHERE", "https://x.example/?key=hush")
    settings = load_settings(str(tmp_path / "postroom.yaml"))
    assert homes_of(settings).reach == reach
    assert settings.folders == {"f": tmp_path / "files"}
    assert settings.endpoints["e"].headers == {"X-Key": "hush"}
    assert "hush" not in repr(settings)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("outbound: {allow: ['*']}", "'*' is no domain or address", id="everybody"),
        pytest.param("outbound: {allow: [example]}", "'example' is no domain or address", id="a bare word"),
        pytest.param("outbound: {suppress: [a b@c.d]}", "'a b@c.d' is no domain or address", id="two words"),
        pytest.param("endpoints: {e: {url: 'ftp://x'}}", "must be an address", id="another scheme"),
        pytest.param("endpoints: {e: {url: 'https://u:p@x'}}", "must be an address", id="a user in it"),
        pytest.param("endpoints: {e: {method: GET, url: 'https://x'}}", "unknown value", id="a method"),
        pytest.param(
            "endpoints: {e: {url: 'https://x', headers: {Host: y}}}",
            "'Host' is no header",
            id="a host",
        ),
        pytest.param(
            'endpoints: {e: {url: "https://x", headers: {X-A: "a\\nB: c"}}}',
            "one line",
            id="a line break",
        ),
        pytest.param("endpoints: {e: {url: 'https://x.example', secret: hush}}", "reference", id="a secret"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str) -> None:
    monkeypatch.setenv("S", "hush")
    with pytest.raises(SettingsError) as caught:
        load_settings(config(tmp_path, text + "\n"))
    assert said in str(caught.value)


def test_whom_nothing_is_sent_to_is_named_by_address_or_domain() -> None:
    listed = recipients((), ["Ann@X.example", "@gone.example", "*.old.example"])
    told = {
        "ann@x.example": True,
        "ben@x.example": False,
        "a@gone.example": True,
        "a@sub.gone.example": False,
        "a@sub.old.example": True,
    }
    assert {address: listed.include(address) for address in told} == told
    assert not recipients((), ()).include("ann@x.example")


def test_the_nearest_budget_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S", "hush")
    named = "{'*.x.example': 3/1d, ann@x.example: [1/1h, 5/1w], x.example: 2/1d}"
    text = f"outbound: {{budgets: {{rule: off, named: {named}}}}}\n"
    settings = load_settings(config(tmp_path, text))
    budgets = budgets_of(settings.mailboxes, settings.outbound)
    found = {
        address: [window.told for window in budgets.of(address).windows]
        for address in ("ANN@x.example", "b@x.example", "b@y.x.example", "c@acme.example", "c@z.example")
    }
    own, anybody = ["100/1h", "500/1d"], ["10/1h", "20/1d"]
    assert [*found.values()] == [["1/1h", "5/1w"], ["2/1d"], ["3/1d"], own, anybody]
    assert (budgets.rule, budgets.of("d@y.x.example").name) == ((), "outbound.budgets.named.*.x.example")


@pytest.mark.parametrize(
    ("budget", "said"),
    [
        pytest.param("recipient: 5 per hour", "'5 per hour' is no budget: write a number", id="words"),
        pytest.param("rule: [0/1d]", "'0/1d' is out of bounds", id="nothing at all"),
        pytest.param("own: 5/1w1d", "'1w1d' is no duration", id="a span of two parts"),
        pytest.param("mailbox: 1/60d", "'1/60d' is out of bounds", id="too long a span"),
        pytest.param("named: {example: 1/1d}", "'example' is no domain or address", id="no address"),
        pytest.param("sender: 1/1d", "unknown key 'sender'", id="another key"),
    ],
)
def test_budgets_that_cannot_be_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, budget: str, said: str
) -> None:
    monkeypatch.setenv("S", "hush")
    with pytest.raises(SettingsError) as caught:
        load_settings(config(tmp_path, f"outbound: {{budgets: {{{budget}}}}}\n"))
    assert said in str(caught.value)
    assert "outbound.budgets" in str(caught.value)
