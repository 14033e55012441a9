"""Choose how a mail leaves: by which alias, by which server, to whom (C01, C04, C20).

The one place for these questions: whoever writes a mail names the server here, and whoever sends one asks again, since
aliases and servers may have changed while it waited.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from postroom.mail.headers import Address, address_key, parse_addresses
from postroom.model import Decision, Named, Outbound
from postroom.model import DecisionRule as Rule
from postroom.model.configuration import Alias, Configuration, OutboundServer, ServerType, split_mailbox
from postroom.rules.recipients import same_mailbox, written

SES = OutboundServer(name="ses", type=ServerType.SES)
"""The way out of an installation that configures none."""


@dataclass(frozen=True, slots=True)
class Recipients:
    """Whom a mail goes to, as RFC 5322 mailboxes, and why others than were written."""

    to: tuple[str, ...]
    cc: tuple[str, ...]
    bcc: tuple[str, ...]
    why: str = ""
    diverted: bool = False  # nobody whom it was written to gets it


def bare(address: str) -> str:
    """Return the address alone, as addresses are compared; "" where there is none."""
    parsed = parse_addresses(address)
    return address_key(parsed[0].address) if parsed else ""


def alias_of(configuration: Configuration, address: str) -> Alias | None:
    """Find the alias that stands for an address: its own, else one that is redirected to it.

    Inactive ones too: they are not retrieved, and still sent from (C05).
    """
    own = bare(address)
    if not own:
        return None
    by_address = (alias for alias in configuration.aliases if address_key(alias.bare_address) == own)
    redirected = (
        alias
        for alias in configuration.aliases
        if own in (address_key(address) for address in alias.redirection_addresses)
    )
    return next(by_address, None) or next(redirected, None)


def default_alias(configuration: Configuration, department: str) -> Alias | None:
    """Find the alias that a department's mail leaves by where nothing names another (C20)."""
    return next(
        (
            alias
            for alias in configuration.aliases
            if alias.default and alias.active and alias.department in (None, department)
        ),
        None,
    )


def server_name(configuration: Configuration, alias: Alias | None) -> Decision:
    """Name the server for a mail that is written now, as the decision that is kept with it."""
    if alias is not None and alias.outbound_server:
        return Decision(Rule.SERVER, Named(alias.outbound_server), f"named by the alias {alias.name}")
    return Decision(Rule.SERVER, Named(configuration.settings.default_outbound_server), "the default server")


def server_of(configuration: Configuration, outbound: Outbound) -> OutboundServer:
    """Find the server for a mail that is sent now: the one that it names, while the alias that it leaves by is there.

    A mail of a deleted alias, and one whose server is gone, leave by the default server (C04); without any, by SES.
    """
    servers = {server.name: server for server in configuration.outbound_servers}
    named = servers.get(outbound.server) if alias_of(configuration, outbound.from_address) else None
    return named or servers.get(configuration.settings.default_outbound_server) or SES


def redirected_through(alias: Alias, came_to: Sequence[Address]) -> str:
    """Return the redirection address that a mail came through, with the alias's name, as an RFC 5322 mailbox (C01).

    "" where it came to the alias itself, or to none of its addresses.
    """
    keys = {same_mailbox(one.address) for one in came_to}
    if same_mailbox(alias.bare_address) in keys:
        return ""
    through = next((one for one in alias.redirection_addresses if same_mailbox(one) in keys), "")
    return written(Address(split_mailbox(alias.address).name, through)) if through else ""


def diverts(alias: Alias | None, now: datetime) -> bool:
    """Tell whether `send_mail_to` of an alias is in force."""
    if alias is None or not alias.send_mail_to:
        return False
    return alias.send_mail_to_until is None or now < alias.send_mail_to_until


def recipients_of(configuration: Configuration, outbound: Outbound, *, now: datetime) -> Recipients:
    """Apply what the alias says of recipients to any mail that leaves now: agents', automatic, or long waiting.

    `send_mail_to` stands for every recipient until it ends, and no blind copy goes out; else `automatic_bcc` is one
    more.
    """
    alias = alias_of(configuration, outbound.from_address)
    as_written = Recipients(outbound.to, outbound.cc, outbound.bcc)
    if alias is not None and alias.send_mail_to and diverts(alias, now):
        why = f"to {alias.send_mail_to} alone: send_mail_to of the alias {alias.name} stands for every recipient"
        return Recipients((alias.send_mail_to,), (), (), why, diverted=True)
    if alias is not None and alias.automatic_bcc:
        why = f"with a blind copy to {alias.automatic_bcc}: automatic_bcc of the alias {alias.name}"
        return Recipients(as_written.to, as_written.cc, (*as_written.bcc, alias.automatic_bcc), why)
    return as_written
