"""What rendering gives: the parts of a mail, not yet a mail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.mail.address import Address
from engine.mail.bodies import File


@dataclass(frozen=True, slots=True)
class Rendered:
    """A template filled in; `subject`, `from_name` and the values of `headers` are single lines."""

    subject: str
    text: str
    html: str
    from_name: str
    sender: str = ""
    """The address that it asks to leave from, one of the mailbox's own; "" for the usual one."""
    reply_to: tuple[Address, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    files: tuple[File, ...] = ()
    """Images that the HTML shows, which bear an id, and files from the template folder."""
    own: tuple[str, ...] = ()
    """Globs of the names of those files of the message that go with it."""
    locale: str = ""
    """The language that was chosen, as the file names it."""
