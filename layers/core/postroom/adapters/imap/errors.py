"""What an IMAP server's refusals mean, as an ordered table: the first row that fits decides."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from postroom.adapters.net import names_credentials, passes, pause_told
from postroom.errors import (
    AccessRefused,
    FolderMissing,
    LoginRefused,
    LoginUnclear,
    MailboxLocked,
    Permanent,
    PostroomError,
    ServerMisbehaved,
    Transient,
)

_CODE = re.compile(rb"\[([A-Z0-9-]+)[^\]]*\]", re.IGNORECASE)
_SAID_AT_MOST = 200


@dataclass(frozen=True, slots=True)
class Meaning:
    """One row: at these steps (empty: all), with one of these response codes or this text, the error is this."""

    steps: tuple[str, ...]
    codes: tuple[str, ...]
    text: Callable[[str], object] | None
    error: type[PostroomError]
    code: str
    what: str
    remedy: str = ""


def _text(pattern: str) -> Callable[[str], object]:
    return re.compile(pattern, re.IGNORECASE).search


_THROTTLED = _text(r"throttl|backoff time|rate limit")


# Response codes: RFC 5530 unless said otherwise.
MEANINGS: tuple[Meaning, ...] = (
    Meaning((), ("UNAVAILABLE",), None, MailboxLocked, "unavailable", "The server says it is unavailable for now"),
    # Exchange Online says so of any command, and how long it is to be left alone.
    Meaning((), (), _THROTTLED, MailboxLocked, "throttled", "The server is asked too much"),
    Meaning((), ("INUSE", "IN-USE"), None, MailboxLocked, "mailbox_locked", "Another program holds the mailbox"),
    Meaning(
        ("greeting", "login", "folder"),
        ("LIMIT",),
        None,
        MailboxLocked,
        "too_many_connections",
        "Too many connections are open to this mailbox",
    ),
    Meaning(
        ("greeting", "login"),
        (),
        _text(r"too many|maximum number of conn|simultaneous connection|connection limit"),
        MailboxLocked,
        "too_many_connections",
        "Too many connections are open to this mailbox",
    ),
    Meaning(
        ("login",),
        ("PRIVACYREQUIRED",),  # RFC 5530 §3
        None,
        LoginRefused,
        "tls_required",
        "The server takes this login over TLS only",
        "Set `security` to ssl-tls or start-tls-required.",
    ),
    Meaning(
        ("login",),
        ("EXPIRED",),
        None,
        LoginRefused,
        "password_expired",
        "The password has expired",
        "Set a new password on the mail server, enter it here, and enable the mailbox.",
    ),
    Meaning(
        ("login",),
        ("CONTACTADMIN",),
        None,
        LoginRefused,
        "login_blocked",
        "The server wants its administrator to be asked",
        "Ask the mail server's operator to unblock this login.",
    ),
    Meaning(
        ("login",),
        ("AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED"),
        None,
        LoginRefused,
        "login_refused",
        "Login refused",
    ),
    Meaning(
        ("login",),
        (),
        passes,
        MailboxLocked,
        "unavailable",
        "The server cannot check the login for now",
    ),
    Meaning(("login",), (), names_credentials, LoginRefused, "login_refused", "Login refused"),
    Meaning(("login",), (), None, LoginUnclear, "login_unclear", "The server did not let us log in"),
    # Exchange Online after a good token: IMAP is off, the login has no right to the mailbox, or a server there is ill.
    Meaning(
        ("folder",),
        (),
        _text(r"authenticated but not connected"),
        AccessRefused,
        "mailbox_not_connected",
        "The login is good, but the mailbox cannot be opened with it",
        "Allow IMAP for the mailbox, and give the account or application the right to it.",
    ),
    Meaning(
        ("folder",),
        ("NOPERM",),
        None,
        FolderMissing,
        "folder_not_permitted",
        "The login has no right to the folder",
        "Give the login the right to read the folder.",
    ),
    Meaning(("folder",), (), None, FolderMissing, "folder_missing", "The folder cannot be opened"),
    Meaning(
        ("act",),
        ("OVERQUOTA",),
        None,
        Transient,
        "over_quota",
        "The folder for processed mail is full",
        "Make room in the mailbox; the mail is stored here already, and the move is tried again.",
    ),
    Meaning(
        ("act",),
        ("READ-ONLY", "NOPERM", "CANNOT"),
        None,
        Transient,
        "read_only",
        "The server does not let this login change the folder",
        "Give the login the right to flag, move and delete; the mail is stored here already.",
    ),
    Meaning(("act",), ("TRYCREATE", "NONEXISTENT"), None, Transient, "target_missing", "The target folder is missing"),
    Meaning((), ("CLIENTBUG",), None, Permanent, "client_bug", "The server did not understand Postroom"),
    Meaning((), (), None, ServerMisbehaved, "command_refused", "The server refused a command"),
)


def refused(text: bytes | str, *, step: str, on: str) -> PostroomError:
    """Say what a NO, BAD or BYE means at this step."""
    raw = text.encode("utf-8", "replace") if isinstance(text, str) else text
    codes = {code.decode("ascii").upper() for code in _CODE.findall(raw)}
    said = raw.decode("utf-8", "replace").strip()[:_SAID_AT_MOST]
    for row in MEANINGS:
        if row.steps and step not in row.steps:
            continue
        if row.codes and not codes.intersection(row.codes):
            continue
        if row.text and not row.text(said):
            continue
        break
    what = f"{row.what}: {said}" if said else row.what
    pause = pause_told(said) if issubclass(row.error, MailboxLocked) else None
    return row.error(what, on=on, step=step, code=row.code, remedy=row.remedy, retry_after=pause)


def response_codes(text: bytes) -> frozenset[str]:
    """Return the response codes in a text, upper case."""
    return frozenset(code.decode("ascii").upper() for code in _CODE.findall(text))
