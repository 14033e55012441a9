"""Mask what is told of a mail beside its text: names of people, decisions, reports, attributes (C15).

Addresses and Message-IDs stay what they are, since mail is answered and found by them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from postroom.mail.headers.address import Address
from postroom.mail.reports.delivery_report import DeliveryReport
from postroom.model.understanding import Understanding
from postroom.rules.masking.mask import Compiled, mask_text

_BETWEEN = "\n\ue000\n"  # no part of any name, and nothing that a number goes on behind
_IDENTIFIERS = frozenset({"References", "Final-Recipient", "Calendar-Organiser"})


def mask_told(mail: Understanding, patterns: Sequence[Compiled]) -> Understanding:
    """Return an understanding whose texts and file names are masked already with the rest of it masked as well."""
    if not patterns:
        return mail
    return replace(
        mail,
        sender=_name(mail.sender, patterns) if mail.sender else None,
        reply_to=_names(mail.reply_to, patterns),
        to=_names(mail.to, patterns),
        cc=_names(mail.cc, patterns),
        automatic=replace(mail.automatic, why=_some(mail.automatic.why, patterns)),
        report=_report(mail.report, patterns) if mail.report else None,
        attributes=_attributes(mail.attributes, patterns),
        decisions=tuple([replace(one, detail=mask_text(one.detail, patterns).text) for one in mail.decisions]),
    )


def _name(address: Address, patterns: Sequence[Compiled]) -> Address:
    return Address(mask_text(address.name, patterns).text, address.address) if address.name else address


def _names(addresses: Sequence[Address], patterns: Sequence[Compiled]) -> tuple[Address, ...]:
    if not any(one.name for one in addresses):
        return tuple(addresses)
    # One search for all of them: a hostile header has thousands.
    masked = mask_text(_BETWEEN.join([one.name for one in addresses]), patterns).text.split(_BETWEEN)
    if len(masked) != len(addresses):  # a name holds the mark, or a pattern reaches over it
        return tuple([_name(address, patterns) for address in addresses])
    return tuple([Address(name, one.address) for name, one in zip(masked, addresses, strict=True)])


def _some(text: str | None, patterns: Sequence[Compiled]) -> str | None:
    return mask_text(text, patterns).text if text else text


def _report(report: DeliveryReport, patterns: Sequence[Compiled]) -> DeliveryReport:
    recipients = [
        replace(one, diagnostic=_some(one.diagnostic, patterns), remote_mta=_some(one.remote_mta, patterns))
        for one in report.recipients
    ]
    return replace(report, recipients=tuple(recipients))


def _attributes(attributes: Mapping[str, str], patterns: Sequence[Compiled]) -> dict[str, str]:
    return {
        name: value if name in _IDENTIFIERS else mask_text(value, patterns).text for name, value in attributes.items()
    }
