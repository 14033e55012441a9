"""Put together what a report tells of one recipient: codes, command and reason."""

from __future__ import annotations

import re

from postroom.mail.reports import report_text
from postroom.mail.reports.delivery_report import Recipient
from postroom.mail.reports.fields import short
from postroom.mail.reports.reasons import Failure, Reason, is_permanent, reason_for, status_for
from postroom.mail.reports.reporters import PASSING

_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")


def recipient_for(
    address: str,
    *,
    words: str,
    reporter: str,
    action: str = "",
    status: str = "",
    remote_mta: str = "",
    is_smtp: bool = True,
    context: str = "",
) -> Recipient:
    """Put together what is known of one recipient: codes, command and reason from the words about it.

    `context` is the report's whole text: it is asked for the command, and for the reason where the words give none.
    """
    said = report_text.status_in(words)
    code = report_text.reply_code_in(words)
    given = _ENHANCED.match(status.strip())
    stated = given.group(0) if given else ""
    # The server's answer is more exact than the reporter's summary of it: "Status: 5.0.0", "550 5.7.1 …".
    enhanced = (
        said if said and not (said.endswith(".0.0") and stated and not stated.endswith(".0.0")) else stated or said
    )
    failure = Failure(
        text=words,
        status=enhanced,
        reply_code=code,
        command=report_text.command_in(words) or (report_text.command_in(context) if context != words else None),
        host=f"{remote_mta} {address.rpartition('@')[2]}",
        reporter=reporter,
        action=action,
        is_smtp=is_smtp,
    )
    reason = _delivered(action, enhanced) or reason_for(failure)
    return Recipient(
        address=address,
        action=action or "failed",
        status=enhanced
        or (
            f"{code[0]}.0.0"
            if code and code[0] in "245"
            else status_for(reason, temporary=action == "delayed" or _passes(words))
        ),
        reply_code=code or None,
        diagnostic=short(words),
        remote_mta=remote_mta or None,
        permanent=is_permanent(reason, enhanced, code),
        reason=reason.value,
    )


def _passes(words: str) -> bool:
    lowered = words.lower()
    return any(piece in lowered for piece in PASSING)


def _delivered(action: str, status: str) -> Reason | None:
    # RFC 3464 §2.3.3: relayed and expanded are as far as the reporter could follow; postfix says deliverable.
    if action in {"delivered", "relayed", "expanded", "deliverable"} and not status.startswith(("4", "5")):
        return Reason.DELIVERED
    return None
