"""What the tests of templates have in common."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from engine.mail.headers import Headers
from engine.mail.message import Attachment, Message
from engine.templating.library import Context, Rendered, load_templates

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def message(text: str = "Hello,\nplease help.\n", *fields: tuple[str, str]) -> Message:
    """A message of which everything is known; `fields` come before the usual ones."""
    usual = [("Subject", "A question"), ("From", "Ann Baker <ann@customer.example>"),
             ("To", "support@acme.example"),
             ("Date", "Mon, 2 Mar 2026 10:00:00 +0000"), ("X-Order", "48211")]  # fmt: skip
    file = Attachment("a.pdf", "application/pdf", 1_234_567)
    return Message(key="1", _headers=Headers([*fields, *usual]), _size=9, _text=text, _attachments=(file,))


def render(body: str, *, subject: str = "S", kind: str = "md", inputs: str = "", **context: Any) -> Rendered:
    """Render one template from its body; `values` are what a rule gives as inputs."""
    front = f"---\nsubject: {subject!r}\ninputs: [{inputs}]\n---\n"
    library = load_templates({f"t.{kind}": front + body})
    given = {"message": message(), "now": NOW, "mailbox": "support@acme.example", **context}
    return library.render("t", Context(inputs=given.pop("values", {}), **given))
