"""One compiled piece of a template: a subject, a body, one input of a rule."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType
from typing import Any

from jinja2 import Template, TemplateSyntaxError, UndefinedError, nodes
from jinja2 import TemplateError as JinjaError
from jinja2.exceptions import SecurityError

from engine.errors import ConditionError, Place, RuleError, TemplateError
from engine.mail.needs import Needs
from engine.templating.environment import BUDGET, Charged, Sandbox
from engine.templating.grammar import RESERVED, Fault, faults, parts_read
from engine.templating.limits import MAX_SOURCE, Budget, LimitError, check_length
from engine.templating.views import needs_of

COMPILING = (JinjaError, RecursionError, SyntaxError, MemoryError, ValueError, OverflowError)
RENDERING = (
    JinjaError, LimitError, ConditionError, ArithmeticError, LookupError, TypeError, ValueError,
    AttributeError, RecursionError,
)  # fmt: skip
SPEAKING = (UndefinedError, SecurityError, LimitError, ConditionError)
"""Errors whose text holds names from the template and nothing from a message."""


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled piece; `place` is where its first line stands."""

    template: Template
    place: Place
    needs: Needs

    def render(self, variables: Mapping[str, Any]) -> str:
        """Render within a budget of its own. Raises TemplateError, which holds no message text."""
        chunks: list[str] = []
        length = 0
        try:
            for chunk in self.template.generate({**variables, BUDGET: Budget()}):
                length += len(chunk)
                check_length(length)
                chunks.append(chunk)
        except RENDERING as error:
            raise TemplateError(f"{self._where(error)}: {_why(error)}") from None
        return "".join(chunks)

    def _where(self, error: BaseException) -> str:
        lines = [
            frame.lineno or 1
            for frame in traceback.extract_tb(error.__traceback__)
            if frame.filename == self.template.filename
        ]
        first = self.place.line or 1
        return f"{self.place.file}:{first + lines[-1] - 1}" if lines else str(self.place)


def _why(error: Exception) -> str:
    if isinstance(error, SPEAKING):
        return str(error)
    return f"cannot be computed ({type(error).__name__})"


def compile_piece(
    source: str, sandbox: Sandbox, place: Place, names: Set[str], inputs: Set[str]
) -> Program | list[RuleError]:
    """Compile one piece, or give every fault in it with its line and column."""
    lines = source.splitlines() or [""]

    def at(fault: Fault) -> RuleError:
        return RuleError(fault.message, _locate(place, lines, fault))

    if len(source) > MAX_SOURCE:
        return [at(Fault(1, "", f"a template holds at most {MAX_SOURCE:,} characters"))]
    try:
        tree = sandbox.parse(source)
        by_line = sorted(faults(tree, names, inputs, sandbox), key=lambda fault: fault.line)
        found = [at(fault) for fault in by_line]
        needs = needs_of(parts_read(tree))  # before the tree is rewritten
        return found or Program(_assemble(tree, sandbox, place), place, needs)
    except TemplateSyntaxError as error:
        return [at(Fault(error.lineno, "{", error.message or "wrong syntax"))]
    except LimitError as error:
        return [at(Fault(1, "", str(error)))]
    except COMPILING:
        return [at(Fault(1, "", "nested too deeply, or a number that is too large"))]


def _assemble(tree: nodes.Template, sandbox: Sandbox, place: Place) -> Template:
    Charged().visit(tree)
    code = sandbox.compile(tree, name=place.file, filename=f"<{place.file}>")
    assert isinstance(code, CodeType)  # noqa: S101 # only `raw=True` gives a string
    return Template.from_code(sandbox, code, sandbox.globals)


def _locate(place: Place, lines: list[str], fault: Fault) -> Place:
    """Find the column of the word at fault: Jinja keeps lines alone."""
    number = min(max(fault.line, 1), len(lines))
    column = max(lines[number - 1].find(fault.word), 0) + 1
    shift = (place.column or 1) - 1 if number == 1 else 0
    return Place(place.file, (place.line or 1) + number - 1, column + shift, place.path)


@lru_cache(maxsize=2048)
def compile_input(source: str, sandbox: Sandbox, place: Place) -> Program | tuple[RuleError, ...]:
    """Compile a rule's input; it may read all but other inputs."""
    made = compile_piece(source, sandbox, place, RESERVED - {"inputs", "loop"}, frozenset())
    return made if isinstance(made, Program) else tuple(made)
