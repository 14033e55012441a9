"""Reads and writes interactions as items: what is listed or indexed lies open, the rest in one compressed blob.

The blob (zlib over JSON) is what keeps an ordinary mail's item within two write units. A body whose compressed form is
over BODY_LIMIT goes to the content bucket, since from there on S3 is the cheaper place and 400 KB the end of an item.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from postroom.adapters.dynamo import keys
from postroom.mail.headers import Address, address_key, parse_addresses
from postroom.model import (
    AtRecipient,
    Attachment,
    Body,
    Delivery,
    Direction,
    Event,
    Interaction,
    InteractionRef,
    Outbound,
    OutboundFile,
    OutboxState,
    Status,
    Subtype,
    event_kind,
    in_place_of_id,
    stored_decision,
)

BODY_LIMIT = 4096  # bytes, compressed
INTERACTION_LIMIT = 380_000  # bytes; DynamoDB takes 400 KB
TOO_LARGE = "The mail's subject, addresses and names of files are too large to be kept"
OUTBOUND_LIMIT = 230_000
"""Bytes of an outbound mail's item when it is written: what is left to 400 KB is for its history and its reports."""
_LONGEST_SAID = 300  # bytes of what a server said of one recipient
_MOST_PEOPLE = 30
_LONGEST_SUBJECT = 400  # bytes kept open for lists; the whole subject is in the blob

Item = dict[str, Any]


def marshal(values: Mapping[str, Any]) -> Item:
    """Turn plain values into DynamoDB's attribute values; None and empty sets are left out."""
    return {name: _typed(value) for name, value in values.items() if value is not None and value != frozenset()}


