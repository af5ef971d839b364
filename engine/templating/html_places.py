"""Which places in HTML a value may take: where escaping it is enough, or its address can be looked at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from jinja2 import nodes

from engine.templating.environment import URL
from engine.templating.grammar import Fault
from engine.templating.html_state import URLS, State, advance


def place_faults(tree: nodes.Template) -> Iterator[Fault]:
    """Find values where no escaping helps, and put the URL filter around those that begin an address."""
    places = _Places()
    end = places.body(tree.body, State())
    yield from places.found
    if end.kind != "text":
        yield Fault(1, "", f"ends inside of {_named(end)}")


class _Places:
    def __init__(self) -> None:
        self.found: list[Fault] = []

    def body(self, body: Sequence[nodes.Node], state: State) -> State:
        for node in body:
            if isinstance(node, nodes.Output):
                state = self._output(node, state)
            elif isinstance(node, nodes.If):
                state = self._branches(node, state)
            elif isinstance(node, nodes.For):
                ends = [self.body(node.body, state), self.body(node.else_, state)]
                self._same(node, [state, *ends], "for")
        return state

    def _branches(self, node: nodes.If, state: State) -> State:
        branches = [node.body, *(other.body for other in node.elif_), node.else_]
        ends = [self.body(branch, state) for branch in branches]
        self._same(node, ends, "if")
        return replace(ends[0], started=all(end.started for end in ends))

    def _same(self, node: nodes.Node, states: Sequence[State], word: str) -> None:
        if len({replace(state, started=False) for state in states}) > 1:
            self.found.append(
                Fault(
                    node.lineno,
                    word,
                    f"a tag or a value that begins inside of {{% {word} %}} has to end there",
                )
            )

    def _output(self, node: nodes.Output, state: State) -> State:
        for index, inner in enumerate(node.nodes):
            if isinstance(inner, nodes.TemplateData):
                state = advance(state, inner.data)
                continue
            if why := _refused(inner, state):
                self.found.append(Fault(inner.lineno, "{{", why))
            elif state.kind == "value":
                if state.attribute in URLS and not state.started:
                    node.nodes[index] = _as_url(inner)
                state = replace(state, started=True)
        return state


def _refused(value: nodes.Expr, state: State) -> str:
    """Say why a value may not stand at a place, "" if it may."""
    if isinstance(value, nodes.Name) and value.name == "content" and state.kind != "text":
        return "{{ content }} is HTML: it stands between tags"
    if state.kind in ("text", "comment"):
        return ""
    if state.kind == "value":
        if state.attribute in ("style", "srcdoc") or state.attribute.startswith("on"):
            return (
                f"no value may stand in `{state.attribute}`: choose between texts of your own with {{% if %}}"
            )
        return ""
    if state.kind == "bare":
        return f'write quotes around it: {state.attribute}="..."'
    return f"no value may stand inside of {_named(state)}"


def _named(state: State) -> str:
    if state.kind == "raw":
        return f"<{state.element}>"
    return {"value": f"the value of `{state.attribute}`", "comment": "a comment"}.get(state.kind, "a tag")


def _as_url(value: nodes.Expr) -> nodes.Filter:
    made = nodes.Filter(value, URL, [], [], None, None, lineno=value.lineno)
    assert value.environment is not None  # noqa: S101 # set by the parser
    made.set_environment(value.environment)
    return made
