"""What importers share: the table of what became of each option, names, and the file that they write."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import yaml

from postroom.errors import Invalid
from postroom.services.configuration import export_configuration, read_configuration


class Outcome(StrEnum):
    """What became of an option."""

    MAPPED = "mapped"  # means the same here
    CHANGED = "changed"  # means something else now, and why is said
    LEFT_OUT = "left out"  # has no counterpart, and why is said
    FILL_IN = "fill in"  # a person must give it


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: where it was, what became of it, where it is now, and why."""

    section: str
    option: str
    outcome: Outcome
    to: str = ""
    why: str = ""


@dataclass(slots=True)
class Draft:
    """A configuration file in the making, with its table."""

    document: dict[str, Any] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    _names: dict[str, set[str]] = field(default_factory=dict)

    def note(self, section: str, option: str, outcome: Outcome, to: str = "", why: str = "") -> None:
        """Write one line of the table."""
        self.rows.append(Row(section, option, outcome, to, why))

    def add(self, section: str, values: dict[str, Any]) -> None:
        """Add an object to a section of the file."""
        self.document.setdefault(section, []).append(values)

    def setting(self, name: str, value: Any) -> None:
        """Set a setting of the installation."""
        self.document.setdefault("settings", {})[name] = value

    def queue(self, name: str) -> str:
        """Name a queue, and declare it when it is not there yet."""
        known = {str(queue["name"]) for queue in self.document.get("queues", [])}
        plain = safe_name(name)
        if plain not in known:
            self.add("queues", {"name": plain})
        return plain

    def unique(self, section: str, name: str) -> str:
        """Turn a name into one that is allowed here and is not taken in the section."""
        taken = self._names.setdefault(section, set())
        plain = base = safe_name(name)
        number = 1
        while plain.casefold() in taken:
            number += 1
            plain = f"{base[:36]}-{number}"
        taken.add(plain.casefold())
        return plain


@dataclass(frozen=True, slots=True)
class Imported:
    """The configuration file, and what became of each option."""

    text: str
    rows: tuple[Row, ...]


def safe_name(name: str) -> str:
    """Turn any text into a name: letters, digits, '.', '_', '-', at most 40."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip("-._")[:40].rstrip("-")
    return plain or "unnamed"


def why_renamed(wanted: str, name: str) -> str:
    """Say why `Draft.unique` gave another name than was wanted; empty when it did not."""
    plain = safe_name(wanted)
    spelled = "" if plain == wanted else "names hold at most 40 letters, digits, '.', '_' and '-' here"
    taken = "" if plain == name else f"the name {plain} was taken"
    return "; ".join(filter(None, (spelled, taken)))


def finish(draft: Draft, source: str) -> Imported:
    """Write the file; what is still wrong with it are lines of the table that a person must see to."""
    text = yaml.safe_dump(draft.document, sort_keys=False, allow_unicode=True)
    try:
        text = export_configuration(read_configuration(text).configuration)
    except Invalid as error:
        for problem in error.problems:
            draft.note(
                "(the new file)", problem.path, Outcome.FILL_IN, problem.path, f"{problem.problem} {problem.remedy}"
            )
    todo = sorted({f"{row.to}: {row.why}" for row in draft.rows if row.outcome is Outcome.FILL_IN})
    head = [f"# Imported from {source}. Every mailbox is disabled: fill in what is missing, test, then enable it."]
    head += [f"#   {' '.join(line.split())}" for line in todo]
    return Imported("\n".join(head) + "\n" + text, tuple(draft.rows))
