"""What a `q` line selects: engine.mail.search's language over this mailbox.

What the tables know (labels, dates, sizes, Message-IDs) is asked of SQLite first; each message that
is left is then judged as the language says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from engine.mail.message import Message
from engine.mail.query import AllOf, AnyOf, Date, MessageId, Query, Size
from engine.mail.query import Label as Labelled
from engine.mail.search import SearchError, matches, parse_search
from engine.sandbox.call import Call
from engine.sandbox.failure import invalid
from engine.sandbox.judging import EPOCH, answers
from engine.sandbox.labels import Label, every_label, path_of
from engine.sandbox.listing import Selection
from engine.sandbox.mailbox import Stored, labels_of, raw_of, storable
from engine.sandbox.store import Store

Condition = tuple[str, tuple[object, ...]]

_ANYWHERE = re.compile(r"(?<!\S)in:anywhere(?!\S)", re.IGNORECASE)
_WIDEST, _DEEPEST = 20, 3
"""How much of a line SQLite is asked; the rest is judged message by message."""


def selection_of(call: Call, labels: Sequence[Label], hidden: bool) -> Selection:
    """Select by labels and by `q`. Raises ApiError 400 for a line that cannot be read."""
    line = call.query.get("q", "").strip()
    if not line:
        return Selection(labels, hidden)
    try:
        query = parse_search(line, now=EPOCH + timedelta(milliseconds=call.store.now()))
    except SearchError as error:
        raise invalid("q", str(error)) from error
    known = every_label(call.store, call.box)
    names = {id_: path_of(known, id_) for id_ in known}
    past = call.store.lag.before(call.store.clock(), call.box.row)
    where, values = (not past and _narrowed(query, names)) or ("", ())
    return Selection(
        labels=[*labels, *(known[id_] for id_ in _named(query, names) if not past)],
        hidden=hidden or bool(_ANYWHERE.search(line)),
        where=where,
        values=values,
        message_id=_bare_id(query),
        keep=lambda message: _answers(call.store, query, message, names, past),
    )


def _answers(
    store: Store,
    query: Query,
    message: Stored,
    names: Mapping[str, str],
    past: Mapping[str, frozenset[str] | None],
) -> bool:
    ids = past[message.id] if message.id in past else labels_of(store, message)
    if ids is None:
        return False
    labels = [names[id_] for id_ in ids if id_ in names]
    return answers(query, raw_of(store, message), message.id, labels, message.date)


def _bare_id(query: Query) -> str | None:
    """The Message-ID that every answer must bear."""
    found = [one.id for one in _every(query) if isinstance(one, MessageId)]
    return storable(found[0]) if found else None


def _named(query: Query, names: Mapping[str, str]) -> list[str]:
    """Labels that every answer must carry: the listing then walks the rarest of them."""
    found = [_ids(one, names) for one in _every(query) if isinstance(one, Labelled)]
    return [ids[0] for ids in found if len(ids) == 1]


def _every(query: Query) -> tuple[Query, ...]:
    """What must hold together, as far as SQLite is asked."""
    return query.queries[:_WIDEST] if isinstance(query, AllOf) else (query,)


def _ids(label: Labelled, names: Mapping[str, str]) -> list[str]:
    return [id_ for id_, name in names.items() if matches(label, Message(key="", labels=frozenset({name})))]


def _narrowed(query: Query, names: Mapping[str, str], depth: int = 0) -> Condition | None:
    """A condition that every answer fulfils, None when the tables know none."""
    match query:
        case MessageId(wanted):
            return "m.message_id = ?", (storable(wanted),)
        case Size(above, below):
            return _between("m.size", above, below)
        case Date(since, until):
            return _between("m.date", _before(since), _after(until))
        case Labelled():
            ids = _ids(query, names)
            marks = ", ".join("?" * len(ids))
            test = "SELECT 1 FROM message_labels n WHERE n.message = m.row AND n.label IN"
            return f"EXISTS ({test} ({marks}))", tuple(ids)
        case AllOf(queries) | AnyOf(queries):
            return _joined(query, queries, names, depth)
        case _:
            return None


def _joined(query: Query, queries: Sequence[Query], names: Mapping[str, str], depth: int) -> Condition | None:
    """All conditions that can be had of "all of", those of "any of" only when all can be had."""
    every = isinstance(query, AllOf)
    if depth == _DEEPEST or (len(queries) > _WIDEST and not every):
        return None
    found = [_narrowed(one, names, depth + 1) for one in queries[:_WIDEST]]
    known = [condition for condition in found if condition]
    if not known or (len(known) < len(found) and not every):
        return None
    sql = (" AND " if every else " OR ").join(f"({test})" for test, _ in known)
    return sql, tuple(value for _, values in known for value in values)


def _between(column: str, above: int | None, below: int | None) -> Condition | None:
    tests = [(f"{column} > ?", above), (f"{column} < ?", below)]
    given = [(test, value) for test, value in tests if value is not None]
    if not given:
        return None
    return " AND ".join(test for test, _ in given), tuple(value for _, value in given)


def _before(moment: datetime | None) -> int | None:
    """The last millisecond that surely lies before a moment."""
    return None if moment is None else (moment - EPOCH) // timedelta(milliseconds=1) - 1


def _after(moment: datetime | None) -> int | None:
    """The first millisecond that surely does not lie before a moment."""
    return None if moment is None else (moment - EPOCH) // timedelta(milliseconds=1) + 1
