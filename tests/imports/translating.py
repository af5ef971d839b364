"""Scripts imported, and judged on messages made up for tests."""

from __future__ import annotations

from typing import Any

from engine.imports.canonical import as_yaml
from engine.imports.outcome import Imported
from engine.imports.sieve.importer import import_sieve
from engine.mail.message import Message
from engine.rules.evaluate import changed
from engine.rules.yaml import parse_yaml, plain
from tests.rules.making import judge, make_message, rules

MAIL = make_message(
    ("From", "Ann <ann@x.example>"),
    ("To", "info@acme.example"),
    ("Subject", "Order 7"),
    ("X-Tag", "Red Hat"),
)


def imported(script: str, **scripts: str) -> Imported:
    return import_sieve(script, "my.sieve", scripts.get)


def losses(script: str) -> list[str]:
    return [str(loss) for loss in imported(script).losses]


def outcome(script: str, message: Message = MAIL, **scripts: str) -> set[str]:
    """The labels that a message ends up with, after a script that loses nothing."""
    found = imported(script, **scripts)
    assert found.losses == ()
    evaluation = judge(rules(as_yaml(found.rules)), message, final=True)
    effects = [effect for match in evaluation.matches for effect in match.effects]
    return set(changed(message.labels, effects))


def condition_of(test: str) -> Any:
    """The condition that one test becomes."""
    (rule,) = imported(f'if {test} {{ fileinto "X"; }}').rules
    return plain(parse_yaml(as_yaml([rule]), "my.yaml"))["rules"][0]["when"]
