"""`check` knows which hooks the configuration has."""

from __future__ import annotations

from engine.cli.hookcheck import hook_warnings
from engine.rules.loader import load_rules
from engine.settings import Settings
from engine.settings.hooks import HookSettings

RULE = """
rules:
  - id: paid
    event: hook.ordrs
    when: {payload: {path: status, is: paid}}
    then: [{send: {template: paid, to: [a@x.example]}}]
"""


def test_a_rule_on_a_hook_that_nobody_can_call_is_named_with_its_place() -> None:
    rules = load_rules({"orders.yaml": RULE}, None)
    settings = Settings(hooks={"orders": HookSettings.model_construct(secret="x" * 3)})
    (warning,) = hook_warnings(settings, rules)
    assert str(warning).startswith("orders.yaml:3:9")
    assert "unknown hook 'ordrs'; did you mean 'orders'?" in str(warning)
    known = Settings(hooks={"ordrs": HookSettings.model_construct(secret="x" * 3)})
    assert list(hook_warnings(known, rules)) == []
