"""Structural evidence that no person wrote a mail: RFC 3834 and what real systems send.

Ordered rows, the first that matches wins and is named in the answer. Nothing here reads the subject or the body: words
are the business of delivery exceptions.

Each row answers the question "who writes this on a person's mail?" with "nobody". What carriers, forwarding rules and
help desks write on mail that people wrote is absent on purpose:

- `X-Auto-Response-Suppress`: Exchange and Outlook, on mail of people; it asks for silence and says nothing about the
  writer (docs/threat-model.md 7).
- `Feedback-ID`: the carrier's, for its complaint feedback; Amazon SES writes it on all mail that it carries
  (docs.aws.amazon.com, "Feedback loops"; support.google.com/mail/answer/6254652).
- `X-MS-Exchange-Inbox-Rules-Loop`, `-Transport-Rules-Loop`, `-ForwardingLoop`, `X-Loop`: counted on every mail that a
  rule redirects (Exchange team, "Loop prevention in Exchange Online demystified", 2021).
- `X-MS-Exchange-Generated-Message-Source`: `Mailbox Rules Agent` forwards mail of people, too.
- `WAY_ROWS`: what help desks write on their agents' own answers; these withhold an automatic reply and prove nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from operator import itemgetter
from typing import Protocol

from postroom.mail.headers import parse_addresses


class Evidence(StrEnum):
    """What kind of machine a mail comes from."""

    REPORT = "report"  # a mail system about another mail: delivery reports, mailer-daemons, the null return path
    REPLY = "reply"  # an answering machine: vacation notices, acknowledgements
    GENERATED = "generated"  # an application: notifications, cron, tickets
    LIST = "list"  # a mailing list or a bulk sender; a person may have written it


CORROBORATING = frozenset({Evidence.REPORT, Evidence.REPLY})
"""What mail systems and answering machines leave, besides what applications and lists do."""


@dataclass(frozen=True, slots=True)
class Automatic:
    """The verdict on one mail; `why` quotes the header that decided, at most 120 characters."""

    is_automatic: bool
    why: str | None = None
    rule: str | None = None
    evidence: Evidence | None = None


class Headers(Protocol):
    """What is read of a message: its own header fields."""

    @property
    def header_names(self) -> tuple[str, ...]: ...

    def headers(self, name: str) -> list[str]: ...

    def raw_headers(self, name: str) -> list[bytes]: ...


PERSON = Automatic(is_automatic=False)

_LONGEST_VALUE = 998

PROGRAM_NAMES = frozenset(
    {
        "mailer-daemon",
        "mmdf",
        "mail-daemon",
        "maildaemon",
        "mailerdaemon",
        "mailer_daemon",
        "mdaemon",
        # Exchange, 2007 and later and online: the same in every organisation.
        "microsoftexchange329e71ec88ae4615bbc36ab6ce41109e",
    }
)
"""Local parts that no person writes under."""

MAILER_NAMES = PROGRAM_NAMES | {"postmaster", "mail_master", "post_master"}
"""Local parts under which mail systems write; the reference's list is mailer-daemon, postmaster and mmdf."""


def _value(text: str) -> str:
    """Return a header value as compared: without parameters and comments after it, lower case."""
    return text[:_LONGEST_VALUE].split(";", 1)[0].split("(", 1)[0].strip().lower()


def _always(_: str) -> bool:
    return True


def _not_no(text: str) -> bool:
    # RFC 3834 §5: everything but `no` means automatic, also keywords that nobody has registered yet.
    return _value(text) != "no"


def _truthy(text: str) -> bool:
    return _value(text) not in {"", "no", "false", "0", "none"}


def _one_of(*words: str) -> Callable[[str], bool]:
    chosen = frozenset(words)
    return lambda text: _value(text) in chosen


def _starts(*prefixes: str) -> Callable[[str], bool]:
    return lambda text: text[:_LONGEST_VALUE].strip().lower().startswith(prefixes)


def _contains(*pieces: str) -> Callable[[str], bool]:
    def test(text: str) -> bool:
        lowered = text[:_LONGEST_VALUE].lower()
        return any(piece in lowered for piece in pieces)

    return test


