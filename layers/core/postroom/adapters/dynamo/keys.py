"""The key design of the one table. No other module makes up a key.

| what                      | pk              | sk              |
|---------------------------|-----------------|-----------------|
| interaction, in or out    | `I#<id>`        | `0`             |
| history entry             | `I#<id>`        | `H#<time>#<what>` |
| the same mail in other bytes | `I#<id of its own>` | `0`        |
| and where it belongs to   | `I#<id>`        | `D#<claim>`     |
| state of a mailbox        | `MB#<name>`     | `state`         |
| what a mailbox has stored | `MB#<name>`     | `S#<series>#<8 digits>` |
| configuration pointer     | `CONFIG`        | `current`       |
| configuration version     | `CONFIG`        | `V#<8 digits>`  |
| queues that were ever named | `CONFIG`      | `queues`        |
| whose turn it is to publish | `CONFIG`      | `turn`          |
| change that waits for it  | `CONFIG-WAITING` | `<id>`         |
| secret                    | `SECRET#<name>` | `0`             |
| cap on automatic replies  | `CAP#<what>`    | `0`             |
| notice to administrators  | `N#<day>`       | `<time>#<what>` |
| mail that did not arrive  | `UNARRIVED`     | `<id>`          |
| address that gets nothing | `SUPPRESSED`    | `<address>`     |
| reply waiting for a mail  | `M#<hash of Message-ID>` | `W#<id>` |
| mark of the sweeper       | `SWEEP`         | `mark`          |
| what it queued again      | `SWEEP`         | `R#<hour>`      |
| last tick of the schedule | `TICK`          | `mark`          |
| when mailboxes were polled | `LOOK`         | `<digest of their names>` |
| case of a thread          | `C#<thread>`    | `0`             |
| draft of an answer        | `C#<thread>`    | `DR#<agent>`    |
| note                      | `C#<thread>`    | `N#<time>#<id>` |
| who has a case open       | `C#<thread>`    | `PR#<agent>`    |
| history of a case         | `H#<thread>`    | `<8 digits of its version>` |
| user, invitation          | `U#<hash of issuer and subject>` | `0` |
| role of an installation   | `ROLES`         | `<name>`        |
| who may do everything     | `ROLES`         | `#administrators` |
| audit entry               | `AU#<day>#0`    | `<time>#<id>`   |
| answer by idempotency key | `IK#<hash of caller and key>` | `0` |
| tokens of a caller        | `RT#<hash of the caller>` | `0`   |
| key of cursors            | `API`           | `key`           |

| index          | an inbound interaction          | an outbound one                 | a case                    |
|----------------|---------------------------------|---------------------------------|---------------------------|
| by_message_id  | `M#<hash of Message-ID>`        | the same, once a sender has it  | `NR#<number>`             |
| by_list        | (see below)                     | `O#<state>` / `<since>#<id>`    | its list, see `case_list` |
| by_thread      | `<thread>` / `<created>#<id>` * | `<thread>` / `<created>#<id>`   |                           |
| by_customer    |                                 |                                 | `CU#<hash>` / `<created>#<id>` |
| by_due         |                                 |                                 | `D#<shard>` / `<due>#<id>` |

* Only members that are not the root: the root is found by its id, which is the thread's id, so new mail pays for no
  index entry. Outbound mail has no Message-ID before it is claimed, since only senders hold the signing key.

A queue lists cases. Interactions stored before there were cases are listed as `Q#<queue>` / `<created>#<id>` until
`postroom case adopt` has made their cases: a year begins with 2, the order of a case with 0 or 1.
Users are listed by name: `U` / `<name>#<id>`. Audit entries are listed by object, `AO#<object>` / `<time>#<id>`, and
by person in by_customer: `AP#<user>` / `<time>#<id>`.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from postroom.model.case import (
    CaseList,
    ListKind,
)

PK, SK = "pk", "sk"
BY_MESSAGE_ID, MESSAGE_ID_PK = "by_message_id", "gsi1pk"
BY_LIST, LIST_PK, LIST_SK = "by_list", "gsi2pk", "gsi2sk"
BY_THREAD, THREAD_PK, THREAD_SK = "by_thread", "gsi3pk", "gsi3sk"
BY_DUE, DUE_PK, DUE_SK = "by_due", "gsi4pk", "gsi4sk"
BY_CUSTOMER, CUSTOMER_PK, CUSTOMER_SK = "by_customer", "gsi5pk", "gsi5sk"
EXPIRES = "expires"  # epoch seconds; the table's time-to-live attribute

ITEM = "0"
CONFIG = "CONFIG"
CONFIG_WAITING = "CONFIG-WAITING"

Key = dict[str, str]


def interaction(interaction_id: str) -> Key:
    """Return the key of an interaction, inbound or outbound."""
    return {PK: f"I#{interaction_id}", SK: ITEM}


def history(interaction_id: str, at: datetime, what: str) -> Key:
    """Return the key of one history entry; the same event at the same time is the same entry."""
    return {PK: f"I#{interaction_id}", SK: f"H#{moment(at)}#{what}"}


HISTORY_PREFIX = "H#"
DUPLICATE_PREFIX = "D#"


def duplicate(interaction_id: str, claim: str) -> Key:
    """Return the key of the note that a raw message is the same mail as an interaction."""
    return {PK: f"I#{interaction_id}", SK: f"{DUPLICATE_PREFIX}{claim}"}


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


def configuration_turn() -> Key:
    """Return the key of whose turn it is to publish waiting changes of the configuration."""
    return {PK: CONFIG, SK: "turn"}


def configuration_waiting(change_id: str) -> Key:
    """Return the key of a change of the configuration that waits to be published with others."""
    return {PK: CONFIG_WAITING, SK: change_id}


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


def suppressed(address: str) -> Key:
    """Return the key of an address that nothing is sent to; as addresses are compared."""
    return {PK: "SUPPRESSED", SK: address}


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


def user(user_id: str) -> Key:
    """Return the key of a user or an invitation."""
    return {PK: f"U#{user_id}", SK: ITEM}


USERS = "U"
"""Index key of all users."""


def role(name: str) -> Key:
    """Return the key of a role that the installation has defined."""
    return {PK: "ROLES", SK: name}


def administrators() -> Key:
    """Return the key of the set of those who may do everything."""
    return {PK: "ROLES", SK: "#administrators"}


def audit(at: datetime, entry: str) -> Key:
    """Return the key of an audit entry."""
    return {PK: audit_day(at), SK: listed(at, entry)}


def audit_day(at: datetime) -> str:
    """Return the partition key of a day's audit entries; a day of more than 1,000 acts a second would need shards."""
    return f"AU#{at:%Y-%m-%d}#0"


