"""Names: each leads somewhere, and each is given once; no two mailboxes have one address (G01)."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from postroom.mail.headers import address_key
from postroom.model.configuration import Configuration, Settings
from postroom.services.configuration.checks.finding import Finding

NAMED_SECTIONS = (
    "departments",
    "queues",
    "endpoints",
    "mailboxes",
    "aliases",
    "outbound_servers",
    "templates",
    "delivery_exceptions",
    "blocked_extensions",
    "masking_patterns",
    "oauth_applications",
    "accounts",
    "calendars",
    "service_levels",
    "workflows",
)


@dataclass(frozen=True, slots=True)
class Reference:
    """A field that holds the name of an object of another section."""

    section: str
    field: str
    target: str
    noun: str


REFERENCES: tuple[Reference, ...] = (
    Reference("departments", "default_queue", "queues", "queue"),
    Reference("departments", "exception_queue", "queues", "queue"),
    Reference("queues", "department", "departments", "department"),
    Reference("queues", "service_level", "service_levels", "service level"),
    Reference("endpoints", "queue", "queues", "queue"),
    Reference("endpoints", "acknowledgement", "templates", "template"),
    Reference("mailboxes", "department", "departments", "department"),
    Reference("mailboxes", "endpoint", "endpoints", "endpoint"),
    Reference("mailboxes", "account", "accounts", "account"),
    Reference("aliases", "department", "departments", "department"),
    Reference("aliases", "outbound_server", "outbound_servers", "outbound server"),
    Reference("outbound_servers", "account", "accounts", "account"),
    Reference("delivery_exceptions", "department", "departments", "department"),
    Reference("blocked_extensions", "department", "departments", "department"),
    Reference("masking_patterns", "department", "departments", "department"),
    Reference("accounts", "application", "oauth_applications", "OAuth application"),
    Reference("accounts", "department", "departments", "department"),
    Reference("calendars", "department", "departments", "department"),
    Reference("service_levels", "department", "departments", "department"),
    Reference("service_levels", "calendar", "calendars", "calendar"),
    Reference("workflows", "department", "departments", "department"),
)
"""The only list of names that lead from one object to another; deletion guards read it too."""

_SETTINGS = (
    ("default_department", "departments", "department"),
    ("default_endpoint", "endpoints", "endpoint"),
    ("default_inbound_queue", "queues", "queue"),
    ("exception_queue", "queues", "queue"),
    ("default_outbound_server", "outbound_servers", "outbound server"),
)


def names(configuration: Configuration, section: str) -> set[str]:
    """Collect the names of a section, with those that exist without being written (defaults of the settings)."""
    known = {found.name for found in getattr(configuration, section)}
    # A small installation needs no queues, departments or servers of its own: the defaults exist by being named.
    for field, target, _noun in _SETTINGS:
        value = getattr(configuration.settings, field)
        if target == section and value is not None and value == Settings.model_fields[field].default:
            known.add(value)
    return known


def duplicate_names(configuration: Configuration) -> Iterator[Finding]:
    """Find names given twice in a section, whatever their case."""
    for section in NAMED_SECTIONS:
        seen: dict[str, tuple[int, str]] = {}
        for index, found in enumerate(getattr(configuration, section)):
            first, spelling = seen.setdefault(found.name.casefold(), (index, found.name))
            if first != index:
                case = "" if spelling == found.name else f" (as `{spelling}`)"
                yield Finding(
                    (section, index, "name"),
                    f"`{found.name}` is already the name of {section}[{first}]{case}.",
                    "Give each its own name.",
                )


def unknown_names(configuration: Configuration) -> Iterator[Finding]:
    """Find names that lead nowhere."""
    known = {section: names(configuration, section) for section in NAMED_SECTIONS}
    for reference in REFERENCES:
        for index, found in enumerate(getattr(configuration, reference.section)):
            value = getattr(found, reference.field)
            if value is not None and value not in known[reference.target]:
                path = (reference.section, index, reference.field)
                by = f", which `{found.name}` names"  # who reads this may have removed what is named
                yield _unknown(path, value, known[reference.target], reference.target, reference.noun, by=by)
    for field, target, noun in _SETTINGS:
        value = getattr(configuration.settings, field)
        if value is not None and value not in known[target]:
            yield _unknown(("settings", field), value, known[target], target, noun)


def _unknown(
    path: tuple[str | int, ...], value: str, known: set[str], section: str, noun: str, *, by: str = ""
) -> Finding:
    close = difflib.get_close_matches(value, sorted(known), n=1, cutoff=0.6)
    remedy = f"Did you mean `{close[0]}`?" if close else f"Add it to `{section}`, or name one that is there."
    return Finding(path, f"there is no {noun} `{value}`{by}.", remedy)


def duplicate_identities(configuration: Configuration) -> Iterator[Finding]:
    """Find mailboxes whose name, or former name, is what another one's stored mail is kept under."""
    owners = {mailbox.identity: mailbox.name for mailbox in reversed(configuration.mailboxes)}
    for index, mailbox in enumerate(configuration.mailboxes):
        if (owner := owners[mailbox.identity]) != mailbox.name:
            yield Finding(
                ("mailboxes", index, "renamed_from" if mailbox.renamed_from else "name"),
                f"`{mailbox.identity}` is what the stored mail of the mailbox `{owner}` is kept under.",
                "Give a mailbox of its own another name, one that no mailbox had before.",
            )
        if mailbox.renamed_from == mailbox.name:
            yield Finding(("mailboxes", index, "renamed_from"), "is its name as well.", "Remove it.")


def duplicate_addresses(configuration: Configuration) -> Iterator[Finding]:
    """Find mailbox, alias and redirection addresses that are used twice; display names and case do not count."""
    yield from _duplicates("mailboxes", configuration.mailboxes)
    yield from _duplicates("aliases", configuration.aliases)
    redirected: dict[str, str] = {}
    for index, alias in enumerate(configuration.aliases):
        for number, address in enumerate(alias.redirection_addresses):
            owner = redirected.setdefault(address_key(address), alias.name)
            if owner != alias.name:
                yield Finding(
                    ("aliases", index, "redirection_addresses", number),
                    f"`{address}` is redirected to the alias `{owner}` already.",
                    "Keep it with one alias: a reply's From depends on it.",
                )


def _duplicates(section: str, objects: tuple[Any, ...]) -> Iterator[Finding]:
    seen: dict[str, tuple[int, str]] = {}
    for index, found in enumerate(objects):
        bare = found.bare_address
        first, name = seen.setdefault(address_key(bare), (index, found.name))
        if first != index:
            yield Finding(
                (section, index, "address"),
                f"`{bare}` is the address of `{name}` ({section}[{first}]) already.",
                "Give each an address of its own; several objects of one address would route each other's mail.",
            )
