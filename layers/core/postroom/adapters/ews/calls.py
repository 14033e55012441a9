"""The EWS operations that fetching needs, by exchangelib, as plain values instead of its object models."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from exchangelib.errors import ErrorFolderExists, ErrorInvalidSyncStateData
from exchangelib.extended_properties import ExtendedProperty
from exchangelib.fields import ExtendedPropertyField, FieldOrder, FieldPath
from exchangelib.folders import Folder
from exchangelib.items import (
    ALL_OCCURRENCES,
    ALWAYS_OVERWRITE,
    HARD_DELETE,
    ID_ONLY,
    SAVE_ONLY,
    SEND_TO_NONE,
    SHALLOW,
    Message,
)
from exchangelib.properties import FolderId, ItemId
from exchangelib.services import (
    CreateFolder,
    DeleteItem,
    FindFolder,
    FindItem,
    GetFolder,
    GetItem,
    MoveItem,
    SyncFolderItems,
    UpdateItem,
)
from exchangelib.util import MNS, TNS, add_xml_child, create_element

from postroom.adapters.ews.connection import OLDER, Link
from postroom.adapters.ews.errors import GONE
from postroom.errors import ServerMisbehaved

PAGE = 1_000  # items; what Exchange gives at most in one answer
CHANGES = 512  # the same for SyncFolderItems
AT_ONCE = 100  # ids in one request that marks, moves or deletes
INBOX = "inbox"


@dataclass(frozen=True, slots=True)
class Row:
    """One item of a folder as FindItem shows it; `read` None: of a kind that knows no reading."""

    id: str
    size: int | None
    received: datetime | None
    read: bool | None
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class Changes:
    """What has happened to a folder, the last word on each id; None: it is gone. `state`: what to ask with next."""

    items: Mapping[str, Row | None]
    state: str
    whole: bool  # False: there are more


class StateLost(Exception):
    """The server does not know its own state any more."""


class _TransportHeaders(ExtendedProperty):  # type: ignore[misc]  # exchangelib has no types
    """PidTagTransportMessageHeaders: the header section as it came in, unparsed."""

    property_tag = 0x007D
    property_type = "String"


def _path(name: str) -> Any:
    return FieldPath(field=Message.get_field_by_fieldname(name))


_DISPLAY_NAME = FieldPath(field=Folder.get_field_by_fieldname("name"))
_LISTED = [_path(name) for name in ("size", "datetime_received", "is_read", "message_id")]
_HEADERS = [
    FieldPath(field=ExtendedPropertyField("transport_headers", value_cls=_TransportHeaders)),
    *(_path(name) for name in ("headers", "subject", "datetime_sent", "sender", "message_id")),
]
MIME = [_path("mime_content")]


class Plain:
    """Lets a service hand out the XML elements of the answer; its object models would be made for nothing."""

    account: Any

    def _elems_to_objs(self, elements: Any) -> Any:
        return elements

    def _api_versions_to_try(self) -> list[str]:
        """Try the version that is spoken, and where the server does not know it, the older ones."""
        schemas = [version.api_version for version in OLDER]
        return schemas[schemas.index(self.account.version.api_version) :]


class _GetFolder(Plain, GetFolder):  # type: ignore[misc]
    def get_payload(self, folders: Sequence[str | None], additional_fields: Any, shape: str) -> Any:
        """Ask for the Inbox of these mailboxes; None: of whoever has logged in, which exchangelib does not foresee."""
        payload = super().get_payload([], additional_fields, shape)
        for owner in folders:
            folder = create_element("t:DistinguishedFolderId", attrs={"Id": INBOX})
            if owner:
                mailbox = create_element("t:Mailbox")
                add_xml_child(mailbox, "t:EmailAddress", owner)
                folder.append(mailbox)
            payload[-1].append(folder)
        return payload


class _FindItem(Plain, FindItem):  # type: ignore[misc]
    pass


class _GetItem(Plain, GetItem):  # type: ignore[misc]
    pass


class _DeleteItem(Plain, DeleteItem):  # type: ignore[misc]
    pass


class _MoveItem(Plain, MoveItem):  # type: ignore[misc]
    pass


class _UpdateItem(Plain, UpdateItem):  # type: ignore[misc]
    pass


class _SyncFolderItems(Plain, SyncFolderItems):  # type: ignore[misc]
    def _get_element_container(self, message: Any, name: str | None = None) -> Any:
        """Find the changes, and the state beside them, which an answer with an error need not have."""
        found = super(SyncFolderItems.__base__, self)._get_element_container(message, name)
        self.sync_state = message.findtext(f"{{{MNS}}}SyncState") or ""
        self.includes_last_item_in_range = _truth(message.findtext(f"{{{MNS}}}IncludesLastItemInRange"))
        return found


class _FindFolder(Plain, FindFolder):  # type: ignore[misc]
    def below(self, parent: str) -> Any:
        """Find the folders right below one."""
        return self._paged_call(
            payload_func=self.get_payload,
            max_items=None,
            folders=[FolderId(id=parent)],
            additional_fields=[_DISPLAY_NAME],
            restriction=None,
            shape=ID_ONLY,
            depth="Shallow",
            page_size=self.page_size,
            offset=0,
        )


class _CreateFolder(Plain, CreateFolder):  # type: ignore[misc]
    def get_payload(self, folders: Sequence[str], parent_folder: Any) -> Any:
        """Write the request; FolderClass comes before DisplayName in the schema (BaseFolderType)."""
        payload = super().get_payload([], parent_folder)
        for name in folders:
            folder = create_element("t:Folder")
            add_xml_child(folder, "t:FolderClass", "IPF.Note")
            add_xml_child(folder, "t:DisplayName", name)
            payload[-1].append(folder)
        return payload


class Exchange:
    """The operations, on one login. What the server refuses is raised as the errors of errors.py."""

    def __init__(self, link: Link) -> None:
        self.link = link

    def inbox(self) -> str:
        """Return the id of the mailbox's Inbox."""
        account = self.link.account
        owner = account.primary_smtp_address if account.shared else None
        service = _GetFolder(account=account)
        (found,) = self._checked(service.call(folders=[owner], additional_fields=None, shape=ID_ONLY))
        return _id_of(found, "FolderId")

    def subfolder(self, parent: str, name: str) -> str | None:
        """Return the id of the folder of that name right below another; Exchange does not tell case apart."""
        wanted = name.casefold()
        for found in self._checked(_FindFolder(account=self.link.account, page_size=PAGE).below(parent)):
            if (found.findtext(f"{{{TNS}}}DisplayName") or "").casefold() == wanted:
                return _id_of(found, "FolderId")
        return None

    def create_folder(self, parent: str, name: str) -> str | None:
        """Make a folder for mail; None when another has just made it."""
        service = _CreateFolder(account=self.link.account)
        for found in service.call(parent_folder=FolderId(id=parent), folders=[name]):
            if isinstance(found, ErrorFolderExists):
                return None
            return _id_of(self._check(found), "FolderId")
        return None

    def rows(self, folder: str) -> Iterator[Row]:
        """List a folder, oldest first, page by page."""
        service = _FindItem(account=self.link.account, page_size=PAGE)
        found = service.call(
            folders=[FolderId(id=folder)],
            additional_fields=_LISTED,
            restriction=None,
            order_fields=[FieldOrder(field_path=_path("datetime_received"), reverse=False)],
            shape=ID_ONLY,
            query_string=None,
            depth=SHALLOW,
            calendar_view=None,
            max_items=None,
            offset=0,
        )
        yield from map(_row, self._checked(found))

    def newest(self, folder: str, most: int) -> list[Row]:
        """List the newest items of a folder, oldest first."""
        service = _FindItem(account=self.link.account, page_size=most)
        found = service.call(
            folders=[FolderId(id=folder)],
            additional_fields=_LISTED,
            restriction=None,
            order_fields=[FieldOrder(field_path=_path("datetime_received"), reverse=True)],
            shape=ID_ONLY,
            query_string=None,
            depth=SHALLOW,
            calendar_view=None,
            max_items=most,
            offset=0,
        )
        return [_row(one) for one in self._checked(found)][::-1]

    def changes(self, folder: str, state: str, *, pages: int | None = None) -> Changes:
        """Tell what has happened since the server gave this state; an empty one: all there is. Raises StateLost."""
        items: dict[str, Row | None] = {}
        whole = False
        while not whole and (pages is None or pages > 0):
            service = _SyncFolderItems(account=self.link.account)
            found = service.call(
                folder=FolderId(id=folder),
                shape=ID_ONLY,
                additional_fields=_LISTED,
                sync_state=state,
                ignore=None,
                max_changes_returned=CHANGES,
                sync_scope=None,
            )
            try:
                for change in self._checked(found):
                    _take_change(change, items)
            except ErrorInvalidSyncStateData as error:
                if not state:
                    raise
                raise StateLost from error
            whole = service.includes_last_item_in_range is not False
            if not service.sync_state or (not whole and service.sync_state == state):
                raise ServerMisbehaved("The server tells changes without an end", on=self.link.on, step="list")
            state = service.sync_state
            pages = None if pages is None else pages - 1
        return Changes(items, state, whole)

    def header_fields(self, item: str) -> tuple[str, list[tuple[str, str]]]:
        """Return the header section as it came in, and as the server took it apart; either may be empty."""
        service = _GetItem(account=self.link.account)
        (found,) = self._checked(service.call(items=[ItemId(id=item)], additional_fields=_HEADERS, shape=ID_ONLY))
        parsed = [
            (one.get("HeaderName", ""), one.text or "")
            for one in found.iterfind(f"{{{TNS}}}InternetMessageHeaders/{{{TNS}}}InternetMessageHeader")
        ]
        if not parsed:  # sent from within: it never had a header section
            sender = found.findtext(f"{{{TNS}}}Sender/{{{TNS}}}Mailbox/{{{TNS}}}EmailAddress")
            said = {
                "From": f"<{sender}>" if sender and "@" in sender else None,
                "Date": _as_date(_moment(found.findtext(f"{{{TNS}}}DateTimeSent"))),
                "Subject": found.findtext(f"{{{TNS}}}Subject"),
                "Message-ID": found.findtext(f"{{{TNS}}}InternetMessageId"),
            }
            parsed = [(name, value) for name, value in said.items() if value]
        return found.findtext(f"{{{TNS}}}ExtendedProperty/{{{TNS}}}Value") or "", parsed

    def mark_read(self, ids: Sequence[str]) -> None:
        """Mark items read, without the receipts that senders may have asked for."""
        self._in_parts(
            ids,
            lambda part: _UpdateItem(account=self.link.account).call(
                items=[(Message(id=one, is_read=True), ["is_read"]) for one in part],
                conflict_resolution=ALWAYS_OVERWRITE,
                message_disposition=SAVE_ONLY,
                send_meeting_invitations_or_cancellations=SEND_TO_NONE,
                suppress_read_receipts=True,
            ),
        )

    def delete(self, ids: Sequence[str]) -> None:
        """Delete items for good."""
        self._in_parts(
            ids,
            lambda part: _DeleteItem(account=self.link.account).call(
                items=[ItemId(id=one) for one in part],
                delete_type=HARD_DELETE,
                send_meeting_cancellations=SEND_TO_NONE,
                affected_task_occurrences=ALL_OCCURRENCES,
                suppress_read_receipts=True,
            ),
        )

    def move(self, ids: Sequence[str], folder: str) -> None:
        """Move items into a folder of the same mailbox."""
        self._in_parts(
            ids,
            lambda part: _MoveItem(account=self.link.account).call(
                items=[ItemId(id=one) for one in part], to_folder=FolderId(id=folder)
            ),
        )

    def _in_parts(self, ids: Sequence[str], call: Callable[[Sequence[str]], Any]) -> None:
        """Do something with all items; what is gone is done. Of the others' errors, the first is raised at the end."""
        failure: Exception | None = None
        for start in range(0, len(ids), AT_ONCE):
            for found in call(ids[start : start + AT_ONCE]):
                if isinstance(found, Exception) and type(found).__name__ not in GONE:
                    failure = failure or found
        if failure is not None:
            self._check(failure)

    def _checked(self, results: Any) -> Iterator[Any]:
        for found in results:
            yield self._check(found)

    def _check(self, found: Any) -> Any:
        if isinstance(found, Exception):
            raise self.link.refused(type(found).__name__, str(found)) from found
        return found