def unmarshal(item: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Turn DynamoDB's attribute values into plain ones."""
    return {name: _plain(value) for name, value in item.items()}


def _typed(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": value}
        case int():
            return {"N": str(value)}
        case bytes():
            return {"B": value}
        case frozenset() | set():
            return {"SS": sorted(value)}
        case list() | tuple():
            return {"L": [_typed(part) for part in value]}
        case dict():
            return {"M": marshal(value)}
    raise TypeError(f"{type(value).__name__} has no attribute type")


def _plain(value: Mapping[str, Any]) -> Any:
    (kind, content), *_ = value.items()
    match kind:
        case "N":
            return int(content)
        case "L":
            return [_plain(part) for part in content]
        case "M":
            return unmarshal(content)
        case "SS":
            return frozenset(content)
        case "NULL":
            return None
    return content


def size(item: Mapping[str, Any]) -> int:
    """Estimate the bytes of an item as DynamoDB counts them: names and values."""
    return sum(len(name) + _value_size(value) for name, value in item.items())


def _value_size(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S" | "N":
            return len(content.encode())
        case "B":
            return len(content)
        case "SS":
            return sum(len(part.encode()) for part in content)
        case "L":
            return 3 + sum(1 + _value_size(part) for part in content)
        case "M":
            return 3 + size(content)
    return 1


def pack(value: Any) -> bytes:
    """Compress JSON."""
    return zlib.compress(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"), 6)


def unpack(blob: bytes) -> Any:
    """Read what `pack` wrote."""
    return json.loads(zlib.decompress(bytes(blob)))


def interaction_item(interaction: Interaction, body: bytes | None, body_key: str | None) -> Item:
    """Write an inbound interaction as an item; `body` is packed, or lies in the content bucket under `body_key`."""
    member = interaction.thread_id != interaction.id
    listed = keys.listed(interaction.created, interaction.id)
    people = {address_key(address.address) for address in _addresses(interaction)}
    detail = {
        "to": _pairs(interaction.to),
        "cc": _pairs(interaction.cc),
        "reply_to": _pairs(interaction.reply_to),
        "from": _pairs([interaction.sender] if interaction.sender else []),
        "subject": interaction.subject,
        "date": _written(interaction.date),
        "server_date": _written(interaction.server_date),
        "attachments": [_attachment_values(attachment) for attachment in interaction.attachments],
        "decisions": [[decision.rule, decision.outcome, decision.detail] for decision in interaction.decisions],
        "attributes": dict(interaction.attributes),
        "preview": interaction.preview,
        **({"stable": interaction.stable_digest} if interaction.stable_digest else {}),
        **({"series": interaction.series} if interaction.series else {}),
    }
    return marshal(
        {
            **keys.interaction(interaction.id),
            keys.MESSAGE_ID_PK: _known_by(interaction),
            keys.THREAD_PK: interaction.thread_id if member else None,
            keys.THREAD_SK: listed if member else None,
            "direction": Direction.INBOUND.value,
            "mailbox": interaction.mailbox,
            "queue": interaction.queue,
            "department": interaction.department,
            "thread": interaction.thread_id,
            "parent": interaction.parent_id,
            "subtype": interaction.subtype.value,
            "status": interaction.status.value,
            "subject": shorten(interaction.subject),
            "from": shorten(interaction.sender.address, 254) if interaction.sender else None,
            "people": frozenset(sorted(filter(None, people))[:_MOST_PEOPLE]),
            "created": keys.moment(interaction.created),
            "size": interaction.size,
            "sha256": bytes.fromhex(interaction.sha256),
            "raw": interaction.raw_key,
            "message_id": interaction.message_id,
            "wrapped": interaction.wrap_reason,
            "detail": pack(detail),
            "body": body,
            "body_key": body_key,
        }
    )


def read_interaction(item: Mapping[str, Any]) -> Interaction:
    """Read an inbound interaction from its item."""
    values = unmarshal(item)
    detail = unpack(values["detail"])
    senders = _address_tuple(detail["from"])
    return Interaction(
        id=values[keys.PK].removeprefix("I#"),
        mailbox=values["mailbox"],
        queue=values["queue"],
        department=values["department"],
        thread_id=values["thread"],
        parent_id=values.get("parent"),
        subtype=Subtype(values["subtype"]),
        status=Status(values["status"]),
        subject=detail["subject"],
        sender=senders[0] if senders else None,
        created=keys.parse_moment(values["created"]),
        size=values["size"],
        sha256=bytes(values["sha256"]).hex(),
        raw_key=values["raw"],
        message_id=values.get("message_id"),
        to=_address_tuple(detail["to"]),
        cc=_address_tuple(detail["cc"]),
        reply_to=_address_tuple(detail["reply_to"]),
        date=_read(detail["date"]),
        server_date=_read(detail["server_date"]),
        wrap_reason=values.get("wrapped"),
        attachments=tuple(_read_attachment(entry) for entry in detail["attachments"]),
        decisions=tuple(stored_decision(*entry) for entry in detail["decisions"]),
        attributes=detail["attributes"],
        preview=detail["preview"],
        stable_digest=detail.get("stable", ""),
        series=detail.get("series", ""),
    )


def outbound_item(outbound: Outbound) -> Item:
    """Write an outbound interaction as an item."""
    listed = keys.listed(outbound.created, outbound.id)
    recipients = [*outbound.to, *outbound.cc]
    member = outbound.thread_id != outbound.id
    detail = {
        "text": outbound.text,
        "html": outbound.html,
        "cc": list(outbound.cc),
        "bcc": list(outbound.bcc),
        "subject": outbound.subject,
        "in_reply_to": outbound.in_reply_to,
        "references": list(outbound.references),
        "reply_to": outbound.reply_to,
        "body_marker": outbound.body_marker,
        "files": [asdict(one) for one in outbound.files],
        "ask": [outbound.ask_read, outbound.ask_delivery],
        "decisions": [[decision.rule, decision.outcome, decision.detail] for decision in outbound.decisions],
        "attributes": dict(outbound.attributes),
    }
    return marshal(
        {
            **keys.interaction(outbound.id),
            keys.LIST_PK: keys.outbox_list(outbound.state.value),
            keys.LIST_SK: listed,
            keys.THREAD_PK: outbound.thread_id if member else None,
            keys.THREAD_SK: listed if member else None,
            "direction": Direction.OUTBOUND.value,
            "mailbox": outbound.mailbox,
            "department": outbound.department,
            "thread": outbound.thread_id,
            "parent": outbound.answers,
            "subtype": outbound.subtype.value,
            "status": Status.OUTBOUND.value,
            "subject": shorten(outbound.subject),
            "from": outbound.from_address,
            "to": list(outbound.to),
            "people": frozenset(address_key(one.address) for to in recipients for one in parse_addresses(to)),
            "created": keys.moment(outbound.created),
            "server": outbound.server,
            "state": outbound.state.value,
            "delivery": outbound.delivery.value,
            "tries": outbound.tries,
            "detail": pack(detail),
        }
    )


def read_outbound(item: Mapping[str, Any]) -> Outbound:
    """Read an outbound interaction from its item."""
    values = unmarshal(item)
    detail = unpack(values["detail"])
    return Outbound(
        id=values[keys.PK].removeprefix("I#"),
        subtype=Subtype(values["subtype"]),
        thread_id=values["thread"],
        answers=InteractionRef(values["parent"]) if "parent" in values else None,
        mailbox=values["mailbox"],
        department=values["department"],
        from_address=values["from"],
        to=tuple(values["to"]),
        cc=tuple(detail["cc"]),
        bcc=tuple(detail["bcc"]),
        subject=detail["subject"],
        text=detail["text"],
        html=detail["html"],
        created=keys.parse_moment(values["created"]),
        server=values["server"],
        in_reply_to=detail["in_reply_to"],
        references=tuple(detail["references"]),
        reply_to=detail.get("reply_to", ""),
        body_marker=detail.get("body_marker", False),
        files=tuple(OutboundFile(**one) for one in detail.get("files", ())),
        ask_read=bool(detail.get("ask", [False])[0]),
        ask_delivery=bool(detail.get("ask", [False])[-1]),
        decisions=tuple(stored_decision(*entry) for entry in detail.get("decisions", ())),
        attributes=detail["attributes"],
        state=OutboxState(values["state"]),
        delivery=Delivery(values["delivery"]),
        tries=values["tries"],
        due=keys.parse_moment(values["due"]) if "due" in values else None,
        message_id=values.get("message_id"),
        claim=values.get("claim"),
        provider_id=values.get("provider_id"),
        reason=values.get("reason", ""),
        code=values.get("code", ""),
        since=keys.parse_moment(values["since"]) if "since" in values else None,
        unrecorded=values.get("unrecorded", 0),
        acknowledged=keys.parse_moment(values["acknowledged"]) if "acknowledged" in values else None,
        remaining=tuple(values.get("remaining", ())),
        recipients=_read_recipients(values.get("recipients")),
        deliveries=read_deliveries(values.get("deliveries")),
        revision=values.get("revision", 0),
    )


def pack_recipients(recipients: Mapping[str, AtRecipient]) -> bytes:
    """Pack what became of a mail at each recipient; what servers said is cut."""
    return pack({to: [one.state.value, one.code, shorten(one.said, _LONGEST_SAID)] for to, one in recipients.items()})


def _read_recipients(blob: bytes | None) -> Mapping[str, AtRecipient]:
    if blob is None:
        return {}
    return {to: AtRecipient(OutboxState(state), code, said) for to, (state, code, said) in unpack(blob).items()}


def pack_deliveries(deliveries: Mapping[str, Delivery]) -> bytes:
    """Pack what reports say of each recipient."""
    return pack({to: delivery.value for to, delivery in sorted(deliveries.items())})


def read_deliveries(blob: bytes | None) -> Mapping[str, Delivery]:
    """Read what `pack_deliveries` wrote."""
    return {} if blob is None else {to: Delivery(delivery) for to, delivery in unpack(blob).items()}


def event_item(interaction_id: str, event: Event) -> Item:
    """Write one history entry as an item."""
    return marshal(
        {
            **keys.history(interaction_id, event.at, event.what),
            "at": keys.moment(event.at),
            "what": event.what,
            "detail": event.detail,
            "who": event.who,
        }
    )


def read_event(item: Mapping[str, Any]) -> Event:
    """Read one history entry."""
    values = unmarshal(item)
    return Event(
        at=keys.parse_moment(values["at"]),
        what=event_kind(values["what"]),
        detail=values.get("detail", ""),
        who=values["who"],
    )


def body_values(body: Body) -> bytes:
    """Pack a body."""
    return pack(asdict(body))


def read_body(blob: bytes) -> Body:
    """Read a packed body."""
    return Body(**unpack(blob))


def shorten(text: str, most: int = _LONGEST_SUBJECT) -> str:
    """Cut a text to at most so many bytes of UTF-8."""
    return text.encode("utf-8", "replace")[:most].decode("utf-8", "ignore")


def _known_by(interaction: Interaction) -> str | None:
    """Return the index key that a mail is found by: its Message-ID's, or that of what stands for one."""
    if interaction.message_id:
        return keys.message_id(interaction.message_id)
    return keys.message_id(in_place_of_id(interaction.stable_digest)) if interaction.stable_digest else None


def _addresses(interaction: Interaction) -> list[Address]:
    senders = [interaction.sender] if interaction.sender else []
    return [*senders, *interaction.reply_to, *interaction.to, *interaction.cc]


def _pairs(addresses: Any) -> list[list[str]]:
    return [[address.name, address.address] for address in addresses]


def _address_tuple(pairs: list[list[str]]) -> tuple[Address, ...]:
    return tuple(Address(name, address) for name, address in pairs)


def _attachment_values(attachment: Attachment) -> dict[str, Any]:
    values = {name: value for name, value in asdict(attachment).items() if value is not None and value is not False}
    if attachment.inline_data is not None:
        values["inline_data"] = base64.b64encode(attachment.inline_data).decode("ascii")
    return values


def _read_attachment(values: dict[str, Any]) -> Attachment:
    data = values.pop("inline_data", None)
    return Attachment(**values, inline_data=base64.b64decode(data) if data is not None else None)


def _written(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _read(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
