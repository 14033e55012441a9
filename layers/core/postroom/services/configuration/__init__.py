"""Reading, checking and changing the configuration."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.services.configuration import changes
    from postroom.services.configuration.changes import Plan, changes_between, check, fields_between, load, plan
    from postroom.services.configuration.edits import edited, edits_between, find_object, order_of
    from postroom.services.configuration.file import export_configuration, read_configuration
    from postroom.services.configuration.sections import LIST_SECTIONS, format_path, summary_of
    from postroom.services.configuration.validation import validate
else:
    __getattr__ = lazily(
        __name__,
        {
            "changes": ["Plan", "changes_between", "check", "fields_between", "load", "plan"],
            "edits": ["edited", "edits_between", "find_object", "order_of"],
            "file": ["export_configuration", "read_configuration"],
            "sections": ["LIST_SECTIONS", "format_path", "summary_of"],
            "validation": ["validate"],
        },
    )

__all__ = [
    "LIST_SECTIONS",
    "Plan",
    "changes",
    "changes_between",
    "check",
    "edited",
    "edits_between",
    "export_configuration",
    "fields_between",
    "find_object",
    "format_path",
    "load",
    "order_of",
    "plan",
    "read_configuration",
    "summary_of",
    "validate",
]
