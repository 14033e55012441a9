"""Mask all that is told of an incoming mail, at one place (C15): what leaves `understand` has come through here.

Every text of an Understanding is masked, a field that is added later too, unless IDENTIFIERS names it: mail is answered
and found by its addresses and ids, and our own vocabulary holds nothing of a sender's. A test walks all fields.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any

from postroom.mail.headers import Address
from postroom.mail.origin import AuthVerdict
from postroom.mail.reports import Automatic, DeliveryReport, Recipient
from postroom.model import Attachment, Body, Decision, ProvenToken, Understanding
from postroom.rules.masking import Compiled, Masked, mask_html, mask_name, mask_text

IDENTIFIERS: Mapping[type, frozenset[str]] = {
    Understanding: frozenset(
        {"sha256", "message_id", "in_reply_to", "references", "original_message_id", "return_path"}
        | {"delivery_exception"}  # an administrator's name for a phrase
    ),
    Address: frozenset({"address"}),
    AuthVerdict: frozenset({"authserv_id", "dmarc_domain", "spf_domain", "dkim_domains"}),
    Automatic: frozenset({"rule"}),
    Attachment: frozenset({"sha256", "sniffed_type", "key"}),
    Decision: frozenset({"rule", "outcome"}),
    DeliveryReport: frozenset({"original_message_id", "rule"}),
    ProvenToken: frozenset({"outbound_id"}),
    Recipient: frozenset({"address", "original_recipient", "reason"}),
}
"""Fields of text that stay what they are, by the class that has them."""

IDENTIFYING_ATTRIBUTES = frozenset(
    {"References", "Final-Recipient", "Original-Recipient", "Original-Author", "Answer-To"}
    | {"Calendar-Organiser", "Calendar-Attendee"}
)
"""Attributes of a mail whose values stay what they are; the names of all of them are ours."""

Mask = Callable[[str], str]

_BETWEEN = "\n\ue000\n"  # no part of any name, and nothing that a number goes on behind


def masked(
    mail: Understanding, patterns: Sequence[Compiled], *, reply_of: Callable[[str, str, Mask], str]
) -> Understanding:
    """Return a mail as it may be stored and shown, with one decision for each pattern found in subject, text or HTML.

    `reply_of` takes the masked text and subject, and what masks more, and returns what a person wrote beside quotes.
    """
    text, subject = mask_text(mail.body.text, patterns), mask_text(mail.subject, patterns)
    html = mask_html(mail.body.html, patterns) if mail.body.html is not None else None
    reply = reply_of(text.text, subject.text, lambda more: mask_text(more, patterns).text)
    body = replace(mail.body, text=text.text, text_reply=reply, html=html.text if html else None)
    if not patterns:
        return replace(mail, body=body)
    rest: Understanding = _Walk(patterns).of(replace(mail, subject="", body=Body("", "")))
    found = (*subject.decisions("subject"), *text.decisions("text"), *(html.decisions("HTML") if html else ()))
    return replace(rest, subject=subject.text, body=body, decisions=(*rest.decisions, *found))


class _Walk:
    """Masks the texts of nested values; what stands in several places of a mail is searched once."""

    def __init__(self, patterns: Sequence[Compiled]) -> None:
        self._patterns = patterns
        self._known: dict[str, str] = {}

    def of(self, value: Any) -> Any:
        """Return a value with every text in it masked; whatever holds none is the same value."""
        if isinstance(value, Enum):
            return value
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, tuple | list):
            if all(isinstance(one, Address) for one in value):
                return self._addresses(value)
            return type(value)([self.of(one) for one in value])
        if isinstance(value, Mapping):
            return {self.of(name): self.of(one) for name, one in value.items()}
        if is_dataclass(value) and not isinstance(value, type):
            return self._fields(value)
        return value

    def _fields(self, value: Any) -> Any:
        kept = IDENTIFIERS.get(type(value), frozenset())
        changed: dict[str, Any] = {}
        for one in fields(value):
            before = getattr(value, one.name)
            if before is None or one.name in kept:
                continue
            after = _OTHERWISE.get((type(value), one.name), _Walk.of)(self, before)
            if after is not before and after != before:
                changed[one.name] = after
        return replace(value, **changed) if changed else value

    def _text(self, text: str, mask: Callable[[str, Sequence[Compiled]], Masked] = mask_text) -> str:
        if text not in self._known:
            self._known[text] = mask(text, self._patterns).text
        return self._known[text]

    def _addresses(self, addresses: Sequence[Address]) -> Any:
        """Mask the names of a header in one search: a hostile one has thousands."""
        names = [one.name for one in addresses]
        if not any(names):
            return addresses
        found = mask_text(_BETWEEN.join(names), self._patterns).text.split(_BETWEEN)
        if len(found) != len(names):  # a name holds the mark, or a pattern reaches over it
            found = [self._text(name) for name in names]
        return tuple([Address(name, one.address) for name, one in zip(found, addresses, strict=True)])

    def file_name(self, name: str) -> str:
        """Mask a file's name, whose extension people and policies need to see."""
        return mask_name(name, self._patterns).text

    def attributes(self, values: Mapping[str, str]) -> dict[str, str]:
        """Mask the values of the attributes that are no identifiers."""
        return {name: value if name in IDENTIFYING_ATTRIBUTES else self._text(value) for name, value in values.items()}


_OTHERWISE: Mapping[tuple[type, str], Callable[[_Walk, Any], Any]] = {
    (Attachment, "name"): _Walk.file_name,
    (Understanding, "attributes"): _Walk.attributes,
}
