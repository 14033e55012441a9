"""Writes and reads a case as an item: what lists show lies in one map `card`, the rest beside it.

An ordinary new case is within one write unit (1 KB): what is empty is left out, and the subject is cut for lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from postroom.adapters.dynamo import items, keys
from postroom.mail.headers import address_key
from postroom.model.case import (
    Case,
    CaseAnswer,
    CaseCounts,
    CaseEvent,
    CaseRow,
    CaseState,
    ListKind,
    Wait,
    due,
    list_of,
    parse_case_number,
    urgency,
)

VERSION = "version"
_LONGEST_SUBJECT = 160  # bytes

_READ = frozenset(
    {
        *(keys.PK, keys.SK, keys.MESSAGE_ID_PK, keys.LIST_PK, keys.LIST_SK, keys.DUE_PK, keys.DUE_SK),
        *(keys.CUSTOMER_PK, keys.CUSTOMER_SK, "card", VERSION, "mv", "mailbox", "dep", "weight", "last", "claimed"),
        *("acted", "idle", "wait", "answer", "no_answer", "into", "continues", "by", "cat", "fields", "counts"),
        *("mails", "reports", "events"),
    }
)


def case_item(case: Case) -> items.Item:
    """Write a case as an item with the keys of its lists."""
    subject = items.shorten(case.subject, _LONGEST_SUBJECT)
    card = {
        "state": case.state.value,
        "queue": case.queue,
        "subject": subject,
        "customer": items.shorten(case.customer, 254),
        "created": keys.milliseconds(case.created),
        "enqueued": keys.milliseconds(case.enqueued),
        "prio": case.priority or None,
        "agent": case.agent or None,
        "due": _time(due(case)) if case.state is CaseState.PENDING else None,
        "unread": True if case.unread else None,
        "top": case.attention or None,
        "tags": case.tags,
        "mails": case.counts.mails,
        "code": case.close_code or None,
        "closed": _time(case.closed),
    }
    values: dict[str, Any] = {
        **keys.case(case.id),
        **_places(case),
        "card": _full(card),
        VERSION: case.version,
        "mv": case.mails_version,
        "mailbox": case.mailbox,
        "dep": case.department,
        "weight": case.weight if case.weight != 1 else None,
        "last": case.last_agent if case.last_agent != case.agent else None,
        "claimed": _time(case.claimed),
        "acted": _time(case.acted),
        "idle": round(case.idle_after.total_seconds()) if case.idle_after else None,
        "wait": _full({"until": _time(case.wait.until), "reply": case.wait.wake_on_reply}) if case.wait else None,
        "answer": _answer(case.answer),
        "no_answer": True if case.no_answer else None,
        "into": case.merged_into or None,
        "continues": case.continues or None,
        "by": case.continued_by or None,
        "cat": case.category or None,
        "fields": dict(case.fields) or None,
        "counts": [
            case.counts.inbound,
            case.counts.replies,
            case.counts.reopened,
            case.counts.transfers,
        ],
        "mails": list(case.mails),
        "reports": list(case.reports) or None,
        "events": [event_values(event) for event in case.events],
    }
    return {**items.marshal(values), **case.unknown}


def read_case(item: Mapping[str, Any]) -> Case:
    """Read a case from its item; attributes of a later version are kept, and written again as they are."""
    values = items.unmarshal({name: value for name, value in item.items() if name in _READ})
    card, wait, answer = values["card"], values.get("wait"), values.get("answer")
    inbound, replies, reopened, transfers = values["counts"]
    agent = card.get("agent", "")
    return Case(
        id=values[keys.PK].removeprefix("C#"),
        mailbox=values["mailbox"],
        queue=card["queue"],
        department=values["dep"],
        subject=card["subject"],
        customer=card["customer"],
        created=keys.from_milliseconds(card["created"]),
        enqueued=keys.from_milliseconds(card["enqueued"]),
        state=CaseState(card["state"]),
        version=values[VERSION],
        mails_version=values["mv"],
        priority=card.get("prio", 0),
        weight=values.get("weight", 1),
        agent=agent,
        last_agent=values.get("last", agent),
        claimed=_maybe(values.get("claimed")),
        acted=_maybe(values.get("acted")),
        idle_after=timedelta(seconds=values["idle"]) if "idle" in values else None,
        unread=card.get("unread", False),
        attention=card.get("top", ""),
        wait=Wait(_maybe(wait.get("until")), wait["reply"]) if wait else None,
        answer=CaseAnswer(answer["id"], answer["mv"], answer.get("close", False), answer.get("code", ""), answer["out"])
        if answer
        else None,
        close_code=card.get("code", ""),
        closed=_maybe(card.get("closed")),
        no_answer=values.get("no_answer", False),
        merged_into=values.get("into", ""),
        continues=values.get("continues", ""),
        continued_by=values.get("by", ""),
        category=values.get("cat", ""),
        tags=card.get("tags", frozenset()),
        fields=values.get("fields", {}),
        counts=CaseCounts(card["mails"], inbound, replies, reopened, transfers),
        mails=tuple(values["mails"]),
        reports=tuple(values.get("reports", ())),
        events=tuple(read_event(one) for one in values["events"]),
        unknown={name: value for name, value in item.items() if name not in _READ},
    )


def read_row(item: Mapping[str, Any]) -> CaseRow:
    """Read a row of a list from what the index holds of a case."""
    values = items.unmarshal({name: item[name] for name in (keys.PK, "card", VERSION) if name in item})
    card = values["card"]
    return CaseRow(
        id=values[keys.PK].removeprefix("C#"),
        state=CaseState(card["state"]),
        version=values.get(VERSION, 0),
        subject=card["subject"],
        customer=card["customer"],
        queue=card["queue"],
        created=keys.from_milliseconds(card["created"]),
        enqueued=keys.from_milliseconds(card["enqueued"]),
        priority=card.get("prio", 0),
        agent=card.get("agent", ""),
        due=_maybe(card.get("due")),
        unread=card.get("unread", False),
        attention=card.get("top", ""),
        tags=card.get("tags", frozenset()),
        mails=card["mails"],
        close_code=card.get("code", ""),
        order=item[keys.LIST_SK]["S"],
    )


def event_values(event: CaseEvent) -> list[Any]:
    """Write one entry of a history."""
    return [event.version, keys.milliseconds(event.at), event.what, event.who, event.detail]


def read_event(values: list[Any]) -> CaseEvent:
    """Read one entry of a history."""
    version, at, what, who, detail = values
    return CaseEvent(version, keys.from_milliseconds(at), what, who, detail)


def _places(case: Case) -> dict[str, Any]:
    listed, moment, word = list_of(case), due(case), parse_case_number(case.number) or ""
    customer = address_key(case.customer) if case.customer else ""
    return {
        keys.MESSAGE_ID_PK: keys.number(word),
        keys.LIST_PK: keys.case_list(listed) if listed else None,
        keys.LIST_SK: _order(case, listed.kind) if listed else None,
        keys.DUE_PK: keys.due_list(case.id) if moment else None,
        keys.DUE_SK: keys.listed(moment, case.id) if moment else None,
        keys.CUSTOMER_PK: keys.customer_list(customer) if customer else None,
        keys.CUSTOMER_SK: keys.listed(case.created, case.id) if customer else None,
    }


_NEVER = datetime(9999, 1, 1, tzinfo=UTC)


def _order(case: Case, kind: ListKind) -> str:
    if kind is ListKind.CLOSED:
        return keys.listed(case.closed or case.created, case.id)
    if kind is ListKind.PENDING:
        until = case.wait.until if case.wait and case.wait.until else _NEVER
        return keys.listed(until, case.id)
    return keys.case_order(urgency(case), case.id, on_top=bool(case.attention))


def _answer(answer: CaseAnswer | None) -> dict[str, Any] | None:
    if answer is None:
        return None
    return _full(
        {
            "id": answer.outbound,
            "mv": answer.mails_version,
            "close": True if answer.close_after else None,
            "code": answer.code or None,
            "out": answer.outcome,
        }
    )


def _full(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _time(at: datetime | None) -> int | None:
    return None if at is None else keys.milliseconds(at)


def _maybe(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else keys.from_milliseconds(milliseconds)
