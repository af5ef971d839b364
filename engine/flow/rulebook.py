"""Rules and templates under one digest: what a batch and its runs are pinned to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from engine.rules.home import NOWHERE, Homes
from engine.rules.loader import RuleSet, load_rules
from engine.templating.library import Library, load_templates


@dataclass(frozen=True)
class Sources:
    """The text of every rule and template file, by file name."""

    rules: Mapping[str, str]
    templates: Mapping[str, str]

    def to_json(self) -> str:
        return json.dumps({"rules": dict(self.rules), "templates": dict(self.templates)}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Sources:
        return cls(**json.loads(text))

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(self.to_json().encode()).hexdigest()


@dataclass(frozen=True)
class Rulebook:
    """A rule set and its templates, ready for use."""

    digest: str
    rules: RuleSet
    templates: Library


def compile_sources(sources: Sources, homes: Homes = NOWHERE) -> Rulebook:
    """Compile both. Raises the errors of rules and templates with their places."""
    library = load_templates(sources.templates)
    rules = load_rules(sources.rules, {name: library.needs(name) for name in library.names}, homes)
    return Rulebook(sources.digest, rules, library)


class Rulebooks(Protocol):
    """Rulebooks by digest."""

    def current(self) -> Rulebook | None:
        """The one in force; None while there is no good one, and then lanes wait."""
        ...

    async def pinned(self, digest: str) -> Rulebook:
        """The one that a run was decided with."""
        ...
