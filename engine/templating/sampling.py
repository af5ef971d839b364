"""Templates shown with sample data: what `preview` renders, and `check` as well."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from engine.errors import Place, RuleError, TemplateError
from engine.mail.message import Message
from engine.mail.mime import from_raw
from engine.templating.entry import Entry
from engine.templating.grammar import GIVEN
from engine.templating.library import Library
from engine.templating.views import Context

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
MAILBOX = "support@acme.example"
_MAIL = """\
    From: Ann Baker <ann@customer.example>
    To: Acme Support <support@acme.example>
    Subject: A question about order A-4711
    Date: Tue, 10 Mar 2026 11:20:00 +0100
    Message-ID: <sample@customer.example>
    MIME-Version: 1.0
    Content-Type: multipart/mixed; boundary=b

    --b
    Content-Type: text/plain; charset=us-ascii

    Hello,

    when will my order arrive? You will find a photo below.

    Kind regards
    Ann Baker
    --b
    Content-Type: image/jpeg
    Content-Disposition: attachment; filename=photo.jpg

    (a photo)
    --b--
    """


def sample_message() -> Message:
    """Give a message that a template may be shown with."""
    return from_raw(sample_raw(), key="sample", mailbox=MAILBOX, received=NOW)


def sample_raw() -> bytes:
    return textwrap.dedent(_MAIL).replace("\n", "\r\n").encode()


def sample_context(entry: Entry, message: Message, data: Mapping[str, Any], **more: Any) -> Context:
    """Give a template its sample data, over which `data` goes: inputs, and captures, steps, payload."""
    whole = {**entry.sample, **data}
    given: dict[str, Any] = {name: whole.get(name) or {} for name in GIVEN}
    return Context(
        message=message,
        values={name: value for name, value in whole.items() if name not in GIVEN},
        captures={name: str(value) for name, value in given["captures"].items()},
        steps=given["steps"],
        payload=json.dumps(given["payload"], default=str),
        **{"mailbox": MAILBOX, "now": NOW, **more},
    )


def sample_faults(library: Library) -> Iterator[RuleError]:
    """Render every template that has sample data, in each of its languages; name what cannot be rendered."""
    message = sample_message()
    for name in sorted(library.names):
        entry = library.entry(name)
        for language in sorted(entry.tags) or [""] if entry.sample else ():
            try:
                library.render(name, sample_context(entry, message, {}), language)
            except TemplateError as error:
                yield RuleError(f"with its sample data: {error}", Place(entry.file, 1, 1))
