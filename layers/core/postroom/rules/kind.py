"""What kind of mail this is, decided in a fixed order, each step recorded (issue: standards, structure, phrases last).

1. delivery reports (RFC 3464), dispositions (RFC 8098), complaints (RFC 5965), 2. bounces by server and text,
3. the reference system's message-part and sender rules (G29), 4. what a server wrote instead of a mail, 5. automatic
mail by its structure, answers of calendar programs, reactions, our own mail that comes back, 6. the phrases of delivery
exceptions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from postroom.mail.content import Invitation, calendar_answer
from postroom.mail.headers import parse_addresses
from postroom.mail.reader import Message
from postroom.mail.reports import (
    CORROBORATING,
    Automatic,
    DeliveryReport,
    Evidence,
    ReportKind,
    automatic,
    corroborates_failure,
    corroboration,
    human_text,
    is_substitute,
    is_titled,
    read_bounce,
    read_report,
    returned_message_id,
)
from postroom.model import Decision, Named, Outcome, Subtype
from postroom.model import DecisionRule as Rule
from postroom.rules.delivery_exceptions import (
    DeliveryException,
    ExceptionType,
    Failure,
    Match,
    PhraseTable,
    matched,
    occurring,
)

NDR_SENDERS: tuple[str, ...] = ("mailer-daemon", "postmaster", "mmdf")
"""The reference system's ndr-senders-list: local parts of From."""


OWN_MAIL = "own-mail"
"""The rule of a mail that this installation sent, or that was sent under its address: it came back."""

REACTION = Automatic(True, "a reaction to a mail", "reaction", Evidence.GENERATED)
"""The verdict on a mail that is a reaction by its content: a person's click, and no mail to acknowledge."""

_PROGRAMS = frozenset({"mailer-daemon", "mmdf"})  # names that no person writes under


@dataclass(frozen=True, slots=True)
class Kind:
    """The verdict; `subtype` is None for mail of a person, whose subtype the threading decides."""

    subtype: Subtype | None
    report: DeliveryReport | None
    automatic: Automatic
    exception: Match | None
    original_message_id: str | None
    decisions: tuple[Decision, ...]
    calendar_answer: Invitation | None = None

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


def find_report(message: Message, *, verdict: Automatic | None = None) -> DeliveryReport | None:
    """Read what a mail reports, by a standard or by the table of servers; `verdict` is what `automatic` found."""
    # What corroborates is among what makes a mail automatic: where there is none of this, there is none of that, and
    # what was found first among all was found first among some.
    told = verdict is not None and (not verdict.is_automatic or verdict.evidence in CORROBORATING)
    evidence = verdict if verdict is not None and told else corroboration(message)
    return read_report(message, evidence=evidence) or read_bounce(message, evidence=evidence)


def decide_kind(
    message: Message,
    *,
    is_ours: Callable[[str], bool],
    exceptions: Iterable[DeliveryException],
    strict: bool = False,
    ndr_senders: Iterable[str] = NDR_SENDERS,
    own_list: bool = False,
    from_ourselves: Callable[[], bool] = lambda: False,
) -> Kind:
    """Decide the kind of a mail; `is_ours` answers for a Message-ID whether this installation sent it.

    `own_list`: a list that is our own front door handed it on. `from_ourselves` says whether From is an address of
    ours, and nothing in the mail that it speaks for somebody else; only asked of what is no report.
    """
    decisions: list[Decision] = []
    verdict = automatic(message, own_list=own_list)
    if own_list:
        decisions.append(Decision(Rule.KIND_OWN_LIST, Outcome.PERSON, "the list that it came by is our own front door"))
    report = find_report(message, verdict=verdict)
    original = report.original_message_id if report else None
    subtype: Subtype | None = None
    if report is not None:
        subtype = _SUBTYPES[report.kind]
        decisions.append(Decision(Rule.KIND_REPORT, report.kind, _described(report)))
    sender = _from_address(message) if subtype is None else ""
    if subtype is None:
        returned = returned_message_id(message, human_text(message)) if _holds_mail(message) else None
        decision = _reference_rules(message, sender, returned, is_ours, ndr_senders, strict=strict)
        if decision is not None:
            subtype, original = Subtype.INBOUND_NDR, returned
            decisions.append(decision)
    # Most mail was carried, which rules this out before its fields are copied.
    if subtype is None and not message.has("Received") and is_substitute(_fields(message)):
        subtype = Subtype.SERVER_SUBSTITUTE
        decisions.append(Decision(Rule.KIND_SUBSTITUTE, Outcome.SUBSTITUTE, "no mail system has carried it"))
    answer = calendar_answer(message) if report is None else None
    own = _own_mail(message, is_ours, from_ourselves=from_ourselves) if subtype is None else None
    if own is not None:
        decisions.append(Decision(Rule.KIND_OWN_MAIL, Outcome.RETURNED, own.why or ""))
    if not verdict.is_automatic and subtype is None:
        verdict = own or _answered(answer) or verdict
    if verdict.is_automatic:
        decisions.append(Decision(Rule.KIND_AUTOMATIC, Named(verdict.rule or "automatic"), verdict.why or ""))
        subtype = subtype or Subtype.INBOUND_AUTOMATIC
    match: Match | None = None
    if subtype in {None, Subtype.INBOUND_AUTOMATIC}:
        match = _exception(message, sender, verdict, exceptions, strict=strict)
        if match is not None:
            decisions.append(_exception_decision(match))
            if match.diverts:
                permanent = match.exception.failure is Failure.PERMANENT
                subtype = Subtype.PERMANENT_UNDELIVERABLE if permanent else Subtype.TEMPORARY_UNDELIVERABLE
    if not decisions:
        decisions.append(Decision(Rule.KIND, Outcome.PERSON, "no report, nothing automatic, no delivery exception"))
    return Kind(subtype, report, verdict, match, original, tuple(decisions), answer)


