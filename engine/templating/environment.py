"""Jinja cut down to what a mail needs, with every evaluation paid for from a budget.

The immutable sandbox keeps templates away from Python; it does not bound time or memory. Here each
expression and loop turn passes `_charge`, operators take numbers and short texts only, and lists cannot
be nested, so the work of a rendering is at most its budget. `grammar` refuses the rest when loading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from jinja2 import StrictUndefined, Undefined, nodes, pass_context
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

from engine.templating import filters, markup
from engine.templating.limits import NODES_PER_STEP, Budget, LimitError, bounded_range, check_length, cost
from engine.templating.views import Fields

BUDGET = "#budget"
"""Where a context keeps its budget: no name that a template can write."""
CHARGE, COUNT, CONCAT = "#charge", "#count", "#concat"
METHODS = frozenset({"startswith", "endswith", "split", "splitlines", "strip", "lower", "upper"})
TESTS = frozenset(
    {"defined", "undefined", "none", "string", "number", "even", "odd", "divisibleby", "in"}
    | {"eq", "ne", "lt", "le", "gt", "ge", "true", "false"}
)


class Sandbox(ImmutableSandboxedEnvironment):
    """One dialect: plain text, Markdown or HTML."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        if callable(value):
            return (isinstance(obj, str) and attr in METHODS) or (
                isinstance(obj, LoopContext) and attr == "cycle"
            )
        return super().is_safe_attribute(obj, attr, value)

    def getattr(self, obj: Any, attribute: str) -> Any:
        found = super().getattr(obj, attribute)
        if isinstance(obj, Fields) and isinstance(found, Undefined):
            return self.undefined(f"'{attribute}' is not among the {obj}")
        return found

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        return None

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            return _concat(left, right)
        if operator == "**" or not (isinstance(left, int | float) and isinstance(right, int | float)):
            raise LimitError(f"uses `{operator}` on something else than numbers")
        return super().call_binop(context, operator, left, right)


@pass_context
def _charge(context: Context, value: Any) -> Any:
    _budget(context).spend(cost(value))
    return value


@pass_context
def _count(context: Context, values: Iterable[Any], turn: int) -> Iterator[Any]:
    """Pay for each turn of a loop by the size of its body, which may hold nothing that pays itself."""
    if isinstance(values, Undefined):
        str(values)  # strict: raises and names what is missing
    budget = _budget(context)
    for value in values:
        budget.spend(turn)
        yield value


def _budget(context: Context) -> Budget:
    budget = context.parent[BUDGET]
    assert isinstance(budget, Budget)  # noqa: S101 # ours alone: no template can name it
    return budget


def _concat(*values: Any) -> str:
    parts = [filters.text(value) for value in values]
    check_length(sum(map(len, parts)))
    return "".join(str(part) for part in parts)


class Charged(NodeTransformer):
    """Put the budget's filters around whatever a template evaluates."""

    def generic_visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> nodes.Node:
        callee = node.node if isinstance(node, nodes.Call) else None
        super().generic_visit(node)
        if isinstance(callee, nodes.Getattr):
            node.node = callee  # type: ignore[attr-defined] # a method is paid for by its result
        if isinstance(node, nodes.For):
            turn = 1 + sum(1 for _ in node.find_all(nodes.Node)) // NODES_PER_STEP
            node.iter = _filter(node.iter, COUNT, [nodes.Const(turn)])
        if isinstance(node, nodes.Concat):
            return _filter(_filter(node.nodes[0], CONCAT, node.nodes[1:]), CHARGE)
        return _filter(node, CHARGE) if isinstance(node, nodes.Expr) and _pays(node) else node


def _pays(node: nodes.Expr) -> bool:
    if isinstance(node, nodes.Name):
        return node.ctx == "load"
    return isinstance(node, nodes.Getattr | nodes.Getitem | nodes.Filter | nodes.BinExpr | nodes.Call)


def _filter(node: nodes.Node, name: str, args: list[nodes.Expr] | None = None) -> nodes.Filter:
    made = nodes.Filter(node, name, args or [], [], None, None, lineno=node.lineno)
    assert node.environment is not None  # noqa: S101 # set by the parser
    made.set_environment(node.environment)
    return made


def make(*, html: bool, show: Callable[[Any], Any], quote: Callable[[str], str]) -> Sandbox:
    """Make a dialect: how values are shown, how `quote` quotes."""
    sandbox = Sandbox(
        undefined=StrictUndefined,
        autoescape=html,
        finalize=show,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
        cache_size=0,
    )
    sandbox.globals = {"range": bounded_range}
    sandbox.filters = {name: filters.bound(function) for name, function in filters.PLAIN.items()}
    sandbox.filters |= {
        "quote": filters.bound(lambda value: quote(filters.text(value))),
        CHARGE: _charge,
        COUNT: _count,
        CONCAT: filters.bound(_concat),
    }
    sandbox.tests = {name: test for name, test in sandbox.tests.items() if name in TESTS}
    return sandbox


def _shown(value: Any) -> Any:
    return value if isinstance(value, Markup | Undefined) else filters.text(value)


def _shown_in_markdown(value: Any) -> Any:
    shown = _shown(value)
    return markup.markdown_literal(shown) if type(shown) is str else shown


TEXT = make(html=False, show=_shown, quote=markup.quote_text)
MARKDOWN = make(html=False, show=_shown_in_markdown, quote=markup.quote_markdown)
HTML = make(html=True, show=_shown, quote=markup.quote_html)
