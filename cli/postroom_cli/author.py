"""Who gives a command, for histories."""

from __future__ import annotations

import getpass


def author() -> str:
    """Return the user's name on this machine."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no name for this user id, as in containers
        return "unknown"
