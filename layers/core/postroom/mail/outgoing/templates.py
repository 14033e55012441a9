"""Templates: `{{field}}` or `{{field|fallback}}` is replaced; nothing is executed, nor looked at twice."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping

_PLACEHOLDER = re.compile(r"\{\{\s*([a-z][a-z0-9_.]{0,60})\s*(?:\|([^{}|]{0,200}))?\}\}")

FIELDS: dict[str, str] = {
    "interaction.id": "id of the interaction, for people to quote",
    "mailbox.address": "address of the mailbox that received the mail",
    "mailbox.name": "name of that mailbox",
    "department.name": "name of its department",
    "received.date": "when the mail was received, as 2026-11-21",
    "subject": "subject of the mail; empty when its sender is not verified",
    "customer.name": "name of who wrote; empty when the sender is not verified",
    "customer.address": "address of who wrote",
    "agent.name": "who answers; empty in automatic mail",
    "alias.name": "name beside the address that the mail leaves from",
    "alias.address": "that address",
    "queue.name": "queue of the mail",
}
"""What a template may use. Subject and body of an unverified sender are never echoed (docs/threat-model.md 7)."""


MAY_BE_EMPTY = frozenset({"customer.name", "agent.name", "alias.name", "queue.name"})
"""Fields that need a fallback: nobody is to read `Dear ,`."""


def without_fallback(template: str) -> list[str]:
    """List the placeholders that may come out empty, and say nothing for that case."""
    return sorted({name for name, fallback in _PLACEHOLDER.findall(template) if name in MAY_BE_EMPTY and not fallback})


def unknown_fields(template: str) -> list[str]:
    """List the placeholders that no value will ever stand in for."""
    return sorted({name for name, _fallback in _PLACEHOLDER.findall(template) if name not in FIELDS})


def fill(template: str, values: Mapping[str, str], *, escape: bool = False) -> str:
    """Replace every placeholder; one without a value becomes its fallback, or nothing. `escape`: for HTML."""

    def value_of(match: re.Match[str]) -> str:
        value = values.get(match.group(1)) or (match.group(2) or "").strip()
        return html.escape(value) if escape else value

    return _PLACEHOLDER.sub(value_of, template)
