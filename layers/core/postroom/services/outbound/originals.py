"""The mail that is answered or passed on, as its reader may see it: masked, sanitised, without blocked files."""

from __future__ import annotations

from collections.abc import Sequence

from postroom.mail.headers import Address, is_valid
from postroom.mail.outgoing import Enclosure, Original, Ways, body_of, deliverable, is_message_id, original_header
from postroom.model import Body, Interaction


def original_of(interaction: Interaction, body: Body | None) -> Original:
    """Return what people read of a mail, for quoting it."""
    return Original(
        sender=interaction.sender,
        date=interaction.date or interaction.server_date,
        subject=interaction.subject,
        to=interaction.to,
        text=body.text if body else "",
        html=body.html if body else None,
    )


def rebuilt(interaction: Interaction, body: Body | None, files: Sequence[Enclosure]) -> bytes:
    """Build a mail of what its reader sees: never its raw form, which holds what is masked and blocked."""
    original = original_of(interaction, body)
    message_id = interaction.message_id or ""
    head = original_header(
        sender=_writable([interaction.sender] if interaction.sender else []),
        to=_writable(interaction.to),
        cc=_writable(interaction.cc),
        subject=interaction.subject,
        date=original.date,
        message_id=message_id if is_message_id(message_id) else "",
    )
    return head + body_of(original.text, original.html, files, ways=Ways(), seed=interaction.id)


def _writable(addresses: Sequence[Address]) -> list[Address]:
    """Return those that a header can carry; others by their name alone are left out of it."""
    bare = [Address(one.name, deliverable(one.address)) for one in addresses if is_valid(one.address)]
    return [one for one in bare if one.address.isascii()]