def _null_path(text: str) -> bool:
    # RFC 5321 §4.5.5: reports leave with an empty return path, so that nothing can come back.
    return text[:_LONGEST_VALUE].strip() in {"<>", "< >", ""}


def _mailer_path(text: str) -> bool:
    # Some servers fill the null path in with their own daemon when they store the mail.
    return is_mailer(text[:_LONGEST_VALUE].strip().strip("<>"))


def _mailer_sender(text: str) -> bool:
    return any(is_mailer(found.address or found.name) for found in parse_addresses(text))


@dataclass(frozen=True, slots=True)
class Row:
    """One piece of evidence: a header and what its value must be."""

    rule: str
    header: str
    matches: Callable[[str], bool]
    evidence: Evidence


_AUTO_REPLY = ("auto_reply", "auto-reply", "autoreply", "auto_response", "auto-response")

ROWS: tuple[Row, ...] = (
    Row("multipart-report", "Content-Type", _starts("multipart/report"), Evidence.REPORT),
    Row("null-return-path", "Return-Path", _null_path, Evidence.REPORT),
    Row("mailer-return-path", "Return-Path", _mailer_path, Evidence.REPORT),
    Row("failed-recipients", "X-Failed-Recipients", _always, Evidence.REPORT),
    Row("mailer-sender", "From", _mailer_sender, Evidence.REPORT),
    Row("auto-submitted-reply", "Auto-Submitted", _starts("auto-replied", "auto-notified"), Evidence.REPLY),
    Row("auto-submitted", "Auto-Submitted", _not_no, Evidence.GENERATED),
    # Older answering machines, from before or beside RFC 3834.
    Row("x-autoreply", "X-Autoreply", _truthy, Evidence.REPLY),
    Row("x-auto-reply", "X-Auto-Reply", _truthy, Evidence.REPLY),
    Row("x-autoreply-from", "X-Autoreply-From", _always, Evidence.REPLY),
    Row("x-autorespond", "X-Autorespond", _truthy, Evidence.REPLY),
    Row("x-autoresponder", "X-Autoresponder", _truthy, Evidence.REPLY),
    Row("x-autoresponse", "X-Autoresponse", _truthy, Evidence.REPLY),
    Row("x-auto-response", "X-Auto-Response", _truthy, Evidence.REPLY),
    Row("x-vacation", "X-Vacation", _truthy, Evidence.REPLY),
    Row("zarafa-vacation", "X-Zarafa-Vacation", _always, Evidence.REPLY),
    # CommuniGate Pro; its mirrored mail is a person's.
    Row("x-autogenerated", "X-Autogenerated", _starts("reply"), Evidence.REPLY),
    Row("x-mail-autoreply", "X-Mail-Autoreply", _truthy, Evidence.REPLY),
    Row("x-amazon-auto-reply", "X-Amazon-Auto-Reply", _truthy, Evidence.REPLY),
    # qmail-autoresponder and cPanel mark their own loop this way.
    Row("delivered-to-autoresponder", "Delivered-To", _one_of("autoresponder"), Evidence.REPLY),
    Row("x-post-messageclass", "X-POST-MessageClass", _contains("autoresponder"), Evidence.REPLY),
    # Apple Mail and iCloud; X-Apple-Criteria beside it repeats the kind.
    Row("x-apple-action", "X-Apple-Action", _contains("vacation"), Evidence.REPLY),
    Row("x-fc-machinegenerated", "X-FC-MachineGenerated", _truthy, Evidence.GENERATED),
    Row("precedence-auto-reply", "Precedence", _one_of(*_AUTO_REPLY), Evidence.REPLY),
    Row("x-precedence-auto-reply", "X-Precedence", _one_of(*_AUTO_REPLY), Evidence.REPLY),
    # Help desks talking to help desks: each names its loop guard differently.
    Row("freescout", "X-FreeScout-Mail-Type", _starts("auto"), Evidence.REPLY),
    Row("helpscout", "X-HelpScout-Auto-Reply", _truthy, Evidence.REPLY),
    Row("otrs-loop", "X-OTRS-Loop", _truthy, Evidence.GENERATED),
    Row("otobo-loop", "X-OTOBO-Loop", _truthy, Evidence.GENERATED),
    Row("znuny-loop", "X-Znuny-Loop", _truthy, Evidence.GENERATED),
    Row("zammad", "X-Zammad-Auto-Response", _always, Evidence.GENERATED),
    # Applications.
    Row("cron", "X-Cron-Env", _always, Evidence.GENERATED),
    Row("jira", "X-JIRA-FingerPrint", _always, Evidence.GENERATED),
    Row("github", "X-GitHub-Reason", _always, Evidence.GENERATED),
    Row("gitlab", "X-GitLab-NotificationReason", _always, Evidence.GENERATED),
    Row("facebook", "X-Facebook-Notify", _always, Evidence.GENERATED),
    Row("linkedin", "X-LinkedIn-Class", _always, Evidence.GENERATED),
    Row("bugzilla", "X-Bugzilla-Reason", _always, Evidence.GENERATED),
    # RFC 2919, RFC 2369, and what bulk senders wrote before them.
    Row("list-id", "List-Id", _always, Evidence.LIST),
    Row("list-unsubscribe", "List-Unsubscribe", _always, Evidence.LIST),
    Row("list-post", "List-Post", _always, Evidence.LIST),
    Row("list-help", "List-Help", _always, Evidence.LIST),
    Row("list-subscribe", "List-Subscribe", _always, Evidence.LIST),
    Row("list-owner", "List-Owner", _always, Evidence.LIST),
    Row("list-archive", "List-Archive", _always, Evidence.LIST),
    Row("mailing-list", "Mailing-List", _always, Evidence.LIST),
    Row("x-mailing-list", "X-Mailing-List", _always, Evidence.LIST),
    Row("x-ml-name", "X-ML-Name", _always, Evidence.LIST),
    Row("precedence-bulk", "Precedence", _one_of("bulk", "junk"), Evidence.LIST),
    Row("precedence-list", "Precedence", _one_of("list"), Evidence.LIST),
    Row("x-precedence-bulk", "X-Precedence", _one_of("bulk", "junk"), Evidence.LIST),
    Row("x-precedence-list", "X-Precedence", _one_of("list"), Evidence.LIST),
)


