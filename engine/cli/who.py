"""Who calls a command, for the journal."""

from __future__ import annotations

import getpass
import os
import socket


def login() -> str:
    """Give the user's name, or the id of one that has none, as in a container."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def who() -> str:
    """Give the user and on which machine."""
    return f"{login()}@{socket.gethostname()}"