def audited(about: str) -> str:
    """Index key (by_list) of the entries about an object."""
    return f"AO#{about}"


def audited_person(actor: str) -> str:
    """Index key (by_customer) of the entries of a person."""
    return f"AP#{actor}"


def request(operation: str) -> Key:
    """Return the key of the answer to a request with an idempotency key."""
    return {PK: f"IK#{operation}", SK: ITEM}


def bucket(caller: str) -> Key:
    """Return the key of the tokens of a caller."""
    return {PK: f"RT#{caller}", SK: ITEM}


def cursor_key() -> Key:
    """Return the key of the key that signs cursors."""
    return {PK: "API", SK: "key"}


def sweep_repeated(hour: datetime) -> Key:
    """Return the key of what the sweeper queued again of the raw messages of an hour."""
    return {PK: "SWEEP", SK: f"R#{hour:%Y-%m-%dT%H}"}


def message_id(value: str) -> str:
    """Index key of a Message-ID; hashed, since senders may write kilobytes of anything."""
    return f"M#{digest(value)}"


def case(case_id: str) -> Key:
    """Return the key of the case of a thread."""
    return {PK: f"C#{case_id}", SK: ITEM}


def case_history(case_id: str, version: int) -> Key:
    """Return the key of one entry of a case's history; the same version is the same entry."""
    return {PK: f"H#{case_id}", SK: f"{version:08}"}


def draft(case_id: str, agent: str) -> Key:
    """Return the key of what an agent has written of an answer."""
    return {PK: f"C#{case_id}", SK: f"{DRAFT}{agent}"}


def note(case_id: str, at: datetime, note_id: str) -> Key:
    """Return the key of a note on a case."""
    return {PK: f"C#{case_id}", SK: f"{NOTE}{moment(at)}#{note_id}"}


def presence(case_id: str, agent: str) -> Key:
    """Return the key of the note that somebody has a case open."""
    return {PK: f"C#{case_id}", SK: f"{PRESENCE}{agent}"}


DRAFT, NOTE, PRESENCE = "DR#", "N#", "PR#"


def case_list(wanted: CaseList) -> str:
    """Index key of a list of cases.

    A queue with more than a thousand changes a second would need shards: here, and where a list is read.
    """
    match wanted.kind:
        case ListKind.WAITING:
            return queue_list(wanted.name)
        case ListKind.HELD:
            return f"A#{wanted.name}"
        case ListKind.PENDING:
            return f"P#{wanted.name}"
        case ListKind.CLOSED:
            return f"X#{wanted.name}#{wanted.month:%Y-%m}"


def case_order(urgent_since: datetime, case_id: str, *, on_top: bool) -> str:
    """Sort key of a case that waits, or that somebody has: the most urgent first, what came back before all others."""
    return f"{0 if on_top else 1}#{milliseconds(urgent_since):015}#{case_id}"


BEFORE_INTERACTIONS = "2"
"""What the sort keys of cases in a queue's list are below, and those of interactions above."""

DUE_SHARDS = 8


def due_list(case_id: str) -> str:
    """Index key of what time does something to, of the shard of a case."""
    shard = hashlib.sha256(case_id.encode()).digest()[0] % DUE_SHARDS
    return f"D#{shard}"


def customer_list(address: str) -> str:
    """Index key of a customer's cases; hashed, so that an index tells no address."""
    return f"CU#{digest(address)}"


def number(word: str) -> str:
    """Index key of a case's number: its first ten letters."""
    return f"NR#{word[:10]}"


def milliseconds(at: datetime) -> int:
    """Return the milliseconds since 1970."""
    return round(at.timestamp() * 1000)


def from_milliseconds(number: int) -> datetime:
    """Read what `milliseconds` returned."""
    return datetime.fromtimestamp(number / 1000, UTC)


def digest(text: str) -> str:
    """Shorten a name of people's for a key that must not repeat it."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def queue_list(queue: str) -> str:
    """Index key of a queue's cases, and of its interactions from before there were cases."""
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
