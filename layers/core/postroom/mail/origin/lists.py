"""Which mailing list or group handed a mail on, and whether it is one of our own.

A list in front of a mailbox (a Google Group, a Microsoft 365 group, Mailman) is how people's mail comes in; any other
is a machine to whoever answers it.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from postroom.mail.reader import Part

_LONGEST = 998
_MOST = 20
_BRACKETED = re.compile(r"<([^<>\s]{1,255})>")
_MAILTO = re.compile(r"mailto:([^<>\s?,;]{1,255}@[^<>\s?,;]{1,255})", re.IGNORECASE)
_ADDRESS = re.compile(r"(?<![^\s<,;:])[^\s<>,;:@\"]{1,64}@[^\s<>,;:@\"]{1,255}")


def list_names(message: Part) -> frozenset[str]:
    """Return the identifiers (RFC 2919) of the lists that a mail came by, or their addresses; in lower case.

    Of several fields the first that is there counts: Google writes the group's owner and its help into others.
    """
    ids = [_identifier(value) for value in message.headers("List-Id")[:_MOST]]
    if ids:
        return frozenset(ids)
    for name, pattern in (("Mailing-List", _ADDRESS), ("List-Post", _MAILTO), ("X-BeenThere", _ADDRESS)):
        # "list support@shop.example; contact support+owners@shop.example"
        found = [pattern.search(value[:_LONGEST]) for value in message.headers(name)[:_MOST]]
        named = frozenset(one[one.lastindex or 0].lower().rstrip(".") for one in found if one)
        if named:
            return named
    return frozenset()


def is_own_list(message: Part, *, own_addresses: Collection[str], own_lists: Collection[str] = ()) -> bool:
    """Say whether all lists that a mail came by are ours: named in `own_lists`, or with an address of ours.

    All three are in lower case; `own_lists` holds addresses and identifiers. `support@shop.example` has the
    identifier `support.shop.example` at Google and Mailman.
    """
    names = list_names(message)
    if not names:
        return False
    own = {*own_addresses, *own_lists}
    own |= {address.replace("@", ".") for address in own}
    return names <= own


def _identifier(value: str) -> str:
    found = _BRACKETED.search(value[:_LONGEST])
    return (found[1] if found else value[:_LONGEST].strip()).lower().rstrip(".")
