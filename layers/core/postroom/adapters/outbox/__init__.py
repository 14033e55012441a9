"""The outbox in the table: adding, claiming, finishing and following outgoing mail."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.adapters.outbox.store import DynamoOutbox
    from postroom.adapters.outbox.suppressions import DynamoSuppressions
else:
    __getattr__ = lazily(__name__, {"store": ["DynamoOutbox"], "suppressions": ["DynamoSuppressions"]})

__all__ = ["DynamoOutbox", "DynamoSuppressions"]