def _row(element: Any) -> Row:
    return Row(
        id=_id_of(element, "ItemId"),
        size=_number(element.findtext(f"{{{TNS}}}Size")),
        received=_moment(element.findtext(f"{{{TNS}}}DateTimeReceived")),
        read=_truth(element.findtext(f"{{{TNS}}}IsRead")),
        message_id=element.findtext(f"{{{TNS}}}InternetMessageId") or "",
    )


def _take_change(change: Any, items: dict[str, Row | None]) -> None:
    """Enter one change; Update and ReadFlagChange may speak of what another change has told before."""
    match change.tag.removeprefix(f"{{{TNS}}}"):
        case "Delete":
            items[_id_of(change, "ItemId")] = None
        case "ReadFlagChange":
            row = _row(change)
            before = items.get(row.id)
            items[row.id] = replace(before, read=row.read) if before else row
        case _:  # Create and Update hold the item
            row = _row(change[0])
            items[row.id] = row


def _id_of(element: Any, name: str) -> str:
    found: str = element.find(f"{{{TNS}}}{name}").get("Id")
    if not found:
        raise ValueError(f"an empty {name}")
    return found


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None


def _truth(text: str | None) -> bool | None:
    return None if text is None else text.strip().lower() in ("true", "1")


def _moment(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _as_date(moment: datetime | None) -> str | None:
    return format_datetime(moment) if moment else None
