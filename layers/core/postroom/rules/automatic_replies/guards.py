"""Whether a mail may get an automatic reply: the loop guards of docs/threat-model.md 7 as an ordered table.

The first row that matches refuses, and its name is what the interaction shows. The caps that hold against a peer which
hides all of this are in `loop_caps`. A refusal withholds our reply; it never costs the incoming mail.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from postroom.mail.headers import address_key
from postroom.mail.outgoing import without_plus_part
from postroom.mail.reports import PERSON, Automatic, Evidence
from postroom.model import Decision, Outcome, Subtype
from postroom.model import DecisionRule as Rule


@dataclass(frozen=True, slots=True)
class AutoReplyFacts:
    """What the guards look at; everything is looked up or computed before, nothing is asked for here."""

    subtype: Subtype
    from_address: str  # where the reply would go; "" where the verdict names no one sender
    automatic: Automatic = PERSON
    return_path: str | None = None  # None: the mail has no such header; "" or "<>": the null path
    return_path_expected: bool = True  # False: the mailbox's server records none (appended or internal mail)
    own_addresses: frozenset[str] = field(default_factory=frozenset)  # lower case; mailboxes and aliases
    has_own_tag: bool = False  # our token in its Message-ID, or our tag header: it came back to us
    list_headers: tuple[str, ...] = ()
    delivery_exception: str | None = None  # the phrase that diverted the mail, not a mere hint
    dmarc_failed: bool = False  # a server that we trust says so; False as well where none checked
    age: timedelta | None = None  # now minus the moment its server received it
    age_limit: timedelta = timedelta(days=2)
    before_first_connection: bool = False  # it lay there before the mailbox was connected (X13)
    wrapped: bool = False  # could not be parsed: who wrote it is a guess


@dataclass(frozen=True, slots=True)
class Guard:
    """One row: `refuses` answers with the reason to show, or None to go on."""

    name: str
    refuses: Callable[[AutoReplyFacts], str | None]


NO_REPLY_PARTS = (
    "noreply",
    "donotreply",
    "neverreply",
    "nichtantworten",
    "neantworten",
    "nerepondezpas",
    "noresponder",
)
NO_REPLY_NAMES = frozenset({"bounce", "bounces", "nobody", "null", "devnull", "listserv", "majordomo", "abuse"})

_REPORTS = frozenset(
    {
        Subtype.INBOUND_NDR,
        Subtype.INBOUND_REPORT,
        Subtype.INBOUND_DISPOSITION,
        Subtype.INBOUND_FEEDBACK,
        Subtype.SERVER_SUBSTITUTE,
        Subtype.PERMANENT_UNDELIVERABLE,
        Subtype.TEMPORARY_UNDELIVERABLE,
    }
)
_SEPARATORS = re.compile(r"[-_. ]+")
_LONGEST_ADDRESS = 998


def refusal(facts: AutoReplyFacts) -> Decision | None:
    """Return why no automatic reply may leave, or None when one may (the caps still to be passed)."""
    for guard in GUARDS:
        reason = guard.refuses(facts)
        if reason is not None:
            return Decision(Rule.AUTO_REPLY, Outcome.SUPPRESSED, f"{guard.name}: {reason}")
    return None


def is_no_reply(address: str) -> bool:
    """Say whether the local part of an address announces that nobody reads there."""
    local = address[:_LONGEST_ADDRESS].rpartition("@")[0].lower()
    if local.partition("+")[0].partition("-")[0].partition("=")[0] in NO_REPLY_NAMES:
        return True
    joined = _SEPARATORS.sub("", local)
    return any(part in joined for part in NO_REPLY_PARTS)


def _report(facts: AutoReplyFacts) -> str | None:
    return f"the mail is {facts.subtype.value}" if facts.subtype in _REPORTS else None


def _exception(facts: AutoReplyFacts) -> str | None:
    return f"delivery exception {facts.delivery_exception!r}" if facts.delivery_exception else None


def _null_path(facts: AutoReplyFacts) -> str | None:
    # RFC 3834 §2: nothing is ever sent to the null return path.
    if facts.return_path is None or facts.return_path.strip().strip("<>").strip():
        return None
    return "the return path is empty"


def _automatic(facts: AutoReplyFacts) -> str | None:
    if facts.automatic.is_automatic and facts.automatic.evidence is not Evidence.LIST:
        return facts.automatic.why or "structural evidence"
    return None


def _list(facts: AutoReplyFacts) -> str | None:
    if facts.automatic.is_automatic:
        return facts.automatic.why or "structural evidence"
    return f"the mail carries {facts.list_headers[0]}" if facts.list_headers else None


def _missing_path(facts: AutoReplyFacts) -> str | None:
    if facts.return_path is None and facts.return_path_expected:
        return "the mail has no Return-Path, so nobody knows who sent it"
    return None


def _wrapped(facts: AutoReplyFacts) -> str | None:
    return "the mail could not be parsed, so its sender is a guess" if facts.wrapped else None


def _no_sender(facts: AutoReplyFacts) -> str | None:
    local, at, domain = facts.from_address.rpartition("@")
    if not (local and at and domain):
        return "there is not exactly one well-formed sender"
    return None


def _own_address(facts: AutoReplyFacts) -> str | None:
    if address_key(without_plus_part(facts.from_address)) in facts.own_addresses:
        return "the sender is an address of this installation"
    return None


def _own_tag(facts: AutoReplyFacts) -> str | None:
    return "the mail carries our own tag: it is ours, come back" if facts.has_own_tag else None


def _no_reply(facts: AutoReplyFacts) -> str | None:
    return "nobody reads at the sender's address" if is_no_reply(facts.from_address) else None


def _dmarc(facts: AutoReplyFacts) -> str | None:
    # A spoofed flood must not make us write to the people whose addresses were taken (Zendesk, January 2026).
    return "DMARC failed: the sender may be somebody else" if facts.dmarc_failed else None


def _first_connection(facts: AutoReplyFacts) -> str | None:
    return "the mail is older than the mailbox's first connection" if facts.before_first_connection else None


def _old(facts: AutoReplyFacts) -> str | None:
    if facts.age is not None and facts.age > facts.age_limit:
        return f"the mail is {_shown(facts.age)} old, the limit is {_shown(facts.age_limit)}"
    return None


def _shown(period: timedelta) -> str:
    hours = period.total_seconds() / 3600
    return f"{hours / 24:.0f} days" if hours >= 48 else f"{hours:.0f} hours"


GUARDS: tuple[Guard, ...] = (
    Guard("report", _report),
    Guard("own-tag", _own_tag),
    Guard("own-address", _own_address),
    Guard("delivery-exception", _exception),
    Guard("null-return-path", _null_path),
    Guard("automatic", _automatic),
    Guard("list", _list),
    Guard("wrapped", _wrapped),
    Guard("no-sender", _no_sender),
    Guard("no-reply", _no_reply),
    Guard("missing-return-path", _missing_path),
    Guard("dmarc", _dmarc),
    Guard("first-connection", _first_connection),
    Guard("age", _old),
)
