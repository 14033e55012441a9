"""What the services need from the outside, as small Protocols. Adapters provide them; tests bring five-line fakes."""

from postroom.ports.incoming import Action, Connector, Extendable, Fetched, FetchFailed, Item, Listing, Session, Tokens
from postroom.ports.outgoing import BeforeData, Envelope, Sent, Transport, Transports
from postroom.ports.storage import (
    Added,
    Cap,
    Contents,
    Interactions,
    MailboxStates,
    Outbox,
    RawMessage,
    RawMessages,
    ThreadHit,
    Waiting,
)
from postroom.ports.surroundings import BatchQueue, Clock, Configurations, Queue, Secrets, SecretStore

__all__ = [
    "Action",
    "Added",
    "BatchQueue",
    "BeforeData",
    "Cap",
    "Clock",
    "Configurations",
    "Connector",
    "Contents",
    "Envelope",
    "Extendable",
    "FetchFailed",
    "Fetched",
    "Interactions",
    "Item",
    "Listing",
    "MailboxStates",
    "Outbox",
    "Queue",
    "RawMessage",
    "RawMessages",
    "SecretStore",
    "Secrets",
    "Sent",
    "Session",
    "ThreadHit",
    "Tokens",
    "Transport",
    "Transports",
    "Waiting",
]
