"""Actions as `evaluate` shows them: inputs that read nothing but captures are filled in."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from jinja2 import meta

from engine.errors import Place, TemplateError
from engine.rules.captures import only_plain
from engine.rules.evaluation import Match
from engine.rules.ruleset import Rule
from engine.rules.templated import Templated
from engine.rules.text import Captures
from engine.templating.environment import TEXT
from engine.templating.program import Program, compile_input
from engine.templating.views import Context


def shown_actions(rule: Rule, match: Match) -> list[dict[str, Any]]:
    """Show a match's actions as one-key maps, filled in as far as the captures alone decide."""
    shown = [dict(action) for action in match.actions]
    for action, one in zip(rule.then, shown, strict=True):
        if isinstance(action, Templated) and action.with_:
            filled = {key: _rendered(text, match.captures) for key, text in action.with_.items()}
            settings = one[action.key]
            known = {key: text for key, text in filled.items() if text is not None}
            one[action.key] = {**settings, "with": {**settings["with"], **known}}
    return shown


def _rendered(text: str, captures: Captures) -> str | None:
    """Render what its author wrote, never what a message brought; None leaves it as it is."""
    program = None if only_plain(text) else _program(text)
    if program is None:
        return None
    try:
        return program.render(Context(message=None, captures=captures).variables())
    except TemplateError:
        return None


@lru_cache(maxsize=2048)
def _program(text: str) -> Program | None:
    """Compile an input that reads captures alone; None for every other."""
    program = compile_input(text, TEXT, Place("with"))
    if not isinstance(program, Program) or meta.find_undeclared_variables(TEXT.parse(text)) - {"captures"}:
        return None
    return program
