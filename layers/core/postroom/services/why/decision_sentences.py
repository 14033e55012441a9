"""Say a decision in a sentence that an administrator understands: one case for each rule, or it does not type-check."""

from __future__ import annotations

from postroom.mail.origin import SenderFlag
from postroom.mail.reports import ReportKind
from postroom.model import Decision, Outcome
from postroom.model import DecisionRule as Rule
from postroom.rules import Basis
from postroom.rules.attachments import Action
from postroom.rules.workflows import RunResult


def tell_decision(decision: Decision) -> str:
    """Say one decision as a sentence; a rule or an outcome of another version is told as it stands."""
    says = _says(decision.rule, decision.outcome) if isinstance(decision.rule, Rule) else None
    if says is None:
        return ended(f"{decision.rule}: {decision.outcome} {decision.detail}")
    detail = decision.detail.rstrip(". ") or decision.outcome
    return ended(says.format(rule=decision.rule, outcome=decision.outcome, detail=detail))


def ended(sentence: str) -> str:
    """End a sentence that has no end yet."""
    sentence = sentence.strip()
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."


_BLOCKED = "An attachment was put into quarantine: {detail}."
_DELETED = "An attachment was taken out and not kept: {detail}."
_JOINED = "It joined a thread ({rule}), {detail}."
_ALONE = "It began a thread of its own ({rule}), {detail}."


_WORKFLOWS: dict[str, str] = {
    RunResult.APPLIED: "A workflow acted on it: {detail}.",
    RunResult.OTHERWISE: "A workflow did not match, and did what it does otherwise: {detail}.",
    RunResult.NO_MATCH: "These workflows did not match it: {detail}.",
    RunResult.FAILED: "A workflow could not be computed, and had no effect: {detail}.",
    RunResult.SHADOW: "A workflow that only tries would have done: {detail}.",
    RunResult.NOT_RUN: "An earlier workflow stopped these: {detail}.",
    Outcome.CUT: "More workflows acted on it than are told: {detail}.",
}


