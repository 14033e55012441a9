"""The outbox in the table: adding, claiming, finishing and following outgoing mail."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.adapters.outbox.store import DynamoOutbox
else:
    __getattr__ = lazily(__name__, {"store": ["DynamoOutbox"]})

__all__ = ["DynamoOutbox"]
