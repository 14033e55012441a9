"""One step of 'what happened to this mail, and why': the vocabulary of rules and outcomes, stored by value.

`services/why/decision_sentences.py` has a sentence for each rule; one that is missing does not type-check.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

Named = NewType("Named", str)
"""An outcome that is a name of people's: a queue, a department, an address, a way out."""

UnlistedRule = NewType("UnlistedRule", str)
"""A rule that this version does not know, since another one decided."""


class DecisionRule(StrEnum):
    """What decided."""

    # Reading.
    WRAP = "wrap"  # it could not be read
    OVER_SIZE = "over-size"  # only its headers were fetched
    NOT_FETCHED = "not-fetched"  # how the last try to fetch it ended
    TEXT = "text"
    HTML = "html"
    MASKING = "masking"
    # What kind of mail it is; each is the row of rules/kind.py that decided.
    KIND = "kind"
    KIND_REPORT = "kind.report"
    KIND_MESSAGE_PART = "kind.message-part"
    KIND_NDR_SENDER = "kind.ndr-sender"
    KIND_AUTOMATIC = "kind.automatic"
    KIND_DELIVERY_EXCEPTION = "kind.delivery-exception"
    KIND_OWN_LIST = "kind.own-list"
    KIND_OWN_MAIL = "kind.own-mail"
    KIND_SUBSTITUTE = "kind.substitute"
    SENDER = "sender"  # what is odd about it
    ANSWER_TO = "answer-to"  # whom an answer goes to, where it is not simply who sent it; rules/answer_address.py
    # Why a file is blocked; rules/attachments/judge.py.
    ATTACHMENT_ALL = "attachment:all"
    ATTACHMENT_DIRECTION = "attachment:direction"
    ATTACHMENT_CLASS_ID = "attachment:class-id"
    ATTACHMENT_NAMES = "attachment:names"
    ATTACHMENT_TYPE = "attachment:type"
    ATTACHMENT_EXTENSION = "attachment:extension"
    ATTACHMENT_CONTENT = "attachment:content"
    ATTACHMENT_ARCHIVE = "attachment:archive"
    ATTACHMENT_MACRO = "attachment:macro"
    ATTACHMENT_MISMATCH = "attachment:mismatch"  # where the configuration blocks it
    ATTACHMENT_ENCLOSED = "attachment:enclosed"
    ATTACHMENT_NOTE = "attachment:note"  # what is odd about one that is let in; rules/attachments/remark.py
    ADDRESSES = "addresses"  # what is odd about To, Cc or Reply-To
    LINK = "link"  # what is odd about the links of its HTML; mail/html/links.py
    # Its thread; rules/threads.py.
    THREAD = "thread"  # what `explain` can tell without looking anything up
    THREAD_REPORT = "thread.report"
    THREAD_TOKEN = "thread.token"  # noqa: S105 - the name of a rule
    THREAD_SENT_ID = "thread.sent-id"
    THREAD_PARTICIPANT = "thread.participant"
    THREAD_UNVERIFIED_PARTICIPANT = "thread.unverified-participant"
    THREAD_BODY_MARKER = "thread.body-marker"
    THREAD_SUBJECT = "thread.subject"
    THREAD_UNPROVEN = "thread.unproven"
    THREAD_STRANGER = "thread.stranger"
    THREAD_PARENT_DELETED = "thread.parent-deleted"
    THREAD_FORGED_TOKEN = "thread.forged-token"  # noqa: S105 - the name of a rule
    THREAD_SUBJECT_ALONE = "thread.subject-alone"
    THREAD_PARENT_MISSING = "thread.parent-missing"
    THREAD_NO_REFERENCE = "thread.no-reference"
    # Where it goes; rules/routing.py.
    COPIES = "copies"
    DEPARTMENT = "department"
    ENDPOINT = "endpoint"
    ROUTE = "route"
    WORKFLOW = "workflow"  # rules/workflows
    REPLAY = "replay"
    # What we write.
    AUTO_REPLY = "auto-reply"
    REPLY = "reply"
    FROM = "from"
    SERVER = "server"
    RECIPIENTS = "recipients"
    THREAD_MARKERS = "thread-token"


class Outcome(StrEnum):
    """What was decided, where no other vocabulary says it (kinds of reports, of machines, flags of senders, …)."""

    WRAPPED = "wrapped"
    HEADERS_ONLY = "headers-only"
    MISSING = "missing"
    MALFORMED = "malformed"  # not as the standard has it: what it means is a guess
    CUT = "cut"  # it goes over a limit
    MASKED = "masked"
    PERSON = "person"  # a person wrote it
    NDR = "ndr"  # a delivery failed
    RETURNED = "returned"  # our own mail came back
    SUBSTITUTE = "substitute"  # a server wrote it instead of a mail
    HINT = "hint"  # it is shown, and decides nothing
    JOINED = "joined"
    NEW = "new"
    CLAIMED = "claimed"  # it refers to other mail
    COPIED = "copied"
    DEFAULT = "default"  # the one that is named does not apply
    NONE = "none"
    FALL_BACK = "fall-back"  # the next one in line is tried
    REPLAYED = "replayed"
    WRITTEN = "written"
    QUEUED = "queued"  # to be sent
    SUPPRESSED = "suppressed"
    OVERRIDDEN = "overridden"
    BLIND_COPY = "blind-copy"
    LEFT_OUT = "left-out"
    CARRIED = "carried"


@dataclass(frozen=True, slots=True)
class Decision:
    """The `rule` that decided, its `outcome` (a word of a vocabulary, or a name), and the `detail` a person wants."""

    rule: DecisionRule | UnlistedRule
    outcome: StrEnum | Named
    detail: str = ""


def stored_decision(rule: str, outcome: str, detail: str) -> Decision:
    """Read a stored decision."""
    return Decision(DecisionRule(rule) if rule in _KNOWN else UnlistedRule(rule), Named(outcome), detail)


_KNOWN = frozenset(rule.value for rule in DecisionRule)