WAY_ROWS: tuple[Row, ...] = (
    # Request Tracker writes it on all of its mail, the staff's correspondence included (RT::Interface::Email).
    Row("rt-loop", "X-RT-Loop-Prevention", _always, Evidence.LIST),
    Row("rt-loop-2", "RT-Loop-Prevention", _always, Evidence.LIST),
    # Zendesk and ServiceNow write theirs on the comments that their agents send, too.
    Row("zendesk", "X-Zendesk-From-Account-Id", _always, Evidence.LIST),
    Row("servicenow", "X-ServiceNow-Generated", _truthy, Evidence.LIST),
)
"""What help desks write on all of their mail: a person may have written it, and a machine may read our answer."""


def automatic(message: Headers, *, own_list: bool = False) -> Automatic:
    """Say whether the headers of a mail prove that a machine sent it, and which one proved it.

    `own_list`: the list that handed it on is our own front door, so that what lists write proves nothing. Bulk mail
    through it stays bulk mail.
    """
    return _first(message, _THROUGH_OWN_LIST if own_list else _ALL)


def corroborates_failure(message: Headers, *, besides_sender: bool = False) -> Automatic:
    """Say whether a mail looks like a mail system's about a failure: what a delivery-exception phrase needs (X07).

    An answering machine tells of no failure: it answers because the mail arrived. Its return path is empty as a
    report's is (RFC 3834 §3.3), so that beside its marks only a mail system's name or form counts. `besides_sender`
    leaves the From address out: a postmaster may be a person.
    """
    answering = _first(message, _REPLIES).is_automatic
    if answering:
        return _first(message, _FORM_OF_REPORT if besides_sender else _MAKER_OF_REPORT)
    return _first(message, _REPORTS_BESIDES_SENDER if besides_sender else _REPORTS)


