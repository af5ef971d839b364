"""Templates filled in, beside Jinja's own immutable sandbox with the same source and the same values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import process_time
from typing import Any

from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bench.figure import Figure, Section
from bench.mail import Mail
from engine.mail.message import Message
from engine.mail.mime import from_raw
from engine.templating.formats import FORMATS, Formats
from engine.templating.library import Context, load_templates
from engine.templating.views import Fields

ROUNDS = 7
SECONDS = 0.15
"""Of processor time, for each of a round."""
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
ANSWER = """\
<h1>Thank you</h1>
<p>Hello {{ message.from.name }},</p>
<p>your message <b>{{ message.subject }}</b> to {{ mailbox }} has arrived. Its number is {{ number }}.</p>
{% if message.from.name %}<p>{{ message.from.name | upper }} &lt;{{ message.from.address }}&gt;</p>{% endif %}
<p>Somebody will answer within <b>one working day</b>. You need not write again.</p>
<p>Kind regards<br>Acme Support</p>
"""
ORDER = """\
<h1>Order {{ order }}</h1>
<table class="rows">
{% for line in lines %}
<tr><td>{{ line.title }}</td><td>{{ line.quantity }}</td><td>{{ line.price | round(2) }}</td></tr>
{% endfor %}
</table>
<p>Total: {{ total }} {{ currency | upper }}</p>
"""
LAYOUT = """\
<!DOCTYPE html>
<html><head><style>
body { margin: 0; font: 16px/1.5 sans-serif } .card { width: 100%; max-width: 600px } p { margin: 12px 0 }
h1 { font-size: 22px } .rows { width: 100% } .rows td { padding: 8px 0; border-bottom: 1px solid #e4e7eb }
@media (max-width: 480px) { .card { margin: 0 } }
</style></head><body><div class="card">{{ content }}</div></body></html>
"""


@dataclass(frozen=True, slots=True)
class Case:
    """One template with what it is given."""

    name: str
    body: str
    inputs: Mapping[str, Any]

    @property
    def front(self) -> str:
        declared = "".join(f"  {name}: {_type(value)}\n" for name, value in self.inputs.items())
        return f"---\nsubject: S\ninputs:\n{declared}layout: plain\n---\n"


CASES = (
    Case("an answer", ANSWER, {"number": "A-4711"}),
    Case(
        "an order of 20 lines",
        ORDER,
        {
            "order": "A-4711",
            "lines": [{"title": f"Lamp & shade {n}", "quantity": n, "price": 9.5 * n} for n in range(20)],
            "total": 1805,
            "currency": "eur",
        },
    ),
)


def _type(value: Any) -> str:
    return {str: "text", int: "number", list: "list"}[type(value)]


async def measure(mail: Mail, folder: Path, rounds: int = ROUNDS, seconds: float = SECONDS) -> Section:
    """Render by turns; the best round of each counts, in processor time."""
    message = from_raw(mail.raws[0], key="1")
    figures = [figure for case in CASES for figure in _figures(case, message, rounds, seconds)]
    notes = (
        "body: the HTML of the template alone, before layout and inlining; "
        "mail: all of it, with subject, layout, text part and inlined CSS",
        "the peer bounds neither time nor size; ours pays for loops and for what grows from a budget",
    )
    return Section("Templates rendered per second of processor time", tuple(figures), notes)


def _figures(case: Case, message: Message, rounds: int, seconds: float) -> list[Figure]:
    library = load_templates({"t.html": case.front + case.body, "layouts/plain.html": LAYOUT})
    context = Context(message, values=case.inputs, mailbox="support@acme.example", now=NOW)
    program = library.entry("t").variants[""].body.html

    def ours() -> str:
        inputs = Fields(case.inputs, "inputs")
        named = {name: inputs[name] for name in case.inputs}
        return program.render({**context.variables(), FORMATS: Formats(), **named})

    peer = _peer(case, message)
    assert ours() == peer()  # or they would not do the same
    ways: list[Callable[[], object]] = [
        peer,
        ours,
        lambda: library.render("t", context),
    ]
    jinja, body, mail = (
        max(rates) for rates in zip(*(_rates(ways, seconds) for _ in range(rounds)), strict=True)
    )
    against = "ImmutableSandboxedEnvironment"
    return [
        Figure(f"{case.name}: body", body, jinja, "a second", against),
        Figure(f"{case.name}: mail", mail, jinja, "a second", against),
    ]


def _peer(case: Case, message: Message) -> Callable[[], str]:
    """The same body in Jinja's own sandbox, with plain values of the kinds that people give it."""
    sandbox = ImmutableSandboxedEnvironment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = sandbox.from_string(case.body)
    sender = next(iter(message.addresses("From")))
    shown = {"subject": message.subject, "from": {"name": sender.name, "address": sender.address}}
    values = {"message": shown, "mailbox": "support@acme.example", "now": NOW, **case.inputs}
    return lambda: template.render(values)


def _rates(ways: list[Callable[[], object]], seconds: float) -> list[float]:
    return [_rate(way, seconds) for way in ways]


def _rate(way: Callable[[], object], seconds: float) -> float:
    count, began = 0, process_time()
    while (spent := process_time() - began) < seconds:
        for _ in range(20):
            way()
        count += 20
    return count / spent
