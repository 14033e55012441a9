"""Reading, checking and changing the configuration."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.services.configuration import changes
    from postroom.services.configuration.changes import Plan, changes_between, check, fields_between, load, plan
    from postroom.services.configuration.edits import edited, edits_between, find_object, order_of
    from postroom.services.configuration.file import LIST_SECTIONS, export_configuration, read_configuration, summary_of
    from postroom.services.configuration.validation import validate
    from postroom.services.configuration.yaml_tree import format_path
else:
    __getattr__ = lazily(
        __name__,
        {
            "changes": ["Plan", "changes_between", "check", "fields_between", "load", "plan"],
            "edits": ["edited", "edits_between", "find_object", "order_of"],
            "file": ["LIST_SECTIONS", "export_configuration", "read_configuration", "summary_of"],
            "validation": ["validate"],
            "yaml_tree": ["format_path"],
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
