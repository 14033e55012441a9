"""Which address a person's mail leaves from: the alias that is named, the mailbox's own, or the department's default.

An alias that has redirection addresses answers from the one that the mail came through (C01); a mail that was
transferred takes the alias of where it went (C20).
"""

from __future__ import annotations

from dataclasses import dataclass

from postroom.errors import Problem
from postroom.mail.headers import Address
from postroom.model import MAILBOX_ADDRESS, Decision, Interaction, Named
from postroom.model import DecisionRule as Rule
from postroom.model.configuration import Alias, Configuration, Mailbox
from postroom.rules import department_of, recipients, way_out


@dataclass(frozen=True, slots=True)
class From:
    """The sender of a mail, by which alias, and of which mailbox where it is that one's own."""

    address: str  # RFC 5322 mailbox; "" with a problem
    alias: Alias | None
    mailbox: Mailbox | None
    decisions: tuple[Decision, ...] = ()
    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()


def of_reply(configuration: Configuration, interaction: Interaction, *, alias: str = "") -> From:
    """Choose the sender of an answer; `alias`: the name that a person gave."""
    mailbox = configuration.mailbox_of(interaction.mailbox)
    if alias:
        return _named(configuration, alias, interaction.department, came_by=(*interaction.to, *interaction.cc))
    # A mailbox that is not configured any more is known by the address that the mail came in by.
    came = mailbox.address if mailbox else interaction.attributes.get(MAILBOX_ADDRESS, "")
    if mailbox is not None and interaction.department != department_of(configuration, mailbox):
        theirs = way_out.default_alias(configuration, interaction.department)
        if theirs is not None:
            why = f"the mail was transferred to the department {interaction.department}, whose default alias it is"
            return _of(theirs, theirs.address, None, why)
    found = way_out.alias_of(configuration, came)
    if found is not None:
        through = way_out.redirected_through(found, (*interaction.to, *interaction.cc))
        if through:
            why = f"the mail came through this redirection address of the alias {found.name}"
            return _of(found, through, mailbox, why)
        if mailbox is not None:
            why = f"the alias {found.name} has the address of the mailbox that the mail came in by"
            return _of(found, found.address, mailbox, why)
    gone = "the mailbox is not configured any more"
    if mailbox is not None:
        return _of(None, mailbox.address, mailbox, "the address of the mailbox that the mail came in by")
    default = found or way_out.default_alias(configuration, interaction.department)
    if default is not None:
        why = f"{gone}: the alias {default.name} has its address, or is the default alias"
        return _of(default, default.address, None, why)
    server = configuration.outbound_server(None)
    address = came or (server.from_address if server else None) or ""
    if not address:
        what = f"mailbox {interaction.mailbox} is not configured any more."
        return From("", None, None, problems=(Problem("from", what, "Give its department an alias."),))
    return _of(None, address, None, f"{gone}, and no alias stands for it: the address that it had")


def of_new_mail(configuration: Configuration, department: str, *, alias: str = "") -> From:
    """Choose the sender of a mail that begins a thread (C20)."""
    if alias:
        return _named(configuration, alias, department, came_by=())
    default = way_out.default_alias(configuration, department)
    if default is None:
        what = f"the department {department!r} has no default alias."
        return From("", None, None, problems=(Problem("from", what, "Name an alias, or make one its default."),))
    why = f"the default alias of the department {department}"
    return _of(default, default.address, _mailbox_of(configuration, default), why)


def _named(configuration: Configuration, name: str, department: str, *, came_by: tuple[Address, ...]) -> From:
    known = [one for one in configuration.aliases if one.department in (None, department)]
    found = next((one for one in known if one.name == name), None)
    if found is None:
        what = f"{name[:80]!r} is no alias of the department {department}."
        remedy = f"Name one of: {', '.join(one.name for one in known[:20]) or 'none is configured'}."
        return From("", None, None, problems=(Problem("alias", what, remedy),))
    address = way_out.redirected_through(found, came_by) or found.address
    return _of(found, address, _mailbox_of(configuration, found), f"the alias {found.name} was chosen")


def _mailbox_of(configuration: Configuration, alias: Alias) -> Mailbox | None:
    own = recipients.same_mailbox(alias.bare_address)
    found = (one.name for one in configuration.mailboxes if recipients.same_mailbox(one.bare_address) == own)
    return configuration.mailbox(next(found, ""))


def _of(alias: Alias | None, address: str, mailbox: Mailbox | None, why: str) -> From:
    told: tuple[str, ...] = ()
    if alias is not None and alias.send_mail_to:
        told = (f"send_mail_to of the alias {alias.name}: {alias.send_mail_to} gets it instead of all recipients",)
    return From(address, alias, mailbox, (Decision(Rule.FROM, Named(address), why),), warnings=told)
