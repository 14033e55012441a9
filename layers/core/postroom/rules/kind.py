"""What kind of mail this is, decided in a fixed order, each step recorded (issue: standards, structure, phrases last).

1. delivery reports (RFC 3464), dispositions (RFC 8098), complaints (RFC 5965), 2. bounces by server and text,
3. the reference system's message-part rule (G29), 4. automatic mail by its structure, 5. delivery-exception phrases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from postroom.mail.address import parse_addresses
from postroom.mail.automatic import Automatic, automatic, corroboration
from postroom.mail.bounce import read_bounce
from postroom.mail.bounce_text import human_text, returned_message_id
from postroom.mail.part import Message
from postroom.mail.reports import DeliveryReport, ReportKind, read_report
from postroom.model.decision import Decision
from postroom.model.interaction import Subtype
from postroom.rules.exceptions import DeliveryException, ExceptionType, Failure, Match, evaluate

NDR_SENDERS: tuple[str, ...] = ("mailer-daemon", "postmaster", "mmdf")
"""The reference system's ndr-senders-list: local parts of From."""


@dataclass(frozen=True, slots=True)
class Kind:
    """The verdict; `subtype` is None for mail of a person, whose subtype the threading decides."""

    subtype: Subtype | None
    report: DeliveryReport | None
    automatic: Automatic
    exception: Match | None
    original_message_id: str | None
    decisions: tuple[Decision, ...]

    @property
    def is_delivery_exception(self) -> bool:
        """Say whether the mail goes to the exception queue (C14)."""
        return self.exception is not None and self.exception.diverts


_SUBTYPES: dict[ReportKind, Subtype] = {
    ReportKind.NDR: Subtype.INBOUND_NDR,
    ReportKind.REPORT: Subtype.INBOUND_REPORT,
    ReportKind.DISPOSITION: Subtype.INBOUND_DISPOSITION,
    ReportKind.FEEDBACK: Subtype.INBOUND_FEEDBACK,
}


def find_report(message: Message) -> DeliveryReport | None:
    """Read what a mail reports, by a standard or by the table of servers."""
    evidence = corroboration(message)
    return read_report(message, evidence=evidence) or read_bounce(message, evidence=evidence)


def decide_kind(
    message: Message,
    *,
    is_ours: Callable[[str], bool],
    exceptions: Iterable[DeliveryException],
    strict: bool = False,
    ndr_senders: Iterable[str] = NDR_SENDERS,
) -> Kind:
    """Decide the kind of a mail; `is_ours` answers for a Message-ID whether this installation sent it."""
    decisions: list[Decision] = []
    verdict = automatic(message)
    report = find_report(message)
    original = report.original_message_id if report else None
    subtype: Subtype | None = None
    if report is not None:
        subtype = _SUBTYPES[report.kind]
        decisions.append(Decision("kind.report", report.kind.value, _described(report)))
    if subtype is None:
        original = _returned_of_ours(message, is_ours, ndr_senders)
        if original:
            subtype = Subtype.INBOUND_NDR
            decisions.append(Decision("kind.message-part", "ndr", f"a mail system returned our message {original}"))
    if verdict.is_automatic:
        decisions.append(Decision("kind.automatic", verdict.rule or "automatic", verdict.why or ""))
        subtype = subtype or Subtype.INBOUND_AUTOMATIC
    match: Match | None = None
    if subtype in {None, Subtype.INBOUND_AUTOMATIC}:
        match = evaluate(
            _from_address(message),
            message.header("Subject"),
            table=exceptions,
            corroborated=verdict.is_automatic and corroboration(message).is_automatic,
            strict=strict,
        )
        if match is not None:
            decisions.append(_exception_decision(match))
            if match.diverts:
                permanent = match.exception.failure is Failure.PERMANENT
                subtype = Subtype.PERMANENT_UNDELIVERABLE if permanent else Subtype.TEMPORARY_UNDELIVERABLE
    if not decisions:
        decisions.append(Decision("kind", "person", "no report, nothing automatic, no delivery exception"))
    return Kind(subtype, report, verdict, match, original, tuple(decisions))


def _returned_of_ours(message: Message, is_ours: Callable[[str], bool], ndr_senders: Iterable[str]) -> str | None:
    """Apply G29: a message/rfc822(-headers) part with a Message-ID of ours, from a sender of the list."""
    local = _from_address(message).rpartition("@")[0].lower()
    if local not in {name.strip().lower() for name in ndr_senders}:
        return None
    found = returned_message_id(message, human_text(message))
    return found if found and is_ours(found) else None


def _from_address(message: Message) -> str:
    fields = message.raw_headers("From")
    found = parse_addresses(fields[0][:2_000]) if fields else []
    return found[0].address if found else ""


def _described(report: DeliveryReport) -> str:
    shown = [
        " ".join(part for part in (each.address, each.status, each.reply_code, each.reason) if part)
        for each in report.recipients[:5]
    ]
    more = f" and {len(report.recipients) - 5} more" if len(report.recipients) > 5 else ""
    return f"{report.rule}: {'; '.join(shown)}{more}"


def _exception_decision(match: Match) -> Decision:
    place = "address" if match.exception.type is ExceptionType.ADDRESS else "subject"
    outcome = match.exception.failure.value if match.diverts else "hint"
    return Decision("kind.delivery-exception", outcome, f"{place} phrase {match.exception.name!r}: {match.why}")
