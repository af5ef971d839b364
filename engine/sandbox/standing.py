"""What a mailbox answers by its status. Zoom documents the states alone; what they refuse is presumed.

The profile always answers, for it is where one reads the state. A mailbox that is `readOnly` answers what
changes nothing; in the other states but `active` every call is refused with 403.
"""

from __future__ import annotations

from engine.sandbox.failure import ApiError
from engine.sandbox.store import Mailbox

PROFILE = "get_mailbox_profile"


def check_standing(box: Mailbox, operation: str, method: str) -> None:
    """Let an operation pass that the mailbox's status allows. Raises ApiError 403."""
    if box.status == "active" or operation == PROFILE:
        return
    if box.status == "readOnly" and method == "GET":
        return
    raise ApiError(403, f"The mailbox is {box.status}.")
