"""Templates: `{{field}}` is replaced, nothing is executed, nothing replaced is looked at again."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping

_PLACEHOLDER = re.compile(r"\{\{\s*([a-z][a-z0-9_.]{0,60})\s*\}\}")

FIELDS: dict[str, str] = {
    "interaction.id": "id of the interaction, for people to quote",
    "mailbox.address": "address of the mailbox that received the mail",
    "mailbox.name": "name of that mailbox",
    "department.name": "name of its department",
    "received.date": "when the mail was received, as 2026-11-21",
    "subject": "subject of the mail; empty when its sender is not verified",
}
"""What a template may use. Subject and body of an unverified sender are never echoed (docs/threat-model.md 7)."""


def unknown_fields(template: str) -> list[str]:
    """List the placeholders that no value will ever stand in for."""
    return sorted({name for name in _PLACEHOLDER.findall(template) if name not in FIELDS})


def fill(template: str, values: Mapping[str, str], *, escape: bool = False) -> str:
    """Replace every placeholder; an unknown one becomes nothing. `escape`: for HTML."""

    def value_of(match: re.Match[str]) -> str:
        value = values.get(match.group(1), "")
        return html.escape(value) if escape else value

    return _PLACEHOLDER.sub(value_of, template)
