"""Pieces that templates share: `{% include "signature" %}` stands for the text of partials/signature.*.

The nodes of a partial take the place of the include, so that everything said of a template (names, needs,
cost, size) holds of what it includes. Each file's lines are moved by a stride, to tell them apart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.visitor import NodeTransformer

from engine.errors import Place

STRIDE = 100_000
"""More than any file has lines."""
MAX_INCLUDES = 50
"""Includes in one template, those inside of partials counted each time."""


@dataclass(frozen=True, slots=True)
class Partial:
    """One file below partials/."""

    file: str
    source: str


Find = Callable[[str], Partial | None]
"""Gives a partial by its name, in the language of the template."""


class IncludeError(Exception):
    """An include that cannot be; `line` as nodes count them, `word` is what to point at."""

    def __init__(self, line: int, word: str, message: str) -> None:
        super().__init__(message)
        self.line, self.word, self.message = line, word, message
        self.place = Place("?")


@dataclass
class Lines:
    """Whose lines a piece's nodes count: the template's own, then those of each partial."""

    place: Place
    sources: list[tuple[Place, list[str]]] = field(default_factory=list)

    def at(self, line: int, word: str = "") -> Place:
        """Find the place of a word in a line: Jinja keeps lines alone."""
        place, lines = self.sources[min(line // STRIDE, len(self.sources) - 1)]
        number = min(max(line % STRIDE, 1), len(lines))
        column = max(lines[number - 1].find(word), lines[number - 1].find(word.replace("'", '"')), 0) + 1
        shift = (place.column or 1) - 1 if number == 1 else 0
        return Place(place.file, (place.line or 1) + number - 1, column + shift, place.path)


class Including(NodeTransformer):
    """Puts partials in the place of their includes."""

    def __init__(self, sandbox: Environment, find: Find, lines: Lines) -> None:
        self._sandbox, self._find, self._lines = sandbox, find, lines
        self._open: list[str] = []

    def visit_Include(self, node: nodes.Include) -> list[nodes.Node]:  # noqa: N802 # Jinja's name
        name = node.template.value if isinstance(node.template, nodes.Const) else None
        if not isinstance(name, str) or node.ignore_missing or not node.with_context:
            raise IncludeError(
                node.lineno, "include", "an include names one partial: {% include 'signature' %}"
            )
        quoted = f"'{name}'"
        partial = self._find(name)
        if partial is None:
            raise IncludeError(
                node.lineno, quoted, f"there is no partial '{name}' in partials/ for this kind of file"
            )
        if partial.file in self._open:
            raise IncludeError(node.lineno, quoted, f"the partial '{name}' includes itself")
        if len(self._lines.sources) > MAX_INCLUDES:
            raise IncludeError(node.lineno, quoted, f"includes more than {MAX_INCLUDES} partials")
        return self._spliced(partial)

    def _spliced(self, partial: Partial) -> list[nodes.Node]:
        start = len(self._lines.sources) * STRIDE
        self._lines.sources.append((Place(partial.file, 1, 1), partial.source.splitlines() or [""]))
        try:
            tree = self._sandbox.parse(partial.source)
        except TemplateSyntaxError as error:
            raise IncludeError(start + error.lineno, "{", error.message or "wrong syntax") from None
        for node in tree.find_all(nodes.Node):
            node.lineno = (node.lineno or 1) + start
        self._open.append(partial.file)
        self.generic_visit(tree)
        self._open.pop()
        return tree.body


def include(tree: nodes.Template, sandbox: Environment, find: Find, place: Place, source: str) -> Lines:
    """Expand every include of a tree, in place; gives whose lines it counts now. Raises IncludeError."""
    lines = Lines(place, [(place, source.splitlines() or [""])])
    try:
        Including(sandbox, find, lines).visit(tree)
    except IncludeError as error:
        error.place = lines.at(error.line, error.word)
        raise
    return lines
