"""What each type of mailbox can do, and which options need it: the one table that configuration and docs go by."""

from __future__ import annotations

from dataclasses import dataclass

from postroom.model.configuration.mailbox import Mailbox, Type


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a protocol lets a client do with a message and a folder."""

    leave_on_server: bool
    mark_read: bool
    move: bool
    size_before_download: bool
    folders: bool
    headers_only: bool  # over-size mail without its body crossing the wire
    password: bool
    oauth: bool
    shared_mailbox: bool


CAPABILITIES: dict[Type, Capabilities] = {
    Type.IMAP: Capabilities(
        leave_on_server=True,
        mark_read=True,
        move=True,
        size_before_download=True,
        folders=True,
        headers_only=True,
        password=True,
        oauth=True,
        shared_mailbox=True,
    ),
    Type.POP3: Capabilities(
        leave_on_server=True,  # by UIDL (RFC 1939 §7); the reference system cannot
        mark_read=False,  # POP3 has no flags
        move=False,
        size_before_download=True,  # LIST
        folders=False,
        headers_only=True,  # TOP
        password=True,
        oauth=True,
        shared_mailbox=True,
    ),
    Type.EWS: Capabilities(
        leave_on_server=True,
        mark_read=True,
        move=True,
        size_before_download=True,
        folders=True,
        headers_only=True,
        password=True,
        oauth=True,
        shared_mailbox=True,
    ),
    Type.GRAPH: Capabilities(
        leave_on_server=True,
        mark_read=True,
        move=True,
        size_before_download=True,  # PidTagMessageSize as extended property
        folders=True,
        headers_only=True,
        password=False,  # tokens only
        oauth=True,
        shared_mailbox=True,
    ),
}


@dataclass(frozen=True, slots=True)
class Requirement:
    """An option that only some types honour: those types, and why the others cannot."""

    option: str
    types: frozenset[Type]
    why: str


def _with(ability: str) -> frozenset[Type]:
    return frozenset(type_ for type_, able in CAPABILITIES.items() if getattr(able, ability))


_OAUTH_TYPES = _with("oauth")

REQUIREMENTS: tuple[Requirement, ...] = (
    Requirement("folder_path", _with("folders"), "has one folder only, the inbox"),
    Requirement("folder_separator", _with("folders"), "has no folders"),
    Requirement("processed_items_folder_name", _with("move"), "cannot move messages"),
    Requirement("failed_items_folder_name", _with("move"), "cannot move messages"),
    Requirement("move_failed_ews_item", _with("move"), "cannot move messages"),
    Requirement("exchange_version", frozenset({Type.EWS}), "does not speak Exchange Web Services"),
    Requirement(
        "security", frozenset({Type.IMAP, Type.POP3}), "always goes over https, which no other setting can weaken"
    ),
    Requirement("port", frozenset({Type.IMAP, Type.POP3}), "takes its port from the URL"),
    Requirement(
        "service_account",
        frozenset({Type.IMAP, Type.POP3, Type.EWS}),
        "opens any mailbox that the application may read; name it in `address` or `login`",
    ),
    Requirement("client_id", _OAUTH_TYPES, "knows no OAuth"),
)
"""An option is refused where it was set to something else than its default and its type cannot honour it."""


def unsupported(mailbox: Mailbox) -> list[Requirement]:
    """List what the mailbox asks for and its type cannot do."""
    return [
        requirement
        for requirement in REQUIREMENTS
        if mailbox.type not in requirement.types
        and getattr(mailbox, requirement.option) != type(mailbox).model_fields[requirement.option].default
    ]
