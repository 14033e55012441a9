"""Tokens in plus-addresses: each must fit into the address of its mailbox (X05)."""

from __future__ import annotations

from collections.abc import Iterator

from postroom.mail.outgoing import thread_token
from postroom.model.configuration import Configuration
from postroom.services.configuration.checks.finding import Finding


def problems(configuration: Configuration) -> Iterator[Finding]:
    """Find mailboxes whose address leaves no room for the token that `plus_addressing` adds."""
    for index, mailbox in enumerate(configuration.mailboxes):
        if not mailbox.plus_addressing or thread_token.has_room_for_plus(mailbox.bare_address):
            continue
        yield Finding(
            ("mailboxes", index, "plus_addressing"),
            f"the signed token does not fit behind `{mailbox.bare_address}`: SMTP allows 64 octets before the @ and "
            "254 in all (RFC 5321).",
            f"Give the mailbox an address with at most {thread_token.ROOM_BEFORE_PLUS} octets before the @, "
            "without quotes, or write `body_marker: true` in settings.threads instead.",
        )
