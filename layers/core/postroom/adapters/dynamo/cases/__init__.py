"""Cases in the table: the case items, their lists and histories, and what lies beside a case."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.adapters.dynamo.cases.beside import DynamoCaseNotes
    from postroom.adapters.dynamo.cases.store import DynamoCases
else:
    __getattr__ = lazily(__name__, {"beside": ["DynamoCaseNotes"], "store": ["DynamoCases"]})

__all__ = ["DynamoCaseNotes", "DynamoCases"]
