"""Who wrote a mail that a list sends under its own address ("Ann via Support"), since DMARC forbids it hers.

What the list says of it is believed as far as the list itself is: it is told, and proposed as whom to answer.
"""

from __future__ import annotations

import re

from postroom.mail.headers import Address, is_valid
from postroom.mail.origin.lists import list_names
from postroom.mail.reader import Part

# Google Groups, Mailman's and others' words between the writer's name and the list's.
_VIA = re.compile(
    r"^(.{1,200}?)[\"']?\s+(?:via|über|par|vía|através de|przez|через|med|con|tramite)\s+\S", re.IGNORECASE
)
_LONGEST_NAME = 400
# Where lists keep the author, the surest first: Google Groups; LISTSERV and Sympa; Mailman's DMARC mitigation.
_FIELDS = ("X-Original-From", "X-Original-Sender", "Original-From", "X-MailFrom", "X-From")
_BY_REPLY = ("Reply-To", "Cc")


def stated_author(message: Part, *, other_than: str) -> Address | None:
    """Return whom lists' and forms' own fields name as the author, `other_than` From (in lower case), the surest first.

    Anybody can write these fields: ask only where From is known not to be the author's.
    """
    for field in _FIELDS:
        found = next((one for one in message.addresses(field) if is_valid(one.address)), None)
        if found is not None and found.address.lower() != other_than:
            return found
    return None


def original_author(message: Part) -> Address | None:
    """Return the author of a mail that a list rewrote; None where From is the author's."""
    senders = message.addresses("From")
    if len(senders) != 1:
        return None
    sender = senders[0]
    via = _VIA.match(sender.name[:_LONGEST_NAME])
    lists = list_names(message)
    address = sender.address.lower()
    is_list = address in lists or address.replace("@", ".") in lists
    if not (via or is_list):
        return None
    name = via[1].strip("\"' ") if via else ""
    if (stated := stated_author(message, other_than=address)) is not None:
        return Address(stated.name or name, stated.address)
    # Mailman keeps the author among those who are answered, beside the list.
    for field in _BY_REPLY:
        for one in message.addresses(field):
            if via and is_valid(one.address) and one.address.lower() != address and one.name.strip("\"' ") == name:
                return one
    return None
