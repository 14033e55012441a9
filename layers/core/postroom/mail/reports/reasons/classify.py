"""Name the reason of a failure, and the status of a reason.

`reason_for` asks, in this order: which codes leave no doubt, the last reason that an expiry wraps, what the named
server is known to mean, what the text says at that stage of the dialogue and with that code, what the enhanced status
says (RFC 3463 and its registry), what the stage and the reply code say. The texts are tables: `lookup` names them.
docs/bounces.md tells operators what each reason means.
"""

from __future__ import annotations

import re
from dataclasses import replace

from postroom.mail.reports.reasons.vocabulary import Command, Failure, Reason


def reason_for(failure: Failure, *, wrapped: bool = False) -> Reason:
    """Name the reason of one failure; UNDEFINED where nothing tells. `wrapped`: it stood in the words of an expiry."""
    # Late import: only bounces need the tables, and they are a small part of all mail.
    from postroom.mail.reports.reasons.lookup import INDEX
    from postroom.mail.reports.reasons.rule import STATUS_REASONS

    if failure.status.startswith("2"):
        return Reason.DELIVERED
    if failure.reply_code == "556":
        return Reason.NOTACCEPT  # RFC 7504 §2: the code is for nothing else
    full = normalised(failure.text)
    last = None if wrapped else _last_reason(full, failure)
    if last is not None:
        return last
    host = failure.host.lower()
    rule = INDEX.first(full, failure, host, bare=_without_names(full))
    if rule is not None:
        return rule.reason
    if failure.action in {"delayed", "expired"}:
        return Reason.EXPIRED
    if failure.status:
        named = STATUS_REASONS.get(failure.status[2:]) or STATUS_REASONS.get(failure.status[2:3])
        if named:
            return named
    if not failure.is_smtp:
        return Reason.MAILERERROR
    if failure.command is not None:
        if failure.command is Command.RCPT and failure.reply_code in {"550", "551", "553"}:
            return Reason.USERUNKNOWN  # RFC 5321 §4.3.2: what these codes are for
        by_command = _BY_COMMAND.get(failure.command) if failure.reply_code.startswith("5") else None
        if by_command:
            return by_command
    return Reason.UNDEFINED


def _last_reason(text: str, failure: Failure) -> Reason | None:
    """Return the reason of the last try, where an expiry wraps it: "message expired; last error: 452 mailbox full"."""
    expiry = _EXPIRY.search(text)
    inner = _LAST.search(text, expiry.end()) if expiry else None
    if inner is None:
        return None
    said = inner[1]
    status, code = _STATUS.search(said), _REPLY_CODE.search(said)
    answer = replace(
        failure, text=said, status=status[0] if status else "", reply_code=code[0] if code else "", action=""
    )
    reason = reason_for(answer, wrapped=True)
    return None if reason in (Reason.UNDEFINED, Reason.EXPIRED) else reason


def status_for(reason: Reason, *, temporary: bool) -> str:
    """Return the enhanced status that RFC 3463 has for a reason, for a report that gives none."""
    from postroom.mail.reports.reasons.rule import REASON_STATUSES

    if reason is Reason.DELIVERED:
        return "2.0.0"
    return f"{4 if temporary else 5}.{REASON_STATUSES.get(reason, '0.0')}"


_EXPIRY = re.compile(
    r"expired|retry (?:time|timeout|count|limit)|time(?: |-)?out exceeded|too long|giving up|not possible within|"
    r"not (?:be )?delivered (?:within|for|after)|undeliverable for|maximum (?:time|attempts)|deferred too"
)
_LAST = re.compile(
    r"\b(?:last|most recent|final|latest) (?:smtp )?(?:error|response|reason|answer|reply|message|attempt|failure)"
    r"[^:]{0,60}: ?(.{8,})"
)
_STATUS = re.compile(r"(?<![\w.])[245]\.\d{1,3}\.\d{1,3}(?![\w.])")
_REPLY_CODE = re.compile(r"(?<![\w.])[245]\d\d(?![\w.])")
_URL = re.compile(r"https?://[^\s>\")\]]{1,500}")
_CONTINUED = re.compile(r"(?<![\w.#])[245]\d\d-(?:[245]\.\d{1,3}\.\d{1,3} )?")
_MAY_REPEAT = re.compile(r" [245]\d\d [245]\.")
_REPEATED = re.compile(r"(?<=[\w.,]) [245]\d\d [245]\.\d{1,3}\.\d{1,3} (?=[a-z])")
# SES used to put its own summary before the server's answer: "5.1.0 - Unknown address error 550-'5.7.1 …'".
_SUMMARY = re.compile(r"\b[245]\.\d\.\d - [a-z ]{3,60} (?=[245]\d\d-')")
# Tried at the beginning of a word only, so that every word is read once.
_ADDRESS = re.compile(
    r"<?(?<![^\s<>\"'()\[\]:;,@：；，（）「」【】])[^\s<>\"'()\[\]:;,@：；，（）「」【】]++@[a-z0-9][a-z0-9.-]{0,252}>?"
)
_QUOTES = str.maketrans({"\u2019": "'", "\u2018": "'", "\u201c": '"', "\u201d": '"', "\xa0": " "})


def normalised(text: str) -> str:
    """Return a server's words in one line: lower case, the codes that multi-line replies repeat removed."""
    joined = " ".join((text if text.isascii() else text.translate(_QUOTES)).split()).lower()
    if "-" in joined:
        if "-'" in joined:
            joined = _SUMMARY.sub("", joined)
        joined = _CONTINUED.sub("", joined)
    return _REPEATED.sub(" ", joined) if _MAY_REPEAT.search(joined) else joined


def _without_names(text: str) -> str:
    """Return normalised words without URLs, postfix's prefix and addresses: `mailboxfull@…` says nothing."""
    bare = _URL.sub(" ", text) if "://" in text else text
    if "..." in bare:
        bare = bare.replace("...", " ")  # "not allowed...ann@example.com"
    if "@" in bare:
        bare = _ADDRESS.sub(" ", bare)
    bare = " ".join(bare.split())
    return bare.replace("recipient address rejected: ", "")


_BY_COMMAND: dict[Command, Reason] = {
    Command.CONNECT: Reason.BLOCKED,
    Command.HELO: Reason.BLOCKED,
    Command.MAIL: Reason.REJECTED,
    Command.DATA: Reason.FILTERED,
}
