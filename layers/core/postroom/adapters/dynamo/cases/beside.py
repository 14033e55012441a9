"""What lies beside a case, under its key: notes, drafts of answers, and who has it open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from postroom.adapters.dynamo import aws_errors, items, keys, query_all
from postroom.model.case import (
    Doing,
    Draft,
    Note,
    Presence,
)
from postroom.ports import ErasableContents

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SAME_VERSION = "version = :version"
NOT_THERE = "attribute_not_exists(pk)"
TEXT_LIMIT = 4096  # bytes of a draft, compressed; longer ones lie in the content bucket
PRESENCE_KEPT = timedelta(minutes=10)  # then the table may forget it; readers look at its time


class DynamoCaseNotes:
    """Implements ports.CaseNotes."""

    def __init__(self, client: DynamoDBClient, table: str, contents: ErasableContents) -> None:
        self._client = client
        self._table = table
        self._contents = contents

    def notes(self, case_id: str) -> list[Note]:
        """List the notes of a case, oldest first."""
        return [read_note(item) for item in self._beside(case_id, keys.NOTE)]

    def save_note(self, note: Note, *, earlier: int) -> bool:
        """Write a note that was edited or deleted; False when it has been changed since it had `earlier` versions."""
        try:
            with aws_errors("changing the note", on=note.case):
                self._client.put_item(
                    TableName=self._table,
                    Item=note_item(note),
                    ConditionExpression="edits = :earlier",
                    ExpressionAttributeValues=items.marshal({":earlier": earlier}),
                )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def draft(self, case_id: str, agent: str) -> Draft | None:
        """Read what an agent has written; None when nothing, or it was discarded."""
        with aws_errors("reading the draft", on=case_id):
            answer = self._client.get_item(
                TableName=self._table, Key=items.marshal(keys.draft(case_id, agent)), ConsistentRead=True
            )
        return self._read_draft(answer["Item"]) if "Item" in answer else None

    def drafts(self, case_id: str) -> list[Draft]:
        """List the drafts of a case, of all agents."""
        found = (self._read_draft(item) for item in self._beside(case_id, keys.DRAFT))
        return [one for one in found if one is not None]

    def save_draft(self, draft: Draft, *, version: int) -> bool:
        """Write a draft over its version `version`; 0: there must be none. False: another was written meanwhile.

        An empty text discards it: its version is kept, so that an old one does not come back.
        """
        content = items.pack({"text": draft.text, "html": draft.html})
        body_key = None
        if len(content) > TEXT_LIMIT:
            body_key = f"bodies/drafts/{draft.case}/{keys.digest(draft.agent)}-{draft.version}"
            self._contents.put(body_key, content, content_type="application/zlib")
        item = items.marshal(
            {
                **keys.draft(draft.case, draft.agent),
                "agent": draft.agent,
                "version": draft.version,
                "saved": keys.milliseconds(draft.saved),
                "mv": draft.mails_version,
                "replies": draft.replies,
                "to": list(draft.to),
                "cc": list(draft.cc),
                "bcc": list(draft.bcc),
                "subject": draft.subject,
                "body": None if body_key else content,
                "body_key": body_key,
                "empty": True if not draft.text and not draft.html else None,
            }
        )
        # A draft that was discarded is none: the next one may begin without knowing its version.
        condition = f"{NOT_THERE} OR empty = :yes" if version == 0 else SAME_VERSION
        values = {":yes": True} if version == 0 else {":version": version}
        try:
            with aws_errors("writing the draft", on=draft.case):
                self._client.put_item(
                    TableName=self._table,
                    Item=item,
                    ConditionExpression=condition,
                    ExpressionAttributeValues=items.marshal(values),
                )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def present(self, case_id: str) -> list[Presence]:
        """List who said that he has the case open."""
        found = (items.unmarshal(item) for item in self._beside(case_id, keys.PRESENCE))
        return [
            Presence(one[keys.SK].removeprefix(keys.PRESENCE), Doing(one["doing"]), keys.from_milliseconds(one["at"]))
            for one in found
        ]

    def note_presence(self, case_id: str, presence: Presence) -> None:
        """Write down that somebody has a case open."""
        entry = {
            **keys.presence(case_id, presence.agent),
            "doing": presence.doing.value,
            "at": keys.milliseconds(presence.at),
            keys.EXPIRES: int((presence.at + PRESENCE_KEPT).timestamp()),
        }
        with aws_errors("noting who has the case open", on=case_id):
            self._client.put_item(TableName=self._table, Item=items.marshal(entry))

    def _beside(self, case_id: str, prefix: str) -> Sequence[Mapping[str, Any]]:
        return list(
            query_all(
                self._client,
                self._table,
                doing="reading what lies beside the case",
                on=case_id,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
                ExpressionAttributeValues=items.marshal({":pk": keys.case(case_id)[keys.PK], ":prefix": prefix}),
                ConsistentRead=True,
            )
        )

    def _read_draft(self, item: Mapping[str, Any]) -> Draft | None:
        values = items.unmarshal(item)
        if values.get("empty"):
            return None
        content = items.unpack(values["body"] if "body" in values else self._contents.get(values["body_key"]))
        return Draft(
            case=values[keys.PK].removeprefix("C#"),
            agent=values["agent"],
            version=values["version"],
            saved=keys.from_milliseconds(values["saved"]),
            text=content["text"],
            html=content["html"],
            mails_version=values["mv"],
            replies=values["replies"],
            to=tuple(values["to"]),
            cc=tuple(values["cc"]),
            bcc=tuple(values["bcc"]),
            subject=values["subject"],
        )


def note_item(note: Note) -> items.Item:
    """Write a note as an item."""
    return items.marshal(
        {
            **keys.note(note.case, note.at, note.id),
            "at": keys.moment(note.at),
            "who": note.who,
            "text": note.text,
            "mentions": list(note.mentions) or None,
            "edited": keys.moment(note.edited) if note.edited else None,
            "earlier": list(note.earlier) or None,
            "edits": len(note.earlier),
            "deleted": True if note.deleted else None,
        }
    )


def read_note(item: Mapping[str, Any]) -> Note:
    """Read a note from its item."""
    values = items.unmarshal(item)
    return Note(
        id=values[keys.SK].rpartition("#")[2],
        case=values[keys.PK].removeprefix("C#"),
        at=keys.parse_moment(values["at"]),
        who=values["who"],
        text=values["text"],
        mentions=tuple(values.get("mentions", ())),
        edited=keys.parse_moment(values["edited"]) if "edited" in values else None,
        earlier=tuple(values.get("earlier", ())),
        deleted=values.get("deleted", False),
    )