def _says(rule: Rule, outcome: str) -> str | None:
    """Return the sentence, with places for `rule`, `outcome` and `detail`; None for an outcome that is unknown."""
    match rule:
        case Rule.WRAP:
            return "It could not be read, so it is shown wrapped, with the original attached: {detail}."
        case Rule.OVER_SIZE:
            return "It is over-size: {detail}."
        case Rule.NOT_FETCHED:
            return "The last try to fetch it ended with: {detail}."
        case Rule.TEXT:
            return "It has no text: the replacement text stands in its place."
        case Rule.HTML:
            return "Its HTML goes over a limit and was cut: {detail}."
        case Rule.MASKING if outcome == Outcome.CUT:
            return "Not all of it could be searched for what must be masked; the rest was left out: {detail}."
        case Rule.MASKING:
            return "Masked: {detail}."
        case Rule.KIND:
            return "A person wrote it: {detail}."
        case Rule.KIND_REPORT:
            return _report(ReportKind(outcome)) if outcome in list(ReportKind) else None
        case Rule.KIND_MESSAGE_PART | Rule.KIND_NDR_SENDER:
            return "It is a delivery failure: {detail}."
        case Rule.KIND_OWN_LIST:
            return "Who wrote it is asked for as of any mail: {detail}."
        case Rule.KIND_SUBSTITUTE:
            return "It is no mail, but what a server wrote instead of one that it could not read: {detail}."
        case Rule.KIND_OWN_MAIL:
            return "It is our own mail, come back: {detail}."
        case Rule.ANSWER_TO if outcome == Basis.NOBODY:
            return "There is nobody to answer: {detail}."
        case Rule.ANSWER_TO:
            return "Whom an answer goes to: {detail}."
        case Rule.KIND_AUTOMATIC:
            return "A program wrote it ({outcome}): {detail}."
        case Rule.KIND_DELIVERY_EXCEPTION if outcome == Outcome.HINT:
            return "A delivery-exception phrase fits, as a hint only: {detail}."
        case Rule.KIND_DELIVERY_EXCEPTION:
            return "A delivery-exception phrase says {outcome} failure: {detail}."
        case Rule.SENDER:
            return _oddity(SenderFlag(outcome)) if outcome in list(SenderFlag) else None
        case (
            Rule.ATTACHMENT_ALL
            | Rule.ATTACHMENT_DIRECTION
            | Rule.ATTACHMENT_CLASS_ID
            | Rule.ATTACHMENT_NAMES
            | Rule.ATTACHMENT_TYPE
            | Rule.ATTACHMENT_EXTENSION
            | Rule.ATTACHMENT_CONTENT
            | Rule.ATTACHMENT_ARCHIVE
            | Rule.ATTACHMENT_MACRO
            | Rule.ATTACHMENT_MISMATCH
            | Rule.ATTACHMENT_ENCLOSED
        ):
            return _DELETED if outcome == Action.DELETE else _BLOCKED
        case Rule.ATTACHMENT_NOTE:
            return "A file is let in with a remark: {detail}."
        case Rule.ADDRESSES:
            return "Not all of its addresses could be read for certain; nobody was left out: {detail}."
        case Rule.LINK:
            return "A link may mislead: {detail}."
        case Rule.THREAD_REPORT:
            return "It was put to the mail that it is about: {detail}."
        case Rule.THREAD_NO_REFERENCE:
            return "It began a thread of its own: it refers to nothing."
        case Rule.THREAD:
            return (
                "It may belong to a thread: {detail}."
                if outcome == Outcome.CLAIMED
                else "It begins a thread: {detail}."
            )
        case (
            Rule.THREAD_TOKEN
            | Rule.THREAD_SENT_ID
            | Rule.THREAD_PARTICIPANT
            | Rule.THREAD_UNVERIFIED_PARTICIPANT
            | Rule.THREAD_BODY_MARKER
            | Rule.THREAD_SUBJECT
            | Rule.THREAD_UNPROVEN
            | Rule.THREAD_STRANGER
            | Rule.THREAD_PARENT_DELETED
            | Rule.THREAD_FORGED_TOKEN
            | Rule.THREAD_SUBJECT_ALONE
            | Rule.THREAD_PARENT_MISSING
        ):
            return _JOINED if outcome == Outcome.JOINED else _ALONE
        case Rule.COPIES:
            return "It is one of several interactions of one mail, one for each recipient: {detail}."
        case Rule.DEPARTMENT:
            return "It belongs to the department {outcome}: {detail}."
        case Rule.ENDPOINT:
            return "Its mailbox leads to no endpoint of its own: {detail}."
        case Rule.WORKFLOW:
            return _WORKFLOWS.get(outcome)
        case Rule.ROUTE if outcome == Outcome.FALL_BACK:
            return "The {detail}, so the next one in line was tried."
        case Rule.ROUTE:
            return "It went to the queue {outcome}: {detail}."
        case Rule.REPLAY:
            return "It was read again later, {detail}."
        case Rule.AUTO_REPLY:
            return _AUTO_REPLY.get(outcome)
        case Rule.REPLY:
            return "It was written by a person: {detail}."
        case Rule.FROM:
            return "It leaves as {outcome}: {detail}."
        case Rule.SERVER:
            return "It goes out by the server {outcome}: {detail}."
        case Rule.RECIPIENTS if outcome == Outcome.OVERRIDDEN:
            return "Its recipients were replaced by {detail}."
        case Rule.RECIPIENTS if outcome == Outcome.LEFT_OUT:
            return "Who does not get it: {detail}."
        case Rule.RECIPIENTS:
            return "A blind copy goes to {detail}."
        case Rule.THREAD_MARKERS:
            return "Answers find its thread by our signed token {detail}."


_AUTO_REPLY: dict[str, str] = {
    Outcome.SUPPRESSED: "No acknowledgement was sent, by {detail}.",
    Outcome.QUEUED: "It was acknowledged: {detail}.",
    Outcome.WRITTEN: "It was written by a rule: {detail}.",
}


def _report(kind: ReportKind) -> str:
    match kind:
        case ReportKind.NDR:
            return "It is a report that a delivery failed or is late, by {detail}."
        case ReportKind.REPORT:
            return "It is a report that a delivery worked, by {detail}."
        case ReportKind.DISPOSITION:
            return "It is a receipt of a mail program (read, deleted, …), by {detail}."
        case ReportKind.FEEDBACK:
            return "It is a complaint about a mail, by {detail}."


def _oddity(flag: SenderFlag) -> str:
    match flag:
        case SenderFlag.NO_FROM:
            return "It has no sender."
        case SenderFlag.SEVERAL_FROM:
            return "It names several senders."
        case SenderFlag.MALFORMED_FROM:
            return "Its sender's address is none that mail could be sent to."
        case SenderFlag.MIXED_SCRIPT_DOMAIN:
            return "Its sender's domain mixes scripts: it may imitate another."
        case SenderFlag.HIDDEN_CHARACTERS:
            return "Its sender hides invisible characters in name or address."
        case SenderFlag.ADDRESS_IN_NAME:
            return "Its sender's display name shows another address than the real one."
        case SenderFlag.REPLY_TO_ELSEWHERE:
            return "Answers to it would go to another domain than it comes from."