def _own_mail(
    message: Message, is_ours: Callable[[str], bool], *, from_ourselves: Callable[[], bool]
) -> Automatic | None:
    """Find that a mail is one that this installation sent, or that was sent under its address."""
    own_id = message.header("Message-ID")
    if own_id and is_ours(own_id):
        return Automatic(True, f"Message-ID: {own_id}"[:120], OWN_MAIL, Evidence.GENERATED)
    if from_ourselves():
        sender = " ".join(message.header("From").split())
        return Automatic(True, f"From: {sender}"[:120], OWN_MAIL, Evidence.GENERATED)
    return None


def _answered(answer: Invitation | None) -> Automatic | None:
    if answer is None:
        return None
    return Automatic(True, f"text/calendar, method {answer.method}", "calendar-answer", Evidence.GENERATED)


def _fields(message: Message) -> dict[str, list[bytes]]:
    return {name.lower(): message.raw_headers(name) for name in message.header_names}


def _reference_rules(
    message: Message,
    sender: str,
    returned: str | None,
    is_ours: Callable[[str], bool],
    ndr_senders: Iterable[str],
    *,
    strict: bool,
) -> Decision | None:
    """Apply G29 to what is no report: a part that holds a message of ours, or a sender of the ndr-senders-list.

    The reference takes each alone as proof. Here people may forward our mail as an attachment, and a postmaster may
    write a letter: except where phrases and senders are strict, each needs a mail system's structure beside it.
    """
    local = sender.rpartition("@")[0].lower()
    listed = any(local == name.strip().lower() for name in ndr_senders)
    if not (returned or listed):
        return None
    structure = corroboration(message, besides_sender=True)
    if returned and is_ours(returned) and (listed or structure.is_automatic or strict):
        return Decision(Rule.KIND_MESSAGE_PART, Outcome.NDR, f"a mail system returned our message {returned}")
    if listed and (local in _PROGRAMS or structure.is_automatic or returned or is_titled(message) or strict):
        return Decision(Rule.KIND_NDR_SENDER, Outcome.NDR, f"{local} is in the ndr-senders-list")
    return None


def _exception(
    message: Message, sender: str, verdict: Automatic, exceptions: Iterable[DeliveryException], *, strict: bool
) -> Match | None:
    """Evaluate the phrases. A phrase about the sender's name needs other evidence than that same name."""
    found = occurring(sender, message.header("Subject"), table=PhraseTable.of(exceptions))
    matches = [
        matched(
            row,
            corroborated=verdict.is_automatic
            and corroborates_failure(message, besides_sender=row.type is ExceptionType.ADDRESS).is_automatic,
            strict=strict,
        )
        for row in found
        if row is not None
    ]
    return next((match for match in matches if match.diverts), matches[0] if matches else None)


def _holds_mail(message: Message) -> bool:
    return any(part.is_message or part.content_type.endswith("/rfc822-headers") for part in message.walk())


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
    outcome = match.exception.failure if match.diverts else Outcome.HINT
    return Decision(Rule.KIND_DELIVERY_EXCEPTION, outcome, f"{place} phrase {match.exception.name!r}: {match.why}")
