"""Reading, checking and changing the configuration."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.services.configuration import changes
    from postroom.services.configuration.changes import Change, Plan, apply, load, plan
    from postroom.services.configuration.file import export_configuration, read_configuration, summary_of
    from postroom.services.configuration.validation import validate
    from postroom.services.configuration.yaml_tree import format_path
else:
    __getattr__ = lazily(
        __name__,
        {
            "changes": ["Change", "Plan", "apply", "load", "plan"],
            "file": ["export_configuration", "read_configuration", "summary_of"],
            "validation": ["validate"],
            "yaml_tree": ["format_path"],
        },
    )

__all__ = [
    "Change",
    "Plan",
    "apply",
    "changes",
    "export_configuration",
    "format_path",
    "load",
    "plan",
    "read_configuration",
    "summary_of",
    "validate",
]
