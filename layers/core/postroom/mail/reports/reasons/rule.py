"""What servers mean by their words: ordered rows, the first that matches names the reason.

Texts are compared in lower case with single spaces; several pieces in `all_of` must all occur, one of `any_of`
and one of `with_any` must.
Rows of one server come first (`by_host`), because the same words mean different things there; then the
words that all use (`mailbox`, `common`, `system`). Sources: the operators' own postmaster
pages, RFC 3463 and the IANA registry of enhanced status codes, and real reports.
"""

from __future__ import annotations

from dataclasses import dataclass

from postroom.mail.reports.reasons.vocabulary import Command, Failure, Reason


@dataclass(frozen=True, slots=True)
class Rule:
    """One row; every condition that is given must hold. Hosts and reporters are compared as pieces of the name."""

    reason: Reason
    any_of: tuple[str, ...] = ()
    all_of: tuple[str, ...] = ()
    with_any: tuple[str, ...] = ()  # one of these must occur as well
    longest: int = 0  # characters: longer words are a whole report, in which two words need not belong together
    status: tuple[str, ...] = ()
    reply_code: tuple[str, ...] = ()
    command: tuple[Command, ...] = ()
    unless_command: tuple[Command, ...] = ()
    host: tuple[str, ...] = ()
    reporter: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()
    without_status: bool = False  # True: only where no enhanced status was given
    program: bool | None = None  # True: only words of a program behind the mailbox

    def matches(self, text: str, failure: Failure, host: str, *, said: bool = False) -> bool:
        """Say whether this row speaks about a failure; `text` is normalised, `host` lower case.

        `said` when one of `any_of` is known to occur.
        """
        if self.host and not any(piece in host for piece in self.host):
            return False
        if self.reporter and failure.reporter not in self.reporter:
            return False
        if self.status and not failure.status.startswith(self.status):
            return False
        if self.without_status and failure.status:
            return False
        if self.reply_code and failure.reply_code not in self.reply_code:
            return False
        if self.command and failure.command not in self.command:
            return False
        if self.unless_command and failure.command in self.unless_command:
            return False
        if self.program is not None and self.program is failure.is_smtp:
            return False
        if self.none_of and any(piece in text for piece in self.none_of):
            return False
        if self.all_of and not all(piece in text for piece in self.all_of):
            return False
        if self.longest and len(text) > self.longest:
            return False
        if self.with_any and not any(piece in text for piece in self.with_any):
            return False
        return said or not self.any_of or any(piece in text for piece in self.any_of)


R = Reason

# RFC 3463 and the IANA registry, the class left off; subjects 6 and 7 as a whole where a detail is not named.
STATUS_REASONS: dict[str, Reason] = {
    "1.0": R.USERUNKNOWN, "1.1": R.USERUNKNOWN, "1.2": R.HOSTUNKNOWN, "1.3": R.USERUNKNOWN, "1.4": R.FILTERED,
    "1.5": R.DELIVERED, "1.6": R.HASMOVED, "1.7": R.REJECTED, "1.8": R.REJECTED, "1.9": R.SYSTEMERROR,
    "1.10": R.NOTACCEPT,
    "2.0": R.FILTERED, "2.1": R.FILTERED, "2.2": R.MAILBOXFULL, "2.3": R.EXCEEDLIMIT, "2.4": R.FILTERED,
    "3.0": R.SYSTEMERROR, "3.1": R.SYSTEMFULL, "3.2": R.NOTACCEPT, "3.3": R.SYSTEMERROR, "3.4": R.MESGTOOBIG,
    "3.5": R.SYSTEMERROR,
    "4.0": R.NETWORKERROR, "4.1": R.EXPIRED, "4.2": R.NETWORKERROR, "4.3": R.SYSTEMERROR, "4.4": R.HOSTUNKNOWN,
    "4.5": R.NETWORKERROR, "4.6": R.NETWORKERROR, "4.7": R.EXPIRED, "4.8": R.NETWORKERROR,
    "5.0": R.MAILERERROR, "5.1": R.SYNTAXERROR, "5.2": R.SYNTAXERROR, "5.3": R.TOOMANYCONN, "5.4": R.SYNTAXERROR,
    "5.5": R.SYSTEMERROR, "5.6": R.SYNTAXERROR,
    "6": R.CONTENTERROR,
    "7.2": R.FILTERED, "7.13": R.SUSPEND, "7.17": R.HASMOVED, "7.18": R.HASMOVED, "7.20": R.AUTHFAILURE,
    "7.21": R.AUTHFAILURE, "7.22": R.AUTHFAILURE, "7.23": R.AUTHFAILURE, "7.24": R.AUTHFAILURE, "7.25": R.REQUIREPTR,
    "7.26": R.AUTHFAILURE, "7.27": R.NOTACCEPT, "7.28": R.SPEEDING, "7.29": R.AUTHFAILURE,
    "7": R.SECURITYERROR,
}  # fmt: skip

# The other way round: the status to report where the server gave none. Others are x.0.0.
REASON_STATUSES: dict[Reason, str] = {
    R.AUTHFAILURE: "7.26", R.BADREPUTATION: "7.1", R.BLOCKED: "7.1", R.CONTENTERROR: "6.0", R.EXCEEDLIMIT: "2.3",
    R.EXPIRED: "4.7", R.FILTERED: "2.1", R.HASMOVED: "1.6", R.HOSTUNKNOWN: "1.2", R.MAILBOXFULL: "2.2",
    R.MAILERERROR: "3.0", R.MESGTOOBIG: "3.4", R.NETWORKERROR: "4.0", R.NORELAYING: "7.1", R.NOTACCEPT: "1.10",
    R.NOTCOMPLIANTRFC: "6.0", R.POLICYVIOLATION: "7.1", R.REJECTED: "1.8", R.REQUIREPTR: "7.25", R.SECURITYERROR: "7.0",
    R.SPAMDETECTED: "7.1", R.SPEEDING: "7.28", R.SUSPEND: "2.1", R.SYNTAXERROR: "5.0", R.SYSTEMERROR: "3.0",
    R.SYSTEMFULL: "3.1", R.TOOMANYCONN: "5.3", R.USERUNKNOWN: "1.1", R.VIRUSDETECTED: "7.1",
}  # fmt: skip
