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
    """One label with its counts; `shape` holds colour and visibilities as the API names them."""

    id: str
    name: str
    parent: str
    kind: str
    total: int = 0
    unread: int = 0
    threads: int = 0
    threads_unread: int = 0
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
    _require_place(store, box, name, parent)
    made = store.db.execute(
        "UPDATE mailboxes SET labels_made = labels_made + 1 WHERE row = ? RETURNING labels_made", (box.row,)
    ).fetchone()
    label = Label(f"Label_{made['labels_made']}", name, parent, "user", shape=shape)
    _insert(store, box, label)
    store.record(box, {"settingsAdded": [{"type": "userLabels", "id": label.id}]}, message=False)
    return label


def update_label(store: Store, box: Mailbox, old: Label, new: Label) -> None:
    """Rename, move or recolour a user label. Raises ApiError 409 and 400 as for a new one."""
    if new == old:
        return
    if (new.name, new.parent) != (old.name, old.parent):
        _require_place(store, box, new.name, new.parent, old)
    store.db.execute(
        "UPDATE labels SET name = ?, parent = ?, shape = ? WHERE mailbox = ? AND id = ?",
        (new.name, new.parent, json.dumps(new.shape), box.row, old.id),
    )
    store.record(box, {"settingsUpdated": [{"type": "userLabels", "id": old.id}]}, message=False)


def drop_label(store: Store, box: Mailbox, label: Label) -> None:
    """Remove a label that no message carries any more."""
    store.db.execute("DELETE FROM labels WHERE mailbox = ? AND id = ?", (box.row, label.id))
    store.record(box, {"settingsDeleted": [{"type": "userLabels", "id": label.id}]}, message=False)


def family(labels: dict[str, Label], top: Label) -> list[Label]:
    """A label and all below it, those below first."""
    return [
        *(one for child in labels.values() if child.parent == top.id for one in family(labels, child)),
        top,
    ]


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


def _require_place(store: Store, box: Mailbox, name: str, parent: str, moved: Label | None = None) -> None:
    """Refuse a place in the tree that a new label, or one that is moved, cannot have."""
    labels = every_label(store, box)
    above = labels.get(parent)
    if parent and (above is None or above.kind == "system"):
        raise invalid("parentId", "parentId names no user label.")
    below = family(labels, moved) if moved else []
    if above in below:
        raise invalid("parentId", "A label cannot lie below itself.")
    height = max(level(labels, one) for one in below) - level(labels, moved) if moved else 0
    depth = level(labels, above) + 1 if above else 0
    if depth + height >= DEEPEST:
        raise invalid("parentId", f"Labels nest at most {DEEPEST} levels deep.")
    if _taken(labels, name, parent, moved):
        raise ApiError(409, "A label of this name exists.")


def _taken(labels: dict[str, Label], name: str, parent: str, moved: Label | None) -> bool:
    if not parent and name.upper() in SYSTEM:
        return True
    return any(
        (one.name, one.parent) == (name, parent) and (moved is None or one.id != moved.id)
        for one in labels.values()
    )


def _insert(store: Store, box: Mailbox, label: Label) -> None:
    store.db.execute(
        "INSERT INTO labels (mailbox, id, name, parent, kind, shape) VALUES (?, ?, ?, ?, ?, ?)",
        (box.row, label.id, label.name, label.parent, label.kind, json.dumps(label.shape)),
    )


def _label(row: sqlite3.Row) -> Label:
    return Label(
        row["id"], row["name"], row["parent"], row["kind"], row["total"], row["unread"],
        row["threads"], row["threads_unread"], json.loads(row["shape"]),
    )  # fmt: skip
