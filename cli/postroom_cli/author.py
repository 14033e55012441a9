"""Who gives a command, for histories and for rights."""

from __future__ import annotations

import getpass

from postroom.model.access import Principal
from postroom.rules.access import operator as operator_of


def author() -> str:
    """Return the user's name on this machine."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no name for this user id, as in containers
        return "unknown"


def operator() -> Principal:
    """Return who gives a command: with AWS credentials on the table itself, which no right could be kept from."""
    return operator_of(author())
