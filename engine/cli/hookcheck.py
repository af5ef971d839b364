"""What rules on calls of hooks need of the configuration."""

from __future__ import annotations

from collections.abc import Iterator

from engine.errors import RuleError
from engine.rules.findings import unknown
from engine.rules.ruleset import RuleSet
from engine.settings import Settings


def hook_warnings(settings: Settings, ruleset: RuleSet) -> Iterator[RuleError]:
    """Find rules that listen to a hook which the configuration does not have."""
    for rule in ruleset.rules:
        if rule.event.hook and rule.event.hook not in settings.hooks:
            said = unknown("hook", rule.event.hook, settings.hooks)
            yield RuleError(
                f"{said}: nobody can call it; write it under hooks in the configuration", rule.place
            )