def corroboration(message: Headers, *, besides_sender: bool = False) -> Automatic:
    """Say whether a mail looks like one that mail systems and answering machines write.

    This is what a delivery-exception phrase needs beside it (X07). Lists and applications do not count: a newsletter
    about "vacation" is no absence notice. `besides_sender` leaves the From address out: a postmaster may be a person.
    """
    return _first(message, _BESIDES_SENDER if besides_sender else _CORROBORATING)


def is_mailer(address: str) -> bool:
    """Say whether an address is one under which mail systems write: mailer-daemon, postmaster and their like."""
    return _name_of(address) in MAILER_NAMES


def is_program(address: str) -> bool:
    """Say whether an address is a mailer's under which no person writes: a postmaster may be one."""
    return _name_of(address) in PROGRAM_NAMES


def _name_of(address: str) -> str:
    local = address.rpartition("@")[0] or address
    return local.strip().lower().partition("+")[0]


def withholding_headers(message: Headers, *, own_list: bool = False) -> tuple[str, ...]:
    """Name the headers that withhold an automatic reply whoever wrote the mail: of lists, and of help desks.

    Those of a list that is our own front door (RFC 2369, RFC 2919) do not.
    """
    names = _WITHHOLDING_NAMES.intersection(message.header_names)
    if not names:
        return ()
    rows = _LOOPS if own_list else (*_LIST_FIELDS, *_LOOPS)
    return tuple(
        row.header for row in rows if row.header.lower() in names and any(map(row.matches, message.headers(row.header)))
    )


_Filed = dict[str, list[tuple[int, Row]]]


def _filed(rows: Iterable[Row]) -> _Filed:
    """File rows by their header, each with its place in the order."""
    filed: _Filed = {}
    for place, row in enumerate(rows):
        filed.setdefault(row.header.lower(), []).append((place, row))
    return filed


_ALL = _filed(ROWS)
_CORROBORATING = _filed(row for row in ROWS if row.evidence in CORROBORATING)
_THROUGH_OWN_LIST = _filed(row for row in ROWS if row.evidence is not Evidence.LIST or "bulk" in row.rule)
_REPLIES = _filed(row for row in ROWS if row.evidence is Evidence.REPLY)
_REPORTS = _filed(row for row in ROWS if row.evidence is Evidence.REPORT)
_REPORTS_BESIDES_SENDER = {name: rows for name, rows in _REPORTS.items() if name != "from"}
_MAKER_OF_REPORT = {name: rows for name, rows in _REPORTS.items() if name != "return-path"}
_FORM_OF_REPORT = {name: rows for name, rows in _MAKER_OF_REPORT.items() if name != "from"}
_BESIDES_SENDER = {name: rows for name, rows in _CORROBORATING.items() if name != "from"}
_LOOPS = WAY_ROWS
_LIST_FIELDS = tuple(row for row in ROWS if row.header.lower().startswith(("list-", "mailing-list")))
_WITHHOLDING_NAMES = frozenset(row.header.lower() for row in (*_LIST_FIELDS, *_LOOPS))


def _first(message: Headers, rows: _Filed) -> Automatic:
    asked = [row for name in message.header_names if name in rows for row in rows[name]]
    values: dict[str, list[str]] = {}
    for _, row in sorted(asked, key=itemgetter(0)):
        found = values.get(row.header)
        if found is None:
            # Addresses are parsed before encoded words are decoded: a name must not become an address (RFC 2047 §5).
            found = values[row.header] = (
                [value[:_LONGEST_VALUE].decode("latin-1") for value in message.raw_headers("From")]
                if row.header == "From"
                else message.headers(row.header)
            )
        for value in found:
            if row.matches(value):
                shown = " ".join(value[:_LONGEST_VALUE].split())
                return Automatic(
                    is_automatic=True,
                    why=f"{row.header}: {shown}"[:120],
                    rule=row.rule,
                    evidence=row.evidence,
                )
    return PERSON
