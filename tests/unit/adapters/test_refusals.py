"""What the refusals of mail servers mean: texts that real servers say, and the error each becomes."""

from __future__ import annotations

import pytest
from postroom.adapters.imap.errors import refused as imap_refused
from postroom.adapters.pop3.login import refused as pop3_refused
from postroom.errors import (
    AccessRefused,
    FolderMissing,
    LoginRefused,
    LoginUnclear,
    MailboxLocked,
    PostroomError,
    ServerMisbehaved,
    Transient,
)


@pytest.mark.parametrize(
    ("text", "step", "error", "code"),
    [
        ("[AUTHENTICATIONFAILED] Authentication failed.", "login", LoginRefused, "login_refused"),  # Dovecot
        ("[AUTHENTICATIONFAILED] Invalid credentials (Failure)", "login", LoginRefused, "login_refused"),  # Gmail
        ("LOGIN failed.", "login", LoginRefused, "login_refused"),  # Exchange
        ("[ALERT] Too many simultaneous connections. (Failure)", "login", MailboxLocked, "too_many_connections"),
        ("[LIMIT] Maximum number of connections exceeded", "login", MailboxLocked, "too_many_connections"),
        ("[UNAVAILABLE] Temporary authentication failure.", "login", MailboxLocked, "unavailable"),
        ("Server Unavailable. 15", "login", MailboxLocked, "unavailable"),  # Exchange Online
        ("[INUSE] Mailbox is in use", "folder", MailboxLocked, "mailbox_locked"),
        ("[PRIVACYREQUIRED] Plaintext authentication disallowed", "login", LoginRefused, "tls_required"),
        ("[EXPIRED] That password isn't the right one", "login", LoginRefused, "password_expired"),
        ("[CONTACTADMIN] Account is blocked", "login", LoginRefused, "login_blocked"),
        # Rows of fault 95: nothing here says that name or password are wrong.
        ("Server shutting down.", "login", MailboxLocked, "unavailable"),
        ("unable to process request now", "login", MailboxLocked, "unavailable"),
        ("[ALERT] Dienst gest\u00f6rt", "login", LoginUnclear, "login_unclear"),
        ("", "login", LoginUnclear, "login_unclear"),
        ("BAD Request is throttled. Suggested Backoff Time: 299961 milliseconds", "list", MailboxLocked, "throttled"),
        ("User is authenticated but not connected.", "folder", AccessRefused, "mailbox_not_connected"),
        ("[NONEXISTENT] Unknown Mailbox: X (Failure)", "folder", FolderMissing, "folder_missing"),
        ("Mailbox doesn't exist: X", "folder", FolderMissing, "folder_missing"),
        ("[NOPERM] Permission denied", "folder", FolderMissing, "folder_not_permitted"),
        ("[OVERQUOTA] Quota exceeded (mailbox for user is full)", "act", Transient, "over_quota"),
        ("[READ-ONLY] Folder is read-only", "act", Transient, "read_only"),
        ("[TRYCREATE] Mailbox doesn't exist: Done", "act", Transient, "target_missing"),
        ("Command Error. 10", "list", ServerMisbehaved, "command_refused"),
    ],
)
def test_imap_refusals(text: str, step: str, error: type[PostroomError], code: str) -> None:
    found = imap_refused(text, step=step, on="mail.example.com:993")
    assert (type(found), found.code, found.step) == (error, code, step)
    assert found.remedy


@pytest.mark.parametrize(
    ("text", "error", "code"),
    [
        (b"[IN-USE] Mailbox is locked by another POP3 session.", MailboxLocked, "mailbox_locked"),  # Dovecot
        (b"[AUTH] Authentication failed.", LoginRefused, "login_refused"),
        (b"[SYS/TEMP] Temporary authentication failure.", MailboxLocked, "unavailable"),
        (b"[SYS/PERM] Your account is not enabled for POP access.", LoginRefused, "login_refused"),  # Gmail
        (b"[LOGIN-DELAY] minimum time between mail checks violation", MailboxLocked, "login_delay"),
        (b"Logon failure: unknown user name or bad password.", LoginRefused, "login_refused"),  # Exchange
        (b"Unable to lock maildrop: Mailbox is locked by POP server", MailboxLocked, "mailbox_locked"),
        (b"maildrop already locked", MailboxLocked, "mailbox_locked"),
        (b"Server shutting down", MailboxLocked, "unavailable"),
        (b"unable to process request now", MailboxLocked, "unavailable"),
        (b"Verbindung abgelehnt", LoginUnclear, "login_unclear"),
        (b"", LoginUnclear, "login_unclear"),
    ],
)
def test_pop3_refusals(text: bytes, error: type[PostroomError], code: str) -> None:
    found = pop3_refused(text, step="login", on="mail.example.com:995")
    assert (type(found), found.code) == (error, code)


@pytest.mark.fault(128)
@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("BAD Request is throttled. Suggested Backoff Time: 299961 milliseconds", 299.961),  # Exchange Online
        ("[UNAVAILABLE] Try again in 5 minutes", 300.0),
        ("[UNAVAILABLE] Please wait 90 seconds", 90.0),
        ("[UNAVAILABLE] Session 4711 closed", None),
        ("[AUTHENTICATIONFAILED] wait 90 seconds", None),  # nothing that passes by itself
    ],
)
def test_how_long_a_server_wants_to_be_left_alone_is_read_from_its_words(text: str, seconds: float | None) -> None:
    assert imap_refused(text, step="login", on="m").retry_after == seconds


@pytest.mark.fault(95)
@pytest.mark.parametrize(
    "text", ["Server shutting down.", "unable to process request now", "?", "\u4e0d\u53ef\u7528", ""]
)
def test_only_words_that_name_the_credentials_end_the_trying(text: str) -> None:
    for found in (imap_refused(text, step="login", on="m"), pop3_refused(text.encode(), step="login", on="m")):
        assert isinstance(found, Transient)


def test_a_long_text_of_a_server_is_cut() -> None:
    assert len(str(imap_refused(b"x" * 100_000, step="list", on="m"))) < 500
