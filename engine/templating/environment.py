"""Jinja cut down to what a mail needs, with every evaluation paid for from a budget.

The immutable sandbox keeps templates away from Python; it does not bound time or memory. Here each
loop turn, and each expression whose work grows with its values, passes `_charge`; operators take numbers
and short texts only, and lists cannot be nested, so the work of a rendering is at most its budget.
`grammar` refuses the rest when loading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from jinja2 import StrictUndefined, Undefined, nodes, pass_context
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer
from markupsafe import Markup, escape

from engine.templating import filters, formats, markup
from engine.templating.limits import (
    BUDGET,
    NODES_PER_STEP,
    Budget,
    LimitError,
    bounded_range,
    check_length,
    cost,
)
from engine.templating.views import PLAIN, SCALARS, Fields, View

CHARGE, COUNT, CONCAT, SHORT, URL = "#charge", "#count", "#concat", "#short", "#url"
METHODS = frozenset({"startswith", "endswith", "split", "splitlines", "strip", "lower", "upper"})
MAX_ARGUMENT = 200
TESTS = frozenset(
    {"defined", "undefined", "none", "string", "number", "even", "odd", "divisibleby", "in"}
    | {"eq", "ne", "lt", "le", "gt", "ge", "true", "false"}
)


class Sandbox(ImmutableSandboxedEnvironment):
    """One dialect: plain text, Markdown or HTML. What it shows is escaped by `finalize`."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})
    pays_for_output = False
    """Whether showing a value may make it shorter, so that the output's length bounds no work."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        if callable(value):
            return (isinstance(obj, str) and attr in METHODS) or (
                isinstance(obj, LoopContext) and attr == "cycle"
            )
        return super().is_safe_attribute(obj, attr, value)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Read a field; views have nothing else, so they need no second look."""
        if type(obj) is Fields:
            found = obj.fields.get(attribute)
            if type(found) in SCALARS:
                return found
        if isinstance(obj, View):
            try:
                return obj.read(attribute)
            except LookupError:
                return self.undefined(f"'{attribute}' is not among the {obj}")
        if type(obj) in PLAIN and attribute in PLAIN[type(obj)]:
            return getattr(obj, attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, View) and isinstance(argument, str):
            return self.getattr(obj, argument)
        return super().getitem(obj, argument)

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
        budget.left -= turn
        if budget.left < 0:
            budget.spend(0)
        yield value


def _budget(context: Context) -> Budget:
    budget = context.parent[BUDGET]
    assert isinstance(budget, Budget)  # noqa: S101 # ours alone: no template can name it
    return budget


def _short(value: Any) -> Any:
    """Bound what a method is given: `strip` looks for each character in all of it."""
    if isinstance(value, str) and len(value) > MAX_ARGUMENT:
        raise LimitError(f"gives a method more than {MAX_ARGUMENT} characters")
    return value


def _concat(*values: Any) -> str:
    parts = [filters.text(value) for value in values]
    check_length(sum(map(len, parts)))
    return "".join(str(part) for part in parts)


class Charged(NodeTransformer):
    """Put the budget's filters around whatever takes time by the size of what it is given.

    Filters pay for themselves. What remains costs the same whatever the values are: reading a field,
    showing it (what is shown counts), asking whether it is empty. A loop pays for that, turn by turn.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._pays_for_output = sandbox.pays_for_output

    def generic_visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> nodes.Node:
        callee = node.node if isinstance(node, nodes.Call) else None
        super().generic_visit(node)
        if isinstance(callee, nodes.Getattr):
            node.node = _paid(callee, inner=True)  # type: ignore[attr-defined]
            node.args = [_filter(arg, SHORT) for arg in node.args]  # type: ignore[attr-defined]
        if isinstance(node, nodes.For):
            turn = 1 + sum(1 for _ in node.find_all(nodes.Node)) // NODES_PER_STEP
            node.iter = _filter(node.iter, COUNT, [nodes.Const(turn)])
        elif isinstance(node, nodes.Output) and self._pays_for_output:
            node.nodes = [_paid(inner) for inner in node.nodes]
        elif isinstance(node, nodes.Compare):
            _pay_for_comparing(node)
        elif isinstance(node, nodes.Concat):
            return _filter(node.nodes[0], CONCAT, node.nodes[1:])
        elif isinstance(node, nodes.Test):
            node.node = _paid(node.node)
            node.args = [_paid(arg) for arg in node.args]
        elif isinstance(node, nodes.BinExpr | nodes.Call) or _is_slice(node):
            return _filter(node, CHARGE)
        return node


def _pay_for_comparing(node: nodes.Compare) -> None:
    """A text is compared with a literal by its length alone, or by the length of the literal."""
    looking = any(operand.op in ("in", "notin") for operand in node.ops)
    literal = isinstance(node.expr, nodes.Const) or any(isinstance(one.expr, nodes.Const) for one in node.ops)
    if looking or not literal or len(node.ops) > 1:
        node.expr = _paid(node.expr)
        for operand in node.ops:
            operand.expr = _paid(operand.expr)


def _is_slice(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Slice)


def _paid(node: nodes.Expr, *, inner: bool = False) -> Any:
    """Pay for a value that is read, by its size; a method's owner is paid for, not the method."""
    if inner:
        assert isinstance(node, nodes.Getattr)  # noqa: S101
        node.node = _paid(node.node)
        return node
    return _filter(node, CHARGE) if isinstance(node, nodes.Name | nodes.Getattr | nodes.Getitem) else node


def _filter(node: nodes.Node, name: str, args: list[nodes.Expr] | None = None) -> nodes.Filter:
    made = nodes.Filter(node, name, args or [], [], None, None, lineno=node.lineno)
    assert node.environment is not None  # noqa: S101 # set by the parser
    made.set_environment(node.environment)
    return made


def make(
    show: Callable[[Any], str], quote: Callable[[str], str], *, pays_for_output: bool = False
) -> Sandbox:
    """Make a dialect: how values are shown, how `quote` quotes."""
    sandbox = Sandbox(
        undefined=StrictUndefined,
        autoescape=False,
        finalize=show,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
        cache_size=0,
    )
    sandbox.pays_for_output = pays_for_output
    sandbox.globals = {"range": bounded_range}
    sandbox.filters = {name: filters.paid(function) for name, function in filters.PLAIN.items()}
    sandbox.filters |= formats.FORMATTING
    sandbox.filters |= {
        "quote": filters.paid(lambda value: quote(filters.text(value))),
        CHARGE: _charge,
        COUNT: _count,
        CONCAT: filters.paid(_concat),
        SHORT: filters.paid(_short),
        URL: filters.paid(
            lambda value: markup.safe_url(value if isinstance(value, str) else filters.text(value))
        ),
    }
    sandbox.tests = {name: test for name, test in sandbox.tests.items() if name in TESTS}
    return sandbox


def _shown(value: Any) -> str:
    return value if type(value) is str else filters.text(value)


def _shown_in_html(value: Any) -> str:
    kind = type(value)
    if kind is str:
        return escape(value)
    if kind is int or kind is float:
        return str(value)
    return escape(value if isinstance(value, str) else filters.text(value))


def _shown_in_markdown(value: Any) -> str:
    if isinstance(value, Markup):
        return value
    return markup.markdown_literal(value if type(value) is str else filters.text(value))


TEXT = make(_shown, markup.quote_text)
MARKDOWN = make(_shown_in_markdown, markup.quote_markdown, pays_for_output=True)
HTML = make(_shown_in_html, markup.quote_html)
