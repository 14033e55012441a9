"""The configuration in the table and the content bucket: versions in chunks, and changes that wait to be published."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.adapters.configuration.store import ConfigurationStore
    from postroom.adapters.configuration.waiting_changes import DynamoWaitingChanges
else:
    __getattr__ = lazily(
        __name__,
        {
            "store": ["ConfigurationStore"],
            "waiting_changes": ["DynamoWaitingChanges"],
        },
    )

__all__ = [
    "ConfigurationStore",
    "DynamoWaitingChanges",
]
