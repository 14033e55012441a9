"""The key design of the one table. No other module makes up a key.

| what                      | pk              | sk              |
|---------------------------|-----------------|-----------------|
| interaction, in or out    | `I#<id>`        | `0`             |
| history entry             | `I#<id>`        | `H#<time>#<what>` |
| state of a mailbox        | `MB#<name>`     | `state`         |
| what a mailbox has stored | `MB#<name>`     | `S#<series>#<8 digits>` |
| configuration pointer     | `CONFIG`        | `current`       |
| configuration version     | `CONFIG`        | `V#<8 digits>`  |
| queues that were ever named | `CONFIG`      | `queues`        |
| secret                    | `SECRET#<name>` | `0`             |
| cap on automatic replies  | `CAP#<what>`    | `0`             |
| notice to administrators  | `N#<day>`       | `<time>#<what>` |
| mail that did not arrive  | `UNARRIVED`     | `<id>`          |
| reply waiting for a mail  | `M#<hash of Message-ID>` | `W#<id>` |
| mark of the sweeper       | `SWEEP`         | `mark`          |
| what it queued again      | `SWEEP`         | `R#<hour>`      |
| last tick of the schedule | `TICK`          | `mark`          |
| when mailboxes were polled | `LOOK`         | `<digest of their names>` |

| index          | an inbound interaction            | an outbound one                    |
|----------------|-----------------------------------|------------------------------------|
| by_message_id  | `M#<hash of Message-ID>`          | the same, once a sender claims it  |
| by_list        | `Q#<queue>` / `<created>#<id>`    | `O#<state>` / `<since>#<id>`       |
| by_thread      | `<thread>` / `<created>#<id>` *   | `<thread>` / `<created>#<id>`      |

* Only members that are not the root: the root is found by its id, which is the thread's id, so new mail pays for no
  index entry. Outbound mail has no Message-ID before it is claimed, since only senders hold the signing key.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

PK, SK = "pk", "sk"
BY_MESSAGE_ID, MESSAGE_ID_PK = "by_message_id", "gsi1pk"
BY_LIST, LIST_PK, LIST_SK = "by_list", "gsi2pk", "gsi2sk"
BY_THREAD, THREAD_PK, THREAD_SK = "by_thread", "gsi3pk", "gsi3sk"
EXPIRES = "expires"  # epoch seconds; the table's time-to-live attribute

ITEM = "0"
CONFIG = "CONFIG"

Key = dict[str, str]


def interaction(interaction_id: str) -> Key:
    """Return the key of an interaction, inbound or outbound."""
    return {PK: f"I#{interaction_id}", SK: ITEM}


def history(interaction_id: str, at: datetime, what: str) -> Key:
    """Return the key of one history entry; the same event at the same time is the same entry."""
    return {PK: f"I#{interaction_id}", SK: f"H#{moment(at)}#{what}"}


HISTORY_PREFIX = "H#"


def mailbox_state(name: str) -> Key:
    """Return the key of what is remembered of a mailbox."""
    return {PK: f"MB#{name}", SK: "state"}


def stored_segments(series: str) -> str:
    """Return what the sort keys of all segments of a series of ids begin with (ADR 0018)."""
    return f"S#{series}#"


def stored_segment(name: str, series: str, number: int) -> Key:
    """Return the key of what is stored of one segment of a mailbox's ids."""
    return {PK: f"MB#{name}", SK: f"{stored_segments(series)}{number:08}"}


def configuration_pointer() -> Key:
    """Return the key of the item that says which configuration is in force."""
    return {PK: CONFIG, SK: "current"}


def configuration_version(version: int) -> Key:
    """Return the key of the record of one configuration version."""
    return {PK: CONFIG, SK: f"V#{version:08}"}


def configuration_queues() -> Key:
    """Return the key of the queues that configurations have named, those in force and earlier ones."""
    return {PK: CONFIG, SK: "queues"}


def secret(name: str) -> Key:
    """Return the key of an encrypted secret."""
    return {PK: f"SECRET#{name}", SK: ITEM}


def cap(what: str) -> Key:
    """Return the key of a counter of automatic replies."""
    return {PK: f"CAP#{what}", SK: ITEM}


def notice(at: datetime, what: str) -> Key:
    """Return the key of a notice to administrators, such as a report that belongs to no mail of ours."""
    return {PK: f"N#{at:%Y-%m-%d}", SK: f"{moment(at)}#{what}"}


def unarrived(outbound_id: str) -> Key:
    """Return the key of the note that an outbound mail did not arrive."""
    return {PK: "UNARRIVED", SK: outbound_id}


def waiting(message_id_: str, interaction_id: str) -> Key:
    """Return the key of the note that an interaction waits for a mail with this Message-ID."""
    return {PK: message_id(message_id_), SK: f"W#{interaction_id}"}


def sweep_mark() -> Key:
    """Return the key of the hour up to which the sweeper found everything in order."""
    return {PK: "SWEEP", SK: "mark"}


def tick_mark() -> Key:
    """Return the key of the last tick that polls were planned for."""
    return {PK: "TICK", SK: "mark"}


def looks(digest: str) -> Key:
    """Return the key of when a set of mailboxes was last polled together."""
    return {PK: "LOOK", SK: digest}


def sweep_repeated(hour: datetime) -> Key:
    """Return the key of what the sweeper queued again of the raw messages of an hour."""
    return {PK: "SWEEP", SK: f"R#{hour:%Y-%m-%dT%H}"}


def message_id(value: str) -> str:
    """Index key of a Message-ID; hashed, since senders may write kilobytes of anything."""
    return "M#" + hashlib.sha256(value.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def queue_list(queue: str) -> str:
    """Index key of a queue's interactions."""
    return f"Q#{queue}"


def outbox_list(state: str) -> str:
    """Index key of the outbound interactions in a state."""
    return f"O#{state}"


def listed(at: datetime, item_id: str) -> str:
    """Sort key of a list: by time, then id."""
    return f"{moment(at)}#{item_id}"


def moment(at: datetime) -> str:
    """Write a UTC time so that text order is time order, to the microsecond."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"


def parse_moment(text: str) -> datetime:
    """Read what `moment` wrote."""
    return datetime.fromisoformat(text.removesuffix("Z") + "+00:00")
