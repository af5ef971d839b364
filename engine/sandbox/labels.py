"""Labels of a mailbox: the system's own and the users' tree of them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field

from engine.sandbox.failure import ApiError, invalid
from engine.sandbox.store import Mailbox, Store

SYSTEM = ("INBOX", "DRAFT", "SCHEDULED", "SENT", "SPAM", "TRASH", "IMPORTANT", "UNREAD", "STARRED")
HIDING = frozenset({"SPAM", "TRASH"})
FIXED = frozenset({"DRAFT", "SCHEDULED", "SENT"})
"""Labels that only the service itself puts on and takes off."""
DEEPEST = 10


@dataclass(frozen=True, slots=True)
class Label:
    """One label; `shape` holds colour and visibilities as the API names them."""

    id: str
    name: str
    parent: str
    kind: str
    total: int = 0
    shape: dict[str, object] = field(default_factory=dict)


def make_system_labels(store: Store, box: Mailbox) -> None:
    """Give a new mailbox the labels that every mailbox has."""
    for name in SYSTEM:
        _insert(store, box, Label(name, name, "", "system"))


def every_label(store: Store, box: Mailbox) -> dict[str, Label]:
    """All labels by id."""
    rows = store.db.execute("SELECT * FROM labels WHERE mailbox = ?", (box.row,))
    return {row["id"]: _label(row) for row in rows}


def find_label(store: Store, box: Mailbox, id_: str) -> Label | None:
    row = store.db.execute("SELECT * FROM labels WHERE mailbox = ? AND id = ?", (box.row, id_)).fetchone()
    return _label(row) if row else None


def require_labels(store: Store, box: Mailbox, ids: Iterable[str], where: str) -> list[Label]:
    """Find labels by id. Raises ApiError 400 naming the field `where` for an unknown one."""
    found = []
    for id_ in ids:
        label = find_label(store, box, id_)
        if label is None:
            raise invalid(where, f"Label {id_[:100]} does not exist.")
        found.append(label)
    return found


def create_label(store: Store, box: Mailbox, name: str, parent: str, shape: dict[str, object]) -> Label:
    """Make a user label. Raises ApiError 409 for a name taken, 400 for a parent that cannot have it."""
    above = find_label(store, box, parent) if parent else None
    if parent and (above is None or above.kind == "system"):
        raise invalid("parentId", "parentId names no user label.")
    if above is not None and level(every_label(store, box), above) + 1 >= DEEPEST:
        raise invalid("parentId", f"Labels nest at most {DEEPEST} levels deep.")
    if _taken(store, box, name, parent):
        raise ApiError(409, "A label of this name exists.")
    made = store.db.execute(
        "UPDATE mailboxes SET labels_made = labels_made + 1 WHERE row = ? RETURNING labels_made", (box.row,)
    ).fetchone()
    label = Label(f"Label_{made['labels_made']}", name, parent, "user", shape=shape)
    _insert(store, box, label)
    store.record(box, {"settingsAdded": [{"type": "userLabels", "id": label.id}]}, message=False)
    return label


def label_at(store: Store, box: Mailbox, path: str) -> str:
    """Find a label by its full name (`parent/child`) or id, making what is missing; returns its id."""
    if find_label(store, box, path):
        return path
    parent = ""
    for name in path.split("/"):
        row = store.db.execute(
            "SELECT id FROM labels WHERE mailbox = ? AND parent = ? AND name = ?", (box.row, parent, name)
        ).fetchone()
        parent = row["id"] if row else create_label(store, box, name, parent, {}).id
    return parent


def path_of(labels: dict[str, Label], id_: str) -> str:
    """The full name, from the top level down, joined by `/`."""
    names: list[str] = []
    label = labels.get(id_)
    while label is not None:
        names.append(label.name)
        label = labels.get(label.parent)
    return "/".join(reversed(names))


def level(labels: dict[str, Label], label: Label) -> int:
    """How many levels below the top a label lies."""
    depth = 0
    while label.parent in labels:
        label = labels[label.parent]
        depth += 1
    return depth


def _taken(store: Store, box: Mailbox, name: str, parent: str) -> bool:
    if not parent and name.upper() in SYSTEM:
        return True
    return bool(
        store.db.execute(
            "SELECT 1 FROM labels WHERE mailbox = ? AND parent = ? AND name = ?", (box.row, parent, name)
        ).fetchone()
    )


def _insert(store: Store, box: Mailbox, label: Label) -> None:
    store.db.execute(
        "INSERT INTO labels (mailbox, id, name, parent, kind, shape) VALUES (?, ?, ?, ?, ?, ?)",
        (box.row, label.id, label.name, label.parent, label.kind, json.dumps(label.shape)),
    )


def _label(row: sqlite3.Row) -> Label:
    return Label(row["id"], row["name"], row["parent"], row["kind"], row["total"], json.loads(row["shape"]))
