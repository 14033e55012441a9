"""What is remembered of a mailbox: one item of well under a kilobyte, so that a cycle with news costs two write units.

The lease is fenced: its token grows with every holder, every write of a holder is conditional on it, and whoever takes
it proves that the state it read is the last one. Clocks that differ can cost a second download, never a second truth.
"""

from __future__ import annotations

import contextlib
import hashlib
import zlib
from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from postroom.adapters.dynamo import items, keys
from postroom.adapters.dynamo.client import aws_errors, read_many
from postroom.adapters.dynamo.storage_records import StorageRecords
from postroom.errors import LeaseLost, NotFound, PostroomError, Transient
from postroom.model import (
    Aside,
    Balance,
    Health,
    HealthState,
    Lease,
    LeftAlone,
    MailboxState,
    Position,
    Record,
    Traffic,
    Trying,
)
from postroom.ports import ErasableContents

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NEVER_TAKEN = "attribute_not_exists(#token)"
FREE = "#token = :was AND (#until < :now OR #until > :never)"
"""Nobody has taken it since the state was read; whoever had it before is through or overdue, or had a wrong clock."""
LONGEST_LEASE = timedelta(hours=1)  # functions run for a quarter of that
MINE = "#token = :token AND #owner = :owner"

_NAMES = {"#token": "token", "#owner": "owner", "#until": "until"}
NO_PRINT = "-" * 8  # in the place of a print, all of which are that long
INLINE = 8 * 1024  # bytes of packed ids in the item; beyond, one S3 put is cheaper than the write units


class _Shelf(ErasableContents, Protocol):
    """Where long lists of ids go."""

    def holds(self, key: str) -> bool: ...


