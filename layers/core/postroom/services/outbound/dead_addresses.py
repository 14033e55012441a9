"""Send nothing more to an address that is dead, or whose owner complained (reliability row 80).

What counts as dead is the bounce table's word (`mail.reports.reasons`): a full mailbox, a policy, a blocked address of
ours say nothing of the address. A report suppresses only addresses that the mail was sent to, so that nobody can have
others suppressed who holds one mail of ours.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from postroom.errors import Transient
from postroom.mail.headers import address_key, parse_addresses
from postroom.mail.reports.reasons import Command, Failure, is_permanent, reason_for
from postroom.model import AtRecipient, Outbound, OutboxState, Suppression, SuppressionReason
from postroom.ports import Suppressions

BOUNCE_LASTS = timedelta(days=180)
"""An address may be given to somebody else, or its server be mended."""

SUPPRESSED = "suppressed"
"""Code of a recipient to whom nothing is sent."""

_CODE = re.compile(r"\b(5\d\d)\b")
_STATUS = re.compile(r"\b(5\.\d{1,3}\.\d{1,3})\b")


def withheld(found: Mapping[str, Suppression]) -> Mapping[str, AtRecipient]:
    """Say what becomes of a mail at addresses that are suppressed."""
    return {address: AtRecipient(OutboxState.FAILED, SUPPRESSED, _why(one)) for address, one in found.items()}


def _why(one: Suppression) -> str:
    until = f" until {one.expires:%Y-%m-%d}" if one.expires else ""
    return (
        f"nothing is sent to this address since {one.at:%Y-%m-%d}{until}: {_WORDS[one.reason]} ({one.source}). "
        f"`postroom suppression remove {one.address}` lets mail go to it again"
    )


_WORDS: Mapping[SuppressionReason, str] = {
    SuppressionReason.BOUNCED: "a server said that it does not exist",
    SuppressionReason.COMPLAINED: "its owner complained about a mail of ours",
    SuppressionReason.BY_HAND: "entered by hand",
}


def is_dead(address: str, refused: AtRecipient) -> bool:
    """Tell whether a server refused the recipient because there is no such address."""
    if refused.state is not OutboxState.FAILED or refused.code != "recipients_refused":
        return False
    code, status = _CODE.search(refused.said), _STATUS.search(refused.said)
    failure = Failure(
        text=refused.said,
        status=status[1] if status else "",
        reply_code=code[1] if code else "",
        command=Command.RCPT,
        host=address.rpartition("@")[2].lower(),
    )
    return is_permanent(reason_for(failure), failure.status, failure.reply_code)


def suppress(
    addresses: Iterable[str],
    reason: SuppressionReason,
    *,
    outbound: Outbound,
    detail: str,
    suppressions: Suppressions,
    now: datetime,
) -> None:
    """Suppress those of these addresses that the mail was sent to; one that fails for now is met at the next bounce."""
    written = {
        address_key(parsed.address)
        for text in (*outbound.to, *outbound.cc, *outbound.bcc)
        for parsed in parse_addresses(text)
    }
    expires = now + BOUNCE_LASTS if reason is SuppressionReason.BOUNCED else None
    for address in dict.fromkeys(address_key(one) for one in addresses):
        if address in written:
            with contextlib.suppress(Transient):
                suppressions.add(Suppression(address, reason, now, f"mail {outbound.id}", detail, expires))
