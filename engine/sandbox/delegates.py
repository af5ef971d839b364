"""The operations on delegates: who else may use a mailbox.

A delegate with a mailbox here has accepted at once, and finds it in its own history (`delegators...`);
one from outside stays pending (presumed).
"""

from __future__ import annotations

import sqlite3

from engine.sandbox.call import Call, address_of
from engine.sandbox.failure import invalid, not_found
from engine.sandbox.representation import Json

ACCESS = ("dlgreviewer", "dlgauthor", "dlgeditor")


def list_mailbox_delegates(call: Call) -> Json:
    rows = call.store.db.execute(
        "SELECT * FROM delegates WHERE mailbox = ? ORDER BY address", (call.box.row,)
    )
    return {"delegates": [_shown(call, row) for row in rows]}


def grant_mailbox_delegate(call: Call) -> Json:
    """Grant access, or change its level for one who has it (presumed)."""
    address = address_of(call.text("delegateEmail"), "delegateEmail")
    access = call.text("delegateAccess", "dlgeditor")
    if access not in ACCESS:
        raise invalid("delegateAccess", f"delegateAccess is one of {', '.join(ACCESS)}.")
    if address == call.box.address:
        raise invalid("delegateEmail", "A mailbox is no delegate of its own.")
    known = _find(call, address)
    if known is None or known["access"] != access:
        call.store.db.execute(
            "INSERT INTO delegates VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET access = excluded.access",
            (call.box.row, address, access, call.store.now()),
        )
        _record(call, address, "Updated" if known else "Added")
    return _shown(call, _require(call, address))


def get_mailbox_delegate(call: Call) -> Json:
    return _shown(call, _require(call, call.path["delegateEmail"]))


def revoke_mailbox_delegate(call: Call) -> None:
    address = _require(call, call.path["delegateEmail"])["address"]
    call.store.db.execute("DELETE FROM delegates WHERE mailbox = ? AND address = ?", (call.box.row, address))
    _record(call, address, "Deleted")


def _record(call: Call, address: str, change: str) -> None:
    """Write the change into the history of both, as far as the delegate is hosted here."""
    call.store.record(call.box, {f"delegates{change}": [address]}, message=False)
    other = call.store.mailbox(address)
    if other is not None:
        call.store.record(other, {f"delegators{change}": [call.box.address]}, message=False)


def _find(call: Call, address: str) -> sqlite3.Row | None:
    found: sqlite3.Row | None = call.store.db.execute(
        "SELECT * FROM delegates WHERE mailbox = ? AND address = ?", (call.box.row, address.casefold())
    ).fetchone()
    return found


def _require(call: Call, address: str) -> sqlite3.Row:
    found = _find(call, address)
    if found is None:
        raise not_found("The delegate")
    return found


def _shown(call: Call, row: sqlite3.Row) -> Json:
    return {
        "delegateEmail": row["address"],
        "delegateAccess": row["access"],
        "verificationStatus": "accepted" if call.store.mailbox(row["address"]) else "pending",
        "creationTime": str(row["created"]),
        "accessTime": str(row["created"]),
    }