class DynamoMailboxStates:
    """Implements ports.MailboxStates."""

    def __init__(self, client: DynamoDBClient, table: str, contents: _Shelf) -> None:
        self._client = client
        self._table = table
        self._contents = contents
        self._shelved: dict[str, tuple[str, Any]] = {}  # mailbox → (key, ids): read once, not at every look
        self._records = StorageRecords(client, table)

    def load(self, names: Sequence[str], *, consistent: bool = False) -> Mapping[str, MailboxState]:
        """Read many, a hundred to a request; a mailbox never polled has an empty state.

        A list of ids that cannot be read concerns its mailbox alone (`MailboxState.trouble`, `.lost`).
        """
        return self._load(names, consistent=consistent, missing={})

    def _load(self, names: Sequence[str], *, consistent: bool, missing: Mapping[str, str]) -> dict[str, MailboxState]:
        """Read many; `missing`: under which keys the ids of mailboxes were not found when they were last read."""
        wanted = [keys.mailbox_state(name) for name in dict.fromkeys(names)]
        found = read_many(
            self._client, self._table, wanted, doing="reading the state of mailboxes", consistent=consistent
        )
        states = {name: MailboxState(mailbox=name) for name in names}
        for item in found:
            name = item[keys.PK]["S"].removeprefix("MB#")
            values = items.unmarshal(item)
            states[name] = state = _read(name, values)
            if "epoch" not in values:  # never looked at
                continue
            try:
                states[name] = replace(state, position=_position(values, self._ids(name, values)))
            except NotFound as error:
                key = values.get("ids_key", "")
                if missing.get(name) == key:
                    states[name] = replace(state, position=_position(values, {}).anew(), lost=error.what)
                else:  # replaced and removed between the two reads, most likely
                    states |= self._load([name], consistent=True, missing={name: key})
            except PostroomError as error:
                error.step = "state"
                states[name] = replace(state, position=_position(values, {}).anew(), trouble=error)
        return states

    def take_lease(self, state: MailboxState, *, owner: str, now: datetime, expires: datetime) -> Lease | None:
        """Take the mailbox; None when another holds it, or has held it since `state` was read."""
        was = state.lease.token if state.lease else 0
        lease = Lease(mailbox=state.mailbox, token=was + 1, owner=owner, expires=expires)
        values: dict[str, Any] = {":token": lease.token, ":owner": owner, ":until": _milliseconds(expires)}
        if was:
            values |= {":was": was, ":now": _milliseconds(now), ":never": _milliseconds(now + LONGEST_LEASE)}
        try:
            with aws_errors("taking the lease", on=state.mailbox):
                self._client.update_item(
                    TableName=self._table,
                    Key=items.marshal(keys.mailbox_state(state.mailbox)),
                    UpdateExpression="SET #token = :token, #owner = :owner, #until = :until",
                    ConditionExpression=FREE if was else NEVER_TAKEN,
                    ExpressionAttributeNames=_NAMES,
                    ExpressionAttributeValues=items.marshal(values),
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            # A lost answer that botocore repeated: the item shows our own token, so the lease is ours.
            answer: Any = error.response
            there = items.unmarshal(answer.get("Item", {}))
            return lease if (there.get("token"), there.get("owner")) == (lease.token, owner) else None
        return lease

    def save(self, lease: Lease, state: MailboxState, *, release: bool) -> None:
        """Write what the holder of the lease has done; raises LeaseLost when it is not the holder any more."""
        values, old_key = self._values(state, token=lease.token)
        if release:
            values["until"] = 0
        try:
            with aws_errors("saving the state of the mailbox", on=state.mailbox):
                self._client.update_item(
                    TableName=self._table,
                    Key=items.marshal(keys.mailbox_state(state.mailbox)),
                    ConditionExpression=MINE,
                    **_update(values, {":token": lease.token, ":owner": lease.owner}),
                )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            raise LeaseLost("Another poller has taken this mailbox over", on=state.mailbox) from error
        if old_key and old_key != values["ids_key"]:
            with contextlib.suppress(PostroomError):  # it lies there in vain, and nothing else is wrong
                self._contents.delete(old_key)

    def stored(self, mailbox: str, series: str) -> Container[str]:
        """Read which ids of a series were stored while mail was to stay on the server."""
        return self._records.read(mailbox, series)

    def add_stored(self, mailbox: str, series: str, ids: Collection[str]) -> None:
        """Note that these are stored."""
        self._records.add(mailbox, series, ids)

    def save_health(self, mailbox: str, health: Health, *, config_digest: str) -> None:
        """Write the health alone, without a lease (a failed look)."""
        with aws_errors("saving the health of the mailbox", on=mailbox):
            self._client.update_item(
                TableName=self._table,
                Key=items.marshal(keys.mailbox_state(mailbox)),
                **_update({"health": _health_values(health), "digest": config_digest}, {}, names={}),
            )

    def _values(self, state: MailboxState, *, token: int) -> tuple[dict[str, Any], str | None]:
        """Turn a state into attributes (None removes one), and name the shelved ids that it replaces."""
        position = state.position or Position()
        ids = _id_values(position)
        packed = items.pack(ids) if ids else None
        key = None
        old_key, _ids = self._shelved.get(state.mailbox, (None, None))
        if packed is not None and len(packed) > INLINE:
            digest = hashlib.sha256(packed).hexdigest()
            if old_key and old_key.endswith(digest):
                key = old_key
            else:
                # Never a key that was used before: whoever replaced that may be about to remove it.
                key = f"positions/{state.mailbox}/{token}-{digest}"
                self._contents.put(key, packed, content_type="application/zlib")
                self._shelved[state.mailbox] = (key, ids)
            packed = None
        else:
            self._shelved.pop(state.mailbox, None)
        values: dict[str, Any] = {
            "ids": packed,
            "ids_key": key,
            "books": _balances(state.balances),
            "waiting": keys.moment(state.waiting) if state.waiting else None,
            "traffic": _traffic(state.traffic),
            "health": _health_values(state.health),
            "digest": state.config_digest,
            "anew": f"{keys.moment(state.begun_anew[0])} {state.begun_anew[1]}" if state.begun_anew else None,
        }
        if state.position is not None:
            values |= {
                "epoch": position.epoch,
                "floor": position.floor or None,
                "cursor": position.cursor or None,
                "connected": keys.moment(position.connected) if position.connected else None,
                "catching_up": position.catching_up or None,
                "place": position.place or None,
                "kept": position.kept or None,
                "exists": position.exists,
                "compared": keys.moment(position.compared) if position.compared else None,
                "restored": position.restored or None,
                "origin": position.origin or None,
            }
        return values, old_key

    def _ids(self, name: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what is remembered of single mails; NotFound when it is not where it was put, or is damaged."""
        if "ids_key" not in values:
            # What we shelved may have been replaced by another poller, and removed: it is to be put anew.
            self._shelved.pop(name, None)
            return dict(items.unpack(values["ids"])) if "ids" in values else {}
        key, ids = self._shelved.get(name, ("", {}))
        if key != values["ids_key"]:
            key = values["ids_key"]
            try:
                ids = dict(items.unpack(self._contents.get(key)))
            except Transient as error:
                # S3 denies a missing object as it denies all others, to whoever may not list the bucket.
                if error.code != "aws_denied" or self._contents.holds(key):
                    raise
                raise NotFound(f"The object {key} is missing", on=name) from error
            except NotFound as error:
                raise NotFound(f"The object {key} is missing", on=name) from error
            except (zlib.error, ValueError, TypeError) as error:
                raise NotFound(f"The object {key} is damaged", on=name) from error
            self._shelved[name] = (key, ids)
        return dict(ids)


def _read(name: str, values: Mapping[str, Any]) -> MailboxState:
    """Read everything but the position."""
    lease = None
    if "token" in values:
        expires = datetime.fromtimestamp(values["until"] / 1000, UTC)
        lease = Lease(mailbox=name, token=values["token"], owner=values["owner"], expires=expires)
    anew, _, why = values.get("anew", "").partition(" ")
    return MailboxState(
        mailbox=name,
        health=_read_health(values.get("health", {})),
        lease=lease,
        balances=_read_balances(values.get("books", "")),
        waiting=keys.parse_moment(values["waiting"]) if "waiting" in values else None,
        traffic=_read_traffic(values.get("traffic", "")),
        config_digest=values.get("digest", ""),
        begun_anew=(keys.parse_moment(anew), why) if anew else None,
    )


def _position(values: Mapping[str, Any], ids: Mapping[str, Any]) -> Position:
    return Position(
        epoch=values["epoch"],
        floor=values.get("floor", ""),
        cursor=values.get("cursor", ""),
        known=frozenset(ids.get("known", ())),
        problems=dict(ids.get("problems", {})),
        trying={one: Trying(*map(_moment, parts)) for one, parts in ids.get("trying", {}).items()},
        acknowledged=frozenset(ids.get("acknowledged", ())),
        reasons=dict(ids.get("reasons", {})),
        asides={one: _read_aside(parts) for one, parts in ids.get("asides", {}).items()},
        prints=_read_prints(ids.get("known", ()), ids.get("prints", "")),
        connected=keys.parse_moment(values["connected"]) if "connected" in values else None,
        catching_up=values.get("catching_up", False),
        place=values.get("place", ""),
        records={one: Record(size, date) for one, (size, date) in ids.get("records", {}).items()},
        kept=values.get("kept", ""),
        exists=values.get("exists"),
        compared=keys.parse_moment(values["compared"]) if "compared" in values else None,
        restored=values.get("restored", 0),
        seen=_read_seen(ids),
        origin=values.get("origin", ""),
    )


def _id_values(position: Position) -> dict[str, Any]:
    """Write what a position says of single mails; nothing where it says nothing."""
    asides = {
        one: (aside.why, aside.done, aside.refused, aside.due and int(aside.due.timestamp()), aside.reason)
        for one, aside in position.asides.items()
    }
    ids = {
        "known": sorted(position.known),
        "problems": position.problems,
        "trying": {one: (_seconds(its.since), _seconds(its.last)) for one, its in position.trying.items()},
        "acknowledged": sorted(position.acknowledged),
        "reasons": position.reasons,
        "asides": asides,
        "records": {one: (record.size, record.date) for one, record in position.records.items()},
        "prints": "".join(position.prints.get(one, NO_PRINT) for one in sorted(position.known))
        if position.prints
        else "",
        "seen": _seen(position),
    }
    return {name: value for name, value in ids.items() if value}


def _read_prints(known: Sequence[str], text: str) -> dict[str, str]:
    size = len(NO_PRINT)
    prints = (text[at : at + size] for at in range(0, len(text), size))
    return {one: mark for one, mark in zip(known, prints, strict=False) if mark != NO_PRINT}


def _seen(position: Position) -> str:
    """Write which of the ids a comparison has found: a bit for each in order, as hexadecimal digits."""
    if not position.seen:
        return ""
    bits = "".join("1" if one in position.seen else "0" for one in sorted(position.known | position.problems.keys()))
    return f"{int(f'1{bits}', 2):x}"  # the leading bit keeps the zeros


def _read_seen(ids: Mapping[str, Any]) -> frozenset[str]:
    written = ids.get("seen", "")
    if not written:
        return frozenset()
    there = sorted({*ids.get("known", ()), *ids.get("problems", {})})
    return frozenset(one for one, bit in zip(there, f"{int(written, 16):b}"[1:], strict=False) if bit == "1")


def _read_aside(parts: Sequence[Any]) -> Aside:
    why, done, refused, due, reason = parts
    return Aside(LeftAlone(why), done, refused, None if due is None else datetime.fromtimestamp(due, UTC), reason)


def _update(
    values: Mapping[str, Any], bound: Mapping[str, Any], *, names: Mapping[str, str] = _NAMES
) -> dict[str, Any]:
    """Write an update expression that sets what has a value and removes what is None."""
    given = {name: value for name, value in values.items() if value is not None}
    gone = [name for name, value in values.items() if value is None]
    expression = "SET " + ", ".join(f"#{name} = :set_{name}" for name in given)
    if gone:
        expression += " REMOVE " + ", ".join(f"#{name}" for name in gone)
    used = {f"#{name}": name for name in values} | {k: v for k, v in names.items() if k != "#until"}
    return {
        "UpdateExpression": expression,
        "ExpressionAttributeNames": used,
        "ExpressionAttributeValues": items.marshal({**{f":set_{n}": v for n, v in given.items()}, **bound}),
    }


def _health_values(health: Health) -> dict[str, Any]:
    """Write only what is not the default: a healthy mailbox takes two attributes."""
    times = {"since": health.since, "next_try": health.next_try, "last_success": health.last_success}
    texts = {"step": health.step, "code": health.code, "reason": health.reason, "remedy": health.remedy}
    return {
        "state": health.state.value,
        **{name: text for name, text in texts.items() if text},
        **{name: keys.moment(at) for name, at in times.items() if at},
        **({"failures": health.failures} if health.failures else {}),
    }


def _read_health(values: Mapping[str, Any]) -> Health:
    def at(name: str) -> datetime | None:
        return keys.parse_moment(values[name]) if name in values else None

    return Health(
        state=HealthState(values.get("state", HealthState.ACTIVE.value)),
        step=values.get("step", ""),
        code=values.get("code", ""),
        reason=values.get("reason", ""),
        remedy=values.get("remedy", ""),
        since=at("since"),
        failures=values.get("failures", 0),
        next_try=at("next_try"),
        last_success=at("last_success"),
    )


def _balances(balances: Sequence[tuple[datetime, Balance]]) -> str | None:
    """Write balances as text, `<epoch seconds>:listed/stored/known/oversize/problem/left`, a space between two."""
    return (
        " ".join(
            f"{int(at.timestamp())}:{b.listed}/{b.stored}/{b.known}/{b.oversize}/{b.problem}/{b.left}"
            for at, b in balances
        )
        or None
    )


def _read_balances(text: str) -> tuple[tuple[datetime, Balance], ...]:
    read = []
    for part in text.split():
        at, _, counts = part.partition(":")
        listed, stored, known, oversize, problem, left = map(int, counts.split("/"))
        balance = Balance(listed=listed, stored=stored, known=known, oversize=oversize, problem=problem, left=left)
        read.append((datetime.fromtimestamp(int(at), UTC), balance))
    return tuple(read)


def _traffic(months: Sequence[Traffic]) -> str | None:
    """Write counts as text, `<epoch seconds>:fetches/mails/bytes`, a space between two months."""
    return " ".join(f"{int(m.since.timestamp())}:{m.fetches}/{m.mails}/{m.size}" for m in months) or None


def _read_traffic(text: str) -> tuple[Traffic, ...]:
    read = []
    for part in text.split():
        since, _, counts = part.partition(":")
        fetches, mails, size = map(int, counts.split("/"))
        read.append(Traffic(datetime.fromtimestamp(int(since), UTC), fetches=fetches, mails=mails, size=size))
    return tuple(read)


def _seconds(at: datetime) -> int:
    return int(at.timestamp())


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)
