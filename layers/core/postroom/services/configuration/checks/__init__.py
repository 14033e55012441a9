"""What one field alone does not show: names that lead nowhere, doubles, options that contradict each other."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.services.configuration.checks.all_checks import problems, warnings
    from postroom.services.configuration.checks.finding import Finding, Path
    from postroom.services.configuration.checks.mailboxes import uses_oauth
    from postroom.services.configuration.checks.references import NAMED_SECTIONS, REFERENCES
else:
    __getattr__ = lazily(
        __name__,
        {
            "all_checks": ["problems", "warnings"],
            "finding": ["Finding", "Path"],
            "mailboxes": ["uses_oauth"],
            "references": ["NAMED_SECTIONS", "REFERENCES"],
        },
    )

__all__ = [
    "NAMED_SECTIONS",
    "REFERENCES",
    "Finding",
    "Path",
    "problems",
    "uses_oauth",
    "warnings",
]
