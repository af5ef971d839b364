"""One compiled piece of a template: a subject, a body, one input of a rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from types import CodeType, TracebackType
from typing import Any

from jinja2 import Template, TemplateSyntaxError, UndefinedError, nodes
from jinja2 import TemplateError as JinjaError
from jinja2.exceptions import SecurityError

from engine.errors import ConditionError, Place, RuleError, TemplateError
from engine.mail.needs import Needs
from engine.templating.environment import HTML, Charged, Sandbox
from engine.templating.grammar import (
    RESERVED,
    Scope,
    captures_read,
    faults,
    item_fields_read,
    names_read,
    parts_read,
)
from engine.templating.html_places import place_faults
from engine.templating.limits import BUDGET, MAX_SOURCE, Budget, LimitError, check_length
from engine.templating.partials import Find, IncludeError, Lines, include
from engine.templating.views import needs_of

COMPILING = (JinjaError, RecursionError, SyntaxError, MemoryError, ValueError, OverflowError)
RENDERING = (
    JinjaError, LimitError, ConditionError, ArithmeticError, LookupError, TypeError, ValueError,
    AttributeError, RecursionError,
)  # fmt: skip
AT_ONCE = 32
"""Pieces between two looks at the length; no piece is longer than the output may be."""
SPEAKING = (UndefinedError, SecurityError, LimitError, ConditionError)
"""Errors whose text holds names from the template and nothing from a message."""


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled piece; `place` is where its first line stands."""

    template: Template
    place: Place
    needs: Needs
    lines: Lines
    names: frozenset[str]
    """Every name that it reads."""
    captures: Mapping[str, bool] = field(default_factory=dict)
    """Those that it reads, and whether it copes with the absence of each."""
    items: Mapping[str, bool] = field(default_factory=dict)
    """The same of what it reads of each of `items`."""

    def render(self, variables: Mapping[str, Any]) -> str:
        """Render within the budget given, else one of its own. Raises TemplateError without message text."""
        template = self.template
        chunks: list[str] = []
        length = 0
        try:
            given = template.new_context({BUDGET: Budget(), **variables})
            rendering = template.root_render_func(given)
            while some := tuple(islice(rendering, AT_ONCE)):
                length += sum(map(len, some))
                check_length(length)
                chunks += some
        except RENDERING as error:
            raise TemplateError(f"{self._where(error.__traceback__)}: {_why(error)}") from None
        return "".join(chunks)

    def _where(self, trace: TracebackType | None) -> Place | str:
        line = 0
        while trace:
            if trace.tb_frame.f_code.co_filename == self.template.filename:
                line = self.template.get_corresponding_lineno(trace.tb_lineno)
            trace = trace.tb_next
        place = self.lines.at(line) if line else self.place
        return f"{place.file}:{place.line}" if line else place


def _why(error: Exception) -> str:
    if isinstance(error, SPEAKING):
        return str(error)
    return f"cannot be computed ({type(error).__name__})"


def no_partials(name: str) -> None:
    """Subjects and other single lines include nothing."""


def compile_piece(
    source: str, sandbox: Sandbox, place: Place, scope: Scope, find: Find = no_partials
) -> Program | list[RuleError]:
    """Compile one piece with what it includes, or give every fault in it with its line and column."""
    lines = Lines(place, [(place, source.splitlines() or [""])])
    if len(source) > MAX_SOURCE:
        return [RuleError(f"a template holds at most {MAX_SOURCE:,} characters", lines.at(1))]
    try:
        tree = sandbox.parse(source)
        lines = include(tree, sandbox, find, place, source)
        found = [*faults(tree, scope, sandbox), *(place_faults(tree) if sandbox is HTML else ())]
        by_line = sorted(found, key=lambda fault: fault.line)
        needs, captures, names = needs_of(parts_read(tree)), captures_read(tree), names_read(tree)
        if by_line:
            return [RuleError(fault.message, lines.at(fault.line, fault.word)) for fault in by_line]
        items = item_fields_read(tree) if names & {"items", "inputs"} else {}
        return Program(_assemble(tree, sandbox, place), place, needs, lines, names, captures, items)
    except (IncludeError, LimitError, *COMPILING) as error:
        return [_refused(error, lines)]


def _refused(error: Exception, lines: Lines) -> RuleError:
    if isinstance(error, IncludeError):
        return RuleError(error.message, error.place)
    if isinstance(error, TemplateSyntaxError):
        return RuleError(error.message or "wrong syntax", lines.at(error.lineno, "{"))
    if isinstance(error, LimitError):
        return RuleError(str(error), lines.at(1))
    return RuleError("nested too deeply, or a number that is too large", lines.at(1))


def _assemble(tree: nodes.Template, sandbox: Sandbox, place: Place) -> Template:
    Charged(sandbox).visit(tree)
    code = sandbox.compile(tree, name=place.file, filename=f"<{place.file}>")
    assert isinstance(code, CodeType)  # noqa: S101 # only `raw=True` gives a string
    return Template.from_code(sandbox, code, sandbox.globals)


@lru_cache(maxsize=2048)
def compile_input(source: str, sandbox: Sandbox, place: Place) -> Program | tuple[RuleError, ...]:
    """Compile a rule's input; it may read all but other inputs."""
    made = compile_piece(source, sandbox, place, Scope(RESERVED - {"inputs", "images", "loop"}))
    return made if isinstance(made, Program) else tuple(made)
