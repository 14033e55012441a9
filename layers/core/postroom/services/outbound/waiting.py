"""Decide how a mail that could not leave is met again: when, for how long, whether the try counts, and who is told.

A table of sorts of failure, by the code of the error. What is not listed is put off as Postfix would: five minutes,
doubling to four hours, for five days.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

SES_SETTINGS = frozenset(
    {
        "identity_not_verified",
        "sender_not_permitted",
        "configuration_set_missing",
        "sending_paused",
        "account_suspended",
        "ses_sandbox",
    }
)
"""Codes by which SES says that an administrator has to act; see adapters/transports/ses.py."""

REFUSED_US = frozenset({"sender_refused", "relay_denied", "client_refused"})
"""Codes by which an SMTP server turns us away, not a recipient; see adapters/transports/smtp_replies.py."""

TLS_SETTINGS = frozenset(
    {
        "certificate_not_yet_valid",
        "certificate_expired",
        "certificate_self_signed",
        "certificate_untrusted",
        "certificate_wrong_host",
        "certificate_refused",
        "ca_unreadable",
        "not_tls",
        "tls_too_old",
        "tls_too_weak",
        "starttls_missing",
    }
)
"""Codes of TLS of a way out that no retry mends; see adapters/net/tls.py."""

_LOGINS = frozenset(
    {
        "login_refused",
        "consent_missing",
        "consent_revoked",
        "consent_expired",
        "client_secret_expired",
        "client_secret_wrong",
        "plaintext_refused",
        "server_type_unsupported",
    }
)

RATE = "ses_rate"
"""Code: SES takes so many mails a second, and this one was one too many."""
QUOTA = "ses_quota"
"""Code: SES takes no more mails in these 24 hours."""
DEFECT = "defect"
"""Code of an error of ours that nobody foresaw, before anything was sent."""

GIVE_UP_AFTER = timedelta(days=5)
"""The same patience that Postfix has by default (`maximal_queue_lifetime`)."""

DEFECT_GIVE_UP_AFTER = timedelta(days=1)
"""It passes by itself at best soon; after that, a person should know of every mail that it holds."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """How a failure of one sort is met."""

    name: str  # of the sort: patience begins anew when a mail fails for another sort
    first: timedelta = timedelta(minutes=5)  # doubles with each try
    longest: timedelta = timedelta(hours=4)
    patience: timedelta | None = GIVE_UP_AFTER  # None: as long as it lasts
    counts: bool = True  # as a try
    held: bool = False  # for an administrator: counted for the alarm
    needs_person: bool = False  # it does not pass by itself
    spread: bool = False  # anywhere between nothing and the wait, which grows with the time waited, not with tries


_ORDINARY = Waiting("put off")
_BY_SORT: tuple[tuple[frozenset[str], Waiting], ...] = (
    # Nobody tells us when these are mended, and asking locks no account: often.
    (
        SES_SETTINGS | REFUSED_US | TLS_SETTINGS | {"secret_missing", "account_missing", "aws_denied"},
        Waiting("settings", longest=timedelta(minutes=30), patience=None, held=True, needs_person=True),
    ),
    # Each try is a login that may lock the account.
    (_LOGINS, Waiting("settings", patience=None, held=True, needs_person=True)),
    (frozenset({DEFECT}), Waiting("defect", patience=DEFECT_GIVE_UP_AFTER, held=True)),
    # The rate is free again the next second: what waits comes back spread, in the order of chance.
    (
        frozenset({RATE}),
        Waiting("rate", first=timedelta(seconds=20), longest=timedelta(minutes=10), counts=False, spread=True),
    ),
    # A rolling day: some of it is free again every hour.
    (
        frozenset({QUOTA}),
        Waiting("quota", first=timedelta(hours=1), longest=timedelta(hours=2), patience=None, counts=False, held=True),
    ),
)
_BY_CODE = {code: waiting for codes, waiting in _BY_SORT for code in codes}

WAITS_FOR_SETTINGS = frozenset(code for code, waiting in _BY_CODE.items() if waiting.needs_person)
"""Codes of what only an administrator can supply: such a mail is never given up, and tried again when it is there."""


def waiting_for(code: str) -> Waiting:
    """Return how a failure with this code is met."""
    return _BY_CODE.get(code, _ORDINARY)


def wait_after(tries: int, *, code: str = "", waited: timedelta = timedelta(), chance: float = 1.0) -> timedelta:
    """Say how long to wait after so many tries; `waited`: since it first failed so, `chance`: 0–1, where it is spread.

    A spread wait is at least a second, and grows with what has been waited: a long line comes back more thinly.
    """
    sort = waiting_for(code)
    if sort.spread:
        return max(timedelta(seconds=1), chance * min(sort.longest, max(sort.first, waited / 2)))
    return min(sort.longest, sort.first * (1 << max(0, min(tries - 1, 10))))
