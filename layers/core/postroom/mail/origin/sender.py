"""Who wrote a mail, and what is odd about that (docs/threat-model.md 6).

Flags are facts for people and rules; none of them alone makes a mail bad. `verified` is the one strong statement: one
well-formed From whose very domain passed DMARC at a server that we trust.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from postroom.mail.headers import (
    Address,
    is_valid,
    parse_addresses,
    parse_mailboxes,
    related_domains,
    suspicious_domain,
)
from postroom.mail.origin.authentication_results import UNCHECKED, AuthVerdict, Result
from postroom.mail.reader import Part


class SenderFlag(StrEnum):
    """What is odd about a sender."""

    NO_FROM = "no-from"  # no From, or none with an address
    SEVERAL_FROM = "several-from"  # several From fields, or several addresses in one
    MALFORMED_FROM = "malformed-from"  # no mailbox as RFC 5322 §3.6.2 writes it: what it means is a guess
    MIXED_SCRIPT_DOMAIN = "mixed-script-domain"  # letters of several scripts, or look-alikes of Latin ones
    HIDDEN_CHARACTERS = "hidden-characters"  # bidirectional controls or zero-width characters in name or address
    ADDRESS_IN_NAME = "address-in-name"  # the display name shows another address than the real one
    REPLY_TO_ELSEWHERE = "reply-to-elsewhere"  # answers would go to another domain


@dataclass(frozen=True, slots=True)
class SenderVerdict:
    """The sender, the flags, and what the receiving server found."""

    address: Address | None
    flags: tuple[SenderFlag, ...]
    auth: AuthVerdict = UNCHECKED

    @property
    def verified(self) -> bool:
        """Say whether the From address is proven: DMARC passed for its domain, and there is only one From."""
        return (
            self.address is not None
            and self.auth.dmarc is Result.PASS
            and self.auth.dmarc_domain == self.address.domain
            and not _DISPROVING.intersection(self.flags)
        )

    @property
    def answerable(self) -> str | None:
        """Return the one address that a machine may answer, whoever is behind it; None where From is not exactly one.

        Several From fields, a group, two addresses in one field, a control between them: the second may be a third
        person's, who would get the answer (docs/threat-model.md 14).
        """
        if self.address is None or not _DISPROVING.isdisjoint(self.flags) or not is_valid(self.address.address):
            return None
        return self.address.address

    @property
    def dmarc_failed(self) -> bool:
        """Say whether a server that we trust says the sender is not who he claims."""
        return self.auth.dmarc is Result.FAIL


_DISPROVING = frozenset({SenderFlag.NO_FROM, SenderFlag.SEVERAL_FROM, SenderFlag.MALFORMED_FROM})

_LONGEST_FIELD = 10_000
_MOST_FIELDS = 20
_LONGEST_NAME = 1_000
_NAME_ADDRESS = re.compile(r"[^\s@<>\"'(),;:\[\]]{1,64}@([a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8})", re.IGNORECASE)
# Bidirectional controls, zero-width and other invisible characters: they make two addresses look the same.
_HIDDEN_RANGES = (
    range(0x200B, 0x2010),
    range(0x202A, 0x202F),
    range(0x2060, 0x2070),
    range(0xFFF9, 0xFFFC),
    range(0xE0000, 0xE0080),
)
_HIDDEN = frozenset().union(
    *_HIDDEN_RANGES, (0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180E, 0x3164, 0xFEFF, 0xFFA0)
)
_JOINERS = {0x200C, 0x200D}  # legitimate in names of several scripts and in emoji
_NEVER_SHOWN = frozenset(map(chr, _HIDDEN - _JOINERS))


def sender_verdict(message: Part, *, auth: AuthVerdict = UNCHECKED) -> SenderVerdict:
    """Return the sender of a mail with all flags, in the order of SenderFlag."""
    fields = message.raw_headers("From")
    lists = [parse_mailboxes(field[:_LONGEST_FIELD]) for field in fields[:_MOST_FIELDS]]
    every = [mailbox for one in lists for mailbox in one.addresses]
    found = [mailbox for mailbox in every if mailbox.address]
    sender = found[0] if found else None
    flags: set[SenderFlag] = set()
    if sender is None:
        flags.add(SenderFlag.NO_FROM)
    if len(fields) > 1 or len({address.address.lower() for address in found}) > 1:
        flags.add(SenderFlag.SEVERAL_FROM)
    if fields and (
        sender is None
        or not is_valid(sender.address)
        or any(one.malformed or one.grouped for one in lists)
        or any(len(field) > _LONGEST_FIELD for field in fields)
    ):
        flags.add(SenderFlag.MALFORMED_FROM)
    if sender is not None:
        if suspicious_domain(sender.domain):
            flags.add(SenderFlag.MIXED_SCRIPT_DOMAIN)
        if _hides(sender.name) or (
            not sender.address.isascii() and any(ord(character) in _HIDDEN for character in sender.address)
        ):
            flags.add(SenderFlag.HIDDEN_CHARACTERS)
        # A name without an address counts too: `"a@bank.example", <x@evil.example>` shows it.
        if any(_names_another(mailbox.name, sender) for mailbox in every if "@" in mailbox.name or mailbox is sender):
            flags.add(SenderFlag.ADDRESS_IN_NAME)
        if _replies_elsewhere(message, sender):
            flags.add(SenderFlag.REPLY_TO_ELSEWHERE)
    return SenderVerdict(sender, tuple(flag for flag in SenderFlag if flag in flags) if flags else (), auth)


def _hides(name: str) -> bool:
    shown = name[:_LONGEST_NAME]
    return not shown.isascii() and not _NEVER_SHOWN.isdisjoint(shown)


def _names_another(name: str, sender: Address) -> bool:
    """Say whether the name shows an address of another domain; full-width forms count as what they look like."""
    shown = name[:_LONGEST_NAME]
    if not shown.isascii():
        shown = unicodedata.normalize("NFKC", shown)
    if "@" not in shown:
        return False
    shown = "".join(character for character in shown if ord(character) not in _HIDDEN)
    own = sender.address.lower()
    return any(
        found.group(0).lower() != own and not related_domains(found.group(1).lower(), sender.domain)
        for found in _NAME_ADDRESS.finditer(shown)
    )


def _replies_elsewhere(message: Part, sender: Address) -> bool:
    for field in message.raw_headers("Reply-To")[:_MOST_FIELDS]:
        for address in parse_addresses(field[:_LONGEST_FIELD]):
            if address.domain and not related_domains(address.domain, sender.domain):
                return True
    return False
