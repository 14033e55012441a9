"""The one DynamoDB table: keys, items, and the stores that keep interactions, outbox, states and secrets in it."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.adapters.dynamo import items, keys
    from postroom.adapters.dynamo.arrivals import DynamoArrivals
    from postroom.adapters.dynamo.caps import counting, give_back, raise_shared
    from postroom.adapters.dynamo.client import aws_errors, query_all, read_many, repeat_conflicts
    from postroom.adapters.dynamo.duplicates import DynamoDuplicates
    from postroom.adapters.dynamo.interaction_changes import DynamoInteractionChanges
    from postroom.adapters.dynamo.interactions import DynamoInteractions
    from postroom.adapters.dynamo.looks import DynamoLooks
    from postroom.adapters.dynamo.mailbox_states import DynamoMailboxStates
    from postroom.adapters.dynamo.notices import DynamoNotices, DynamoTicks, note_unarrived, noted_unarrived
    from postroom.adapters.dynamo.secrets import SecretWriter, StoredSecretDates, StoredSecrets
    from postroom.adapters.dynamo.sweep_memory import DynamoSweepMemory
else:
    __getattr__ = lazily(
        __name__,
        {
            "arrivals": ["DynamoArrivals"],
            "caps": ["counting", "give_back", "raise_shared"],
            "client": ["aws_errors", "query_all", "read_many", "repeat_conflicts"],
            "duplicates": ["DynamoDuplicates"],
            "interaction_changes": ["DynamoInteractionChanges"],
            "interactions": ["DynamoInteractions"],
            "looks": ["DynamoLooks"],
            "mailbox_states": ["DynamoMailboxStates"],
            "notices": ["DynamoNotices", "DynamoTicks", "note_unarrived", "noted_unarrived"],
            "secrets": ["SecretWriter", "StoredSecretDates", "StoredSecrets"],
            "sweep_memory": ["DynamoSweepMemory"],
        },
    )

__all__ = [
    "DynamoArrivals",
    "DynamoDuplicates",
    "DynamoInteractionChanges",
    "DynamoInteractions",
    "DynamoLooks",
    "DynamoMailboxStates",
    "DynamoNotices",
    "DynamoSweepMemory",
    "DynamoTicks",
    "SecretWriter",
    "StoredSecretDates",
    "StoredSecrets",
    "aws_errors",
    "counting",
    "give_back",
    "items",
    "keys",
    "note_unarrived",
    "noted_unarrived",
    "query_all",
    "raise_shared",
    "read_many",
    "repeat_conflicts",
]
