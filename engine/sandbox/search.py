"""What a `q` line selects: the search language is engine.mail.search's, over this mailbox."""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import Missing
from engine.mail.headers import parse_headers
from engine.mail.mime import from_raw
from engine.mail.message import Message
from engine.mail.search import Query, SearchError, matches, parse_search
from engine.sandbox.call import Call
from engine.sandbox.failure import invalid
from engine.sandbox.labels import Label
from engine.sandbox.listing import Selection


def selection_of(call: Call, labels: Sequence[Label], hidden: bool) -> Selection:
    """Select by labels and by `q`. Raises ApiError 400 for a line that cannot be read."""
    line = call.query.get("q", "").strip()
    if not line:
        return Selection(labels, hidden)
    try:
        query = parse_search(line)
    except SearchError as error:
        raise invalid("q", str(error)) from error
    return Selection(labels, hidden)
