"""What an Exchange server's refusals mean, as ordered tables: the first row that fits decides.

Response codes: "ResponseCode" of the EWS reference. HTTP statuses come from IIS and from what stands in front of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from postroom.errors import (
    AccessRefused,
    FolderMissing,
    LoginRefused,
    MailboxLocked,
    Permanent,
    PostroomError,
    ServerMisbehaved,
    Transient,
)

GONE = frozenset({"ErrorItemNotFound"})
"""The item is not there any more: moved, deleted, or dealt with by a poll that died before it could remember that."""

_SAID_AT_MOST = 200


@dataclass(frozen=True, slots=True)
class Meaning:
    """One row: at these steps (empty: all), one of these response codes (empty: any) is this error."""

    steps: tuple[str, ...]
    codes: frozenset[str]
    error: type[PostroomError]
    code: str
    what: str
    remedy: str = ""


def _codes(*names: str) -> frozenset[str]:
    return frozenset(f"Error{name}" for name in names)


MEANINGS: tuple[Meaning, ...] = (
    Meaning((), _codes("ServerBusy"), Transient, "server_busy", "The server is busy and asks for a pause"),
    Meaning(
        (),
        _codes("ExceededConnectionCount", "TooManyObjectsOpened", "ExceededFindCountLimit", "BatchProcessingStopped"),
        Transient,
        "throttled",
        "The server's throttling policy stopped the request",
    ),
    Meaning(
        (),
        _codes(
            "MailboxStoreUnavailable",
            "MailboxMoveInProgress",
            "MailboxFailover",
            "ConnectionFailed",
            "ADUnavailable",
            "InsufficientResources",
            "NotEnoughMemory",
        ),
        MailboxLocked,
        "unavailable",
        "The mailbox is not available for now",
        "The mailbox database is down or the mailbox is being moved; it is tried again in ten minutes.",
    ),
    Meaning(
        (),
        _codes("InternalServerTransientError", "TimeoutExpired", "InternalServerError", "ADOperation", "CASError"),
        Transient,
        "server_error",
        "The server failed",
    ),
    Meaning(
        (),
        _codes("PasswordExpired", "PasswordChangeRequired"),
        LoginRefused,
        "password_expired",
        "The password has expired",
        "Set a new password in the domain, enter it here, and enable the mailbox.",
    ),
    Meaning(
        (),
        _codes("AccountDisabled", "InvalidUserPrincipalName", "InvalidUserInfo"),
        LoginRefused,
        "account_disabled",
        "The account cannot be used",
        "Ask the Exchange administrator to enable the account.",
    ),
    Meaning(
        (),
        _codes("ImpersonateUserDenied", "ImpersonationDenied", "ImpersonationFailed"),
        AccessRefused,
        "impersonation_denied",
        "The application may not act for the mailbox",
        "Give the application or account the role ApplicationImpersonation for this mailbox.",
    ),
    Meaning(
        ("login", "folder", "list"),
        _codes(
            "NonExistentMailbox",
            "MissingEmailAddress",
            "InvalidSmtpAddress",
            "MissingInformationEmailAddress",
            "NonPrimarySmtpAddress",
        ),
        LoginRefused,
        "mailbox_not_found",
        "The server has no such mailbox",
        "Correct `address` or `login`: name the primary address of the mailbox.",
    ),
    Meaning(
        ("act",),
        _codes("AccessDenied", "CreateItemAccessDenied", "MoveCopyFailed", "CannotDeleteObject"),
        Transient,
        "read_only",
        "The server does not let this login change the folder",
        "Give the login the right to mark, move and delete; the mail is stored here already.",
    ),
    Meaning(
        ("act",),
        _codes("QuotaExceeded", "MessageSizeExceeded"),
        Transient,
        "over_quota",
        "The mailbox is full",
        "Make room in the mailbox; the mail is stored here already, and the move is tried again.",
    ),
    Meaning(
        ("act",),
        _codes("FolderNotFound", "ItemNotFound", "ToFolderNotFound"),
        Transient,
        "target_missing",
        "The target folder is missing",
    ),
    Meaning(
        (),
        _codes("AccessDenied", "CannotOpenMailbox", "NotDelegate"),
        AccessRefused,
        "mailbox_not_permitted",
        "The login has no right to the mailbox",
        "Give the account full access to the mailbox, or correct `service_account`.",
    ),
    Meaning(
        (),
        _codes("FolderNotFound", "ParentFolderNotFound", "SyncFolderNotFound"),
        FolderMissing,
        "folder_missing",
        "No such folder",
    ),
    Meaning(
        (),
        _codes(
            "InvalidServerVersion",
            "IncorrectSchemaVersion",
            "InvalidSchemaVersionForMailboxVersion",
            "InvalidVersion",
        ),
        Permanent,
        "exchange_version",
        "The server does not know this version of Exchange Web Services",
        "Set `exchange_version` to that of the server.",
    ),
    Meaning(
        (),
        _codes("SchemaValidation", "InvalidRequest", "InvalidIdMalformed", "InvalidSyncStateData"),
        Permanent,
        "client_bug",
        "The server did not understand Postroom",
    ),
    Meaning((), frozenset(), ServerMisbehaved, "command_refused", "The server refused a request"),
)

OF_THE_ITEM = frozenset(
    {
        "ErrorItemCorrupt",
        "ErrorCorruptData",
        "ErrorMimeContentConversionFailed",
        "ErrorMimeContentInvalid",
        "ErrorMimeContentInvalidBase64String",
        "ErrorContentConversionFailed",
        "ErrorMessageSizeExceeded",
        "ErrorInvalidIdMalformed",
        "ErrorUnsupportedMimeConversion",
        "ErrorItemPropertyRequestFailed",
        "ErrorPropertyRequestFailed",
        "ErrorInvalidPropertyRequest",
    }
)
"""Codes that blame one item when they answer for one: the others of the request are not touched by it."""

DOUBTFUL = frozenset({"ErrorInternalServerError", "ErrorInternalServerTransientError"})
"""Exchange says these of an item that it cannot read, and of all items while it is ill itself."""


def refused(code: str, text: str, *, step: str, on: str, back_off: float | None = None) -> PostroomError:
    """Say what a response code means at this step; `back_off`: seconds that the server asks to be left alone."""
    said = " ".join(text.split())[:_SAID_AT_MOST]
    row = next(row for row in MEANINGS if (not row.steps or step in row.steps) and (not row.codes or code in row.codes))
    what = f"{row.what}: {said}" if said else row.what
    if row.error is ServerMisbehaved and code.startswith("Error"):
        what = f"{row.what} ({code}): {said}"
    if back_off:
        what = f"{row.what} of {back_off:,.0f} seconds"
    return row.error(what, on=on, step=step, code=row.code, remedy=row.remedy, retry_after=back_off or None)


def refused_by_status(
    status: int, *, step: str, on: str, said: str = "", location: str = "", pause: float | None = None
) -> PostroomError:
    """Say what an HTTP status other than 200 means."""
    if status == 401:
        locked = "locked out" in said
        return LoginRefused(
            "The account is locked out" if locked else "Login refused",
            on=on,
            step="login",
            code="account_locked" if locked else "login_refused",
        )
    if status in (403, 456):
        return AccessRefused(
            "The server does not let this login use Exchange Web Services",
            on=on,
            step="login",
            code="ews_blocked",
            remedy="Allow EWS for the mailbox and for this application (EwsEnabled, EwsApplicationAccessPolicy).",
        )
    if 300 <= status < 400:
        return Permanent(
            f"The server sends us to {location[:_SAID_AT_MOST] or 'another address'}",
            on=on,
            step="login",
            code="redirected",
            remedy="Enter the URL of the server itself; credentials are not taken elsewhere.",
        )
    if status in (404, 405, 410):
        return Permanent(
            f"There is no Exchange Web Services at this URL (HTTP {status})",
            on=on,
            step="login",
            code="not_ews",
            remedy="Write `server` like https://mail.example.com/EWS/Exchange.asmx.",
        )
    if status in (429, 503):
        told = f" of {pause:,.0f} seconds" if pause else ""
        what = f"The server is busy and asks for a pause{told}"
        return Transient(what, on=on, step=step, code="server_busy", retry_after=pause)
    return ServerMisbehaved(f"The server answered HTTP {status}", on=on, step=step, code="http_status")
