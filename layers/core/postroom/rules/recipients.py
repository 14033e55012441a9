"""Whom a mail goes to: people instead of ourselves, nobody twice, nobody who never reads (A09).

Who is asked for an answer is found in order: Reply-To, From, who wrote it before a list or a form passed it on, who
wrote the original of a forward. Our own addresses are no one, in whatever spelling, and neither is a `no-reply`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from postroom.errors import Problem
from postroom.mail.headers import (
    Address,
    NotAnAddress,
    address_key,
    ascii_domain,
    is_valid,
    parse_addresses,
    typed_mailbox,
)
from postroom.mail.outgoing import deliverable, without_plus_part
from postroom.model import ANSWER_TO, Interaction
from postroom.model.configuration import Configuration
from postroom.rules.automatic_replies import is_no_reply

MOST_TYPED = 1_000
"""Recipients that are looked at; more are refused by their number, before each is read."""

_UNREAD = frozenset({"mailer-daemon", "mailerdaemon"})
_READ_BY_PEOPLE = frozenset({"abuse", "postmaster"})  # automatic mail stays away from them, a person may write


@dataclass(frozen=True, slots=True)
class Addressed:
    """Recipients, each in one field only."""

    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    problems: tuple[Problem, ...] = ()
    left_out: tuple[str, ...] = ()  # sentences: who was proposed or typed, and why he gets nothing


def same_mailbox(address: str) -> str:
    """Return the form in which two spellings of an address are one: lower case, domain in ASCII, without our token."""
    plain = without_plus_part(address)
    local, at, domain = plain.rpartition("@")
    return address_key(f"{local}{at}{ascii_domain(domain) or domain}")


def own_addresses(configuration: Configuration) -> frozenset[str]:
    """Return every address of this installation, in lower case, with its domain as written and in ASCII."""
    written = [
        *(mailbox.address for mailbox in configuration.mailboxes),
        *(alias.address for alias in configuration.aliases),
        *(address for alias in configuration.aliases for address in alias.redirection_addresses),
    ]
    bare = [one.address for text in written for one in parse_addresses(text)]
    return frozenset(form for one in bare for form in (address_key(one), address_key(deliverable(one))))


def is_own(address: str, own: Collection[str]) -> bool:
    """Tell whether mail to an address comes back to us: it is ours, or ours with a tag behind a plus sign."""
    key = same_mailbox(address)
    local, _at, domain = key.rpartition("@")
    return key in own or ("+" in local and f"{local.partition('+')[0]}@{domain}" in own)


def is_unread(address: str) -> bool:
    """Tell whether nobody reads at an address, by its name."""
    local = address.rpartition("@")[0].lower()
    return local in _UNREAD or (is_no_reply(address) and local not in _READ_BY_PEOPLE)


def typed(field: str, values: Sequence[str]) -> tuple[tuple[Address, ...], list[Problem]]:
    """Read what a person typed into a field of recipients."""
    if len(values) > MOST_TYPED:
        what = f"names {len(values):,} recipients; no way out takes more than {MOST_TYPED:,}."
        return (), [Problem(field, what, "Send it to fewer, or use a mailing list.")]
    found: list[Address] = []
    problems = []
    for value in values:
        one = typed_mailbox(value)
        if isinstance(one, NotAnAddress):
            problems.append(Problem(field, one.problem, one.remedy))
        elif not one.local.isascii():
            what = f"{value[:80]!r} has other letters before its @ than servers take."
            problems.append(Problem(field, what, "Ask for an address in plain letters."))
        else:
            found.append(one)
    return tuple(found), problems


def to_whom_typed(
    to: Sequence[str], cc: Sequence[str], bcc: Sequence[str], *, mailboxes: Collection[str] = ()
) -> Addressed:
    """Read all recipients that a person typed; `mailboxes`: addresses whose mail comes in here, in lower case.

    Mail to one of those would come back as a mail of a customer's.
    """
    fields = {}
    problems: list[Problem] = []
    for name, values in (("to", to), ("cc", cc), ("bcc", bcc)):
        fields[name], wrong = typed(name, values)
        problems += wrong
        problems += [
            Problem(
                name,
                f"{one.address} is a mailbox of this installation: the mail would come back as a new one.",
                "Transfer the mail to the other queue instead, or leave the address out.",
            )
            for one in fields[name]
            if is_own(one.address, mailboxes)
        ]
    return replace(once(fields["to"], fields["cc"], fields["bcc"]), problems=tuple(problems))


def once(to: Iterable[Address], cc: Iterable[Address], bcc: Iterable[Address]) -> Addressed:
    """Keep each recipient in the first field that names him, with the first name that is given for him."""
    fields = [list(to), list(cc), list(bcc)]
    names: dict[str, str] = {}
    for one in (one for field in fields for one in field):
        key = same_mailbox(one.address)
        names[key] = names.get(key) or one.name
    seen: set[str] = set()
    twice: list[str] = []

    def kept(field: Iterable[Address]) -> Iterator[Address]:
        for one in field:
            key = same_mailbox(one.address)
            if key in seen:
                twice.append(one.address)
                continue
            seen.add(key)
            yield Address(names[key], one.address)

    kept_to, kept_cc, kept_bcc = (tuple(kept(field)) for field in fields)
    told = (f"{', '.join(dict.fromkeys(twice))}: named more than once",) if twice else ()
    return Addressed(kept_to, kept_cc, kept_bcc, left_out=told)


def to_answer(interaction: Interaction, own: Collection[str]) -> Addressed:
    """Find who is asked for an answer to a mail; a problem tells why nobody can be, and what to do."""
    ours: list[str] = []
    unread: list[str] = []
    for group in _candidates(interaction):
        usable = [one for one in group if is_valid(one.address) and deliverable(one.address).isascii()]
        others = [one for one in usable if not is_own(one.address, own)]
        ours += [one.address for one in usable if is_own(one.address, own)]
        read = [one for one in others if not is_unread(one.address)]
        unread += [one.address for one in others if is_unread(one.address)]
        if read:
            told = [f"{one}: an address of this installation" for one in dict.fromkeys(ours)]
            told += [f"{one}: nobody reads there" for one in dict.fromkeys(unread)]
            return replace(once(read, (), ()), left_out=tuple(told))
    return Addressed(problems=(_nobody(interaction, ours, unread),))


def to_everybody(interaction: Interaction, own: Collection[str]) -> Addressed:
    """Find whom an answer to all goes to: who is asked for it, and in Cc everybody else who had the mail but us."""
    answered = to_answer(interaction, own)
    others = [one for one in (*interaction.to, *interaction.cc) if is_valid(one.address)]
    sendable = [one for one in others if deliverable(one.address).isascii()]
    kept = [one for one in sendable if not is_own(one.address, own) and not is_unread(one.address)]
    told = [f"{one.address}: nobody reads there" for one in sendable if is_unread(one.address)]
    if not answered.to and kept:  # everybody but the sender can be reached
        answered = Addressed(to=tuple(kept), left_out=tuple(one.problem for one in answered.problems))
    found = once(answered.to, kept, ())
    return replace(found, problems=answered.problems, left_out=(*answered.left_out, *dict.fromkeys(told)))


def written(one: Address) -> str:
    """Write a mailbox as it is kept: bare, or with its name in quotes, so that it reads back as the same."""
    if not one.name:
        return one.address
    name = one.name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{name}" <{one.address}>'


def _candidates(interaction: Interaction) -> Iterator[Sequence[Address]]:
    known = {
        same_mailbox(one.address): one.name
        for one in (*((interaction.sender,) if interaction.sender else ()), *interaction.reply_to, *interaction.cc)
        if one.name
    }

    def stored(attribute: str) -> list[Address]:
        found = parse_addresses(interaction.attributes.get(attribute, ""))
        return [Address(known.get(same_mailbox(one.address), one.name), one.address) for one in found]

    yield stored(ANSWER_TO)  # what was proposed when it came, where that is not simply the next two
    yield interaction.reply_to
    yield (interaction.sender,) if interaction.sender else ()
    yield stored("Original-Author")
    yield stored("Forwarded-From")


def _nobody(interaction: Interaction, ours: Sequence[str], unread: Sequence[str]) -> Problem:
    if unread:
        who = ", ".join(dict.fromkeys(unread))
        return Problem(
            "to",
            f"{who} is read by nobody: an answer would be lost or come back.",
            "Name whom to write to (the text may say), or close it without an answer.",
        )
    if ours:
        who = ", ".join(dict.fromkeys(ours))
        return Problem(
            "to",
            f"{interaction.id} came from {who}, which is an address of this installation.",
            "Name whom to write to: a form or a colleague may have put the customer's address into the text.",
        )
    return Problem("to", f"{interaction.id} has no sender to answer.", "Name a recipient.")
