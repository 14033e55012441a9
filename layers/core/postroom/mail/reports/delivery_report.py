"""What a report tells: its kind, the mail it is about, and what became of that for each recipient."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ReportKind(StrEnum):
    """What a report reports."""

    NDR = "ndr"  # a delivery failed or is late
    REPORT = "report"  # a delivery worked
    DISPOSITION = "disposition"  # somebody read or deleted the mail
    FEEDBACK = "feedback"  # somebody complained about it


@dataclass(frozen=True, slots=True)
class Recipient:
    """What became of the mail for one recipient; the fields are those of RFC 3464 where it has them."""

    address: str
    action: str | None = None  # failed, delayed, delivered, relayed, expanded; displayed and so on for dispositions
    status: str | None = None  # enhanced status; derived from the reason where the server gave none
    reply_code: str | None = None
    diagnostic: str | None = None
    remote_mta: str | None = None
    permanent: bool | None = None  # True: the address is dead; False: this mail failed, a later one may arrive
    reason: str | None = None  # a member of Reason
    original_recipient: str | None = None  # whom the mail was sent to, where a server made another address of it


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """A report, and the mail it is about."""

    kind: ReportKind
    recipients: tuple[Recipient, ...]
    original_message_id: str | None
    rule: str  # which standard or which row of the bounce table read it
    feedback_type: str | None = None  # RFC 5965: abuse, fraud, …

    @property
    def permanent(self) -> bool:
        """Say whether an address is dead; None counts as no."""
        return any(recipient.permanent for recipient in self.recipients)
