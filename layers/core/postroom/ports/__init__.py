"""What the services need from the outside, as small Protocols. Adapters provide them; tests bring five-line fakes."""

from postroom.ports.mail_servers import (
    Compares,
    Connector,
    Counts,
    Extendable,
    LooksTogether,
    Session,
    Tokens,
)
from postroom.ports.storage import (
    Contents,
    Interactions,
    MailboxStates,
    Outbox,
    RawMessages,
)
from postroom.ports.surroundings import BatchQueue, Clock, Configurations, Queue, Secrets, SecretStore
from postroom.ports.transports import BeforeData, Transport, Transports

__all__ = [
    "BatchQueue",
    "BeforeData",
    "Clock",
    "Compares",
    "Configurations",
    "Connector",
    "Contents",
    "Counts",
    "Extendable",
    "Interactions",
    "LooksTogether",
    "MailboxStates",
    "Outbox",
    "Queue",
    "RawMessages",
    "SecretStore",
    "Secrets",
    "Session",
    "Tokens",
    "Transport",
    "Transports",
]
