"""What the Exchange simulator answers to each operation, and what it refuses, as the EWS reference says."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from datetime import UTC
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

from postroom_cli.mailservers.ews_schema import SOAP, VERSIONS, M, T, Violation, read_request
from postroom_cli.mailservers.ews_store import (
    Code,
    Fault,
    Folder,
    Mailbox,
    Planted,
    Raw,
    Stored,
    Told,
    next_id,
    next_state,
)

if TYPE_CHECKING:
    from postroom_cli.mailservers.ews import EwsServer

_E = "http://schemas.microsoft.com/exchange/services/2006/errors"


class _Refused(Exception):
    """A whole request is refused with a SOAP fault."""

    def __init__(self, code: str, text: str = "", back_off: int | None = None) -> None:
        super().__init__(code)
        self.code, self.text, self.back_off = code, text or f"refused: {code}", back_off


class Answering:
    """Serves one request of a user."""

    def __init__(self, ews: EwsServer, user: str) -> None:
        self.ews = ews
        self.user = user
        self.acting = user

    def answer(self, body: bytes) -> tuple[int, bytes, Planted | None]:
        """Return the HTTP status, the envelope, and what was planted."""
        planted: Planted | None = None
        try:
            try:
                header, operation = read_request(body)
                self._check_header(header, operation)
            except Violation as violation:
                self.ews.violations.append(str(violation))
                raise _Refused("ErrorSchemaValidation", str(violation)) from violation
            name = operation.tag.partition("}")[2]
            self.ews.asked.append(name)
            if self.ews.planted[name]:
                planted = self.ews.planted[name].popleft()
            if isinstance(planted, Raw):
                return 200, planted.body, None
            if isinstance(planted, Fault):
                raise _Refused(planted.code, back_off=planted.back_off)
            messages = getattr(self, "_" + re.sub("(?<!^)([A-Z])", r"_\1", name).lower())(operation)
            if isinstance(planted, Code):
                messages = [(planted.code, "") for _ in messages]
            rows = "".join(
                f'<m:{name}ResponseMessage ResponseClass="{"Success" if code == "NoError" else "Error"}">'
                + ("" if code == "NoError" else f"<m:MessageText>refused: {code}</m:MessageText>")
                + f"<m:ResponseCode>{code}</m:ResponseCode>"
                + ("<m:DescriptiveLinkKey>0</m:DescriptiveLinkKey>" if code != "NoError" else "")
                + f"{content}</m:{name}ResponseMessage>"
                for code, content in messages
            )
            return (
                200,
                _envelope(f"<m:{name}Response><m:ResponseMessages>{rows}</m:ResponseMessages></m:{name}Response>"),
                planted,
            )
        except _Refused as refused:
            return 500, _fault(refused), planted

    def _check_header(self, header: ET.Element | None, operation: ET.Element) -> None:
        version = header.find(f"{{{T}}}RequestServerVersion") if header is not None else None
        asked = version.attrib["Version"] if version is not None else "Exchange2007"
        self.ews.versions.add(asked)
        if asked not in VERSIONS or VERSIONS.index(asked) > VERSIONS.index(self.ews.schema):
            raise _Refused("ErrorInvalidServerVersion")
        if "SuppressReadReceipts" in operation.attrib and VERSIONS.index(asked) < VERSIONS.index("Exchange2013_SP1"):
            raise Violation("SuppressReadReceipts came with Exchange2013_SP1")
        who = header.find(f"{{{T}}}ExchangeImpersonation//") if header is not None else None
        whom = header.find(f"{{{T}}}ExchangeImpersonation/{{{T}}}ConnectingSID/*") if header is not None else None
        if who is not None and whom is not None:
            address = (whom.text or "").lower()
            if (self.user, address) not in self.ews.may_impersonate:
                raise _Refused("ErrorImpersonateUserDenied")
            self.acting = address

    # --- what is meant

    def _mailbox_of(self, address: str) -> Mailbox:
        if address not in self.ews.mailboxes:
            raise _Code("ErrorNonExistentMailbox")
        if address != self.acting and (self.acting, address) not in self.ews.may_open:
            raise _Code("ErrorAccessDenied" if address in self.ews.users else "ErrorItemNotFound")
        return self.ews.mailboxes[address]

    def _all(self) -> Iterator[Mailbox]:
        for address in list(self.ews.mailboxes):
            if address == self.acting or (self.acting, address) in self.ews.may_open:
                yield self.ews.mailboxes[address]

    def _folder(self, element: ET.Element) -> tuple[Mailbox, Folder]:
        if element.tag == f"{{{T}}}DistinguishedFolderId":
            owner = element.findtext(f"{{{T}}}Mailbox/{{{T}}}EmailAddress") or self.acting
            mailbox = self._mailbox_of(owner.lower())
            return mailbox, mailbox.inbox
        for mailbox in self._all():
            if element.attrib["Id"] in mailbox.folders:
                return mailbox, mailbox.folders[element.attrib["Id"]]
        raise _Code("ErrorItemNotFound" if element.attrib["Id"].startswith("AAMk") else "ErrorFolderNotFound")

    def _item(self, element: ET.Element) -> tuple[Mailbox, Folder, Stored]:
        item_id = element.attrib["Id"]
        if not item_id.endswith("="):
            raise _Code("ErrorInvalidIdMalformed")
        for mailbox in self._all():
            if found := mailbox.find(item_id):
                return mailbox, *found
        raise _Code("ErrorItemNotFound")

    def _get_folder(self, operation: ET.Element) -> list[tuple[str, str]]:
        def one(element: ET.Element) -> str:
            folder = self._folder(element)[1]
            return f"<m:Folders>{_folder_xml(folder)}</m:Folders>"

        return [_each(one, element) for element in operation[1]]

    def _find_folder(self, operation: ET.Element) -> list[tuple[str, str]]:
        def one(element: ET.Element) -> str:
            mailbox, parent = self._folder(element)
            found = [folder for folder in mailbox.folders.values() if folder.parent == parent.id]
            rows, last, offset = _page(operation.find(f"{{{M}}}IndexedPageFolderView"), found)
            return (
                f'<m:RootFolder IndexedPagingOffset="{offset}" TotalItemsInView="{len(found)}" '
                f'IncludesLastItemInRange="{last}"><t:Folders>'
                + "".join(map(_folder_xml, rows))
                + "</t:Folders></m:RootFolder>"
            )

        return [_each(one, element) for element in _children(operation, f"{{{M}}}ParentFolderIds")]

    def _find_item(self, operation: ET.Element) -> list[tuple[str, str]]:
        asked = {one.attrib.get("FieldURI") for one in operation.iterfind(f"{{{M}}}ItemShape//{{{T}}}FieldURI")}
        if asked & {"item:MimeContent", "item:InternetMessageHeaders"}:  # only GetItem gives these
            raise _Refused("ErrorInvalidPropertyRequest")
        order = operation.find(f"{{{M}}}SortOrder/{{{T}}}FieldOrder")

        def one(element: ET.Element) -> str:
            found = list(self._folder(element)[1].items)
            if order is not None:
                found.sort(key=lambda item: item.received, reverse=order.attrib["Order"] == "Descending")
            rows, last, offset = _page(operation.find(f"{{{M}}}IndexedPageItemView"), found)
            content = "".join(f"<t:{item.kind}>{_fields(item, asked)}</t:{item.kind}>" for item in rows)
            return (
                f'<m:RootFolder IndexedPagingOffset="{offset}" TotalItemsInView="{len(found)}" '
                f'IncludesLastItemInRange="{last}"><t:Items>{content}</t:Items></m:RootFolder>'
            )

        return [_each(one, element) for element in _children(operation, f"{{{M}}}ParentFolderIds")]

    def _sync_folder_items(self, operation: ET.Element) -> list[tuple[str, str]]:
        asked = {one.attrib.get("FieldURI") for one in operation.iterfind(f"{{{M}}}ItemShape//{{{T}}}FieldURI")}
        if asked & {"item:MimeContent", "item:InternetMessageHeaders"}:
            raise _Refused("ErrorInvalidPropertyRequest")
        state = operation.findtext(f"{{{M}}}SyncState") or ""
        ignored = {one.attrib["Id"] for one in _children(operation, f"{{{M}}}Ignore")}
        most = int(operation.findtext(f"{{{M}}}MaxChangesReturned") or 1)

        def one(element: ET.Element) -> str:
            try:
                folder = self._folder(element)[1]
            except _Code as code:
                raise _Code("ErrorSyncFolderNotFound" if code.code == "ErrorFolderNotFound" else code.code) from code
            known = self.ews.told.get(state) if state else Told(folder.id, {})
            if known is None or known.folder != folder.id:
                raise _Code("ErrorInvalidSyncStateData")
            changes, after, last = known.next(folder, most)
            told = next_state(len(after.items), complete=last)
            self.ews.told[told] = after
            content = "".join(
                _change_xml(kind, changed, item, asked) for kind, changed, item in changes if changed not in ignored
            )
            return (
                f"<m:SyncState>{told}</m:SyncState><m:IncludesLastItemInRange>{'true' if last else 'false'}"
                f"</m:IncludesLastItemInRange><m:Changes>{content}</m:Changes>"
            )

        code, content = _each(one, operation[1][0])
        if code != "NoError":
            content = "<m:SyncState/><m:IncludesLastItemInRange>true</m:IncludesLastItemInRange>"
        return [(code, content)]

    def _get_item(self, operation: ET.Element) -> list[tuple[str, str]]:
        asked = {
            one.attrib.get("FieldURI") or one.attrib["PropertyTag"].lower()
            for one in _children(operation, f"{{{M}}}ItemShape//{{{T}}}AdditionalProperties")
        }

        def one(element: ET.Element) -> str:
            item = self._item(element)[2]
            if item.fault:
                raise _Code(item.fault)
            return f"<m:Items><t:{item.kind}>{_fields(item, asked)}</t:{item.kind}></m:Items>"

        return [_each(one, element) for element in _children(operation, f"{{{M}}}ItemIds")]

    def _move_item(self, operation: ET.Element) -> list[tuple[str, str]]:
        try:
            target = self._folder(operation[0][0])[1]
        except _Code as code:
            return [(code.code, "") for _ in operation[1]]

        def one(element: ET.Element) -> str:
            folder, item = self._changeable(element)
            folder.items.remove(item)
            item.id = next_id("AAMk")  # a moved item is another one to EWS
            target.items.append(item)
            return f'<m:Items><t:Message><t:ItemId Id="{item.id}" ChangeKey="C"/></t:Message></m:Items>'

        return [_each(one, element) for element in operation[1]]

    def _delete_item(self, operation: ET.Element) -> list[tuple[str, str]]:
        def one(element: ET.Element) -> str:
            folder, item = self._changeable(element)
            folder.items.remove(item)
            return ""

        return [_each(one, element) for element in operation[0]]

    def _update_item(self, operation: ET.Element) -> list[tuple[str, str]]:
        def one(change: ET.Element) -> str:
            uri = change.find(f".//{{{T}}}FieldURI")
            if uri is None or uri.attrib["FieldURI"] != "message:IsRead":
                raise _Code("ErrorInvalidPropertySet")
            if "ChangeKey" not in change[0].attrib and operation.attrib["ConflictResolution"] != "AlwaysOverwrite":
                raise _Code("ErrorChangeKeyRequired")
            _folder, item = self._changeable(change[0])
            item.read = (change.findtext(f".//{{{T}}}IsRead") or "").lower() in ("true", "1")
            if (
                operation.attrib.get("SuppressReadReceipts") != "true"
                and b"\nDisposition-Notification-To" in item.content
            ):
                self.ews.receipts += 1
            return f'<m:Items><t:Message><t:ItemId Id="{item.id}" ChangeKey="C"/></t:Message></m:Items>'

        return [_each(one, change) for change in _children(operation, f"{{{M}}}ItemChanges")]

    def _create_folder(self, operation: ET.Element) -> list[tuple[str, str]]:
        def one(element: ET.Element) -> str:
            mailbox, parent = self._folder(operation[0][0])
            name = element.findtext(f"{{{T}}}DisplayName") or ""
            if not name:
                raise _Code("ErrorFolderSave")
            if self.ews.read_only:
                raise _Code("ErrorAccessDenied")
            if any(f.parent == parent.id and f.name.lower() == name.lower() for f in mailbox.folders.values()):
                raise _Code("ErrorFolderExists")
            return f"<m:Folders>{_folder_xml(mailbox.add_folder(name, parent.id))}</m:Folders>"

        return [_each(one, element) for element in operation[1]]

    def _changeable(self, element: ET.Element) -> tuple[Folder, Stored]:
        _mailbox, folder, item = self._item(element)
        if self.ews.read_only:
            raise _Code("ErrorAccessDenied")
        return folder, item


class _Code(Exception):
    """One response message says this."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def _each(one: Any, element: ET.Element) -> tuple[str, str]:
    try:
        return "NoError", one(element)
    except _Code as code:
        return code.code, ""


def _page(view: ET.Element | None, found: list[Any]) -> tuple[list[Any], str, int]:
    offset = int(view.attrib["Offset"]) if view is not None else 0
    most = min(1_000, int(view.attrib.get("MaxEntriesReturned", 1_000)) if view is not None else 1_000)
    end = min(len(found), offset + most)
    return found[offset:end], "true" if end == len(found) else "false", end


def _change_xml(kind: str, item_id: str, item: Stored | None, asked: AbstractSet[str | None]) -> str:
    identity = f'<t:ItemId Id="{item_id}" ChangeKey="C"/>'
    if item is None:
        return f"<t:Delete>{identity}</t:Delete>"
    if kind == "ReadFlagChange":
        return f"<t:{kind}>{identity}<t:IsRead>{'true' if item.read else 'false'}</t:IsRead></t:{kind}>"
    return f"<t:{kind}><t:{item.kind}>{_fields(item, asked)}</t:{item.kind}></t:{kind}>"


def _folder_xml(folder: Folder) -> str:
    return (
        f'<t:Folder><t:FolderId Id="{folder.id}" ChangeKey="C"/>'
        f"<t:DisplayName>{escape(folder.name)}</t:DisplayName></t:Folder>"
    )


def _fields(item: Stored, asked: AbstractSet[str | None]) -> str:
    """Return what was asked for, in the order of ItemType and MessageType."""
    header = item.content.partition(b"\r\n\r\n")[0].decode("utf-8", "replace")
    subject = header.partition("\r\nSubject: ")[2].partition("\r\n")[0]
    found = ""
    if "item:MimeContent" in asked:
        found += f'<t:MimeContent CharacterSet="UTF-8">{base64.b64encode(item.content).decode()}</t:MimeContent>'
    found += f'<t:ItemId Id="{item.id}" ChangeKey="C"/>'
    if "item:Subject" in asked:
        found += f"<t:Subject>{escape(subject)}</t:Subject>"
    if "item:DateTimeReceived" in asked:
        found += f"<t:DateTimeReceived>{item.received.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}</t:DateTimeReceived>"
    if "item:Size" in asked:
        found += f"<t:Size>{item.size}</t:Size>"
    if "item:InternetMessageHeaders" in asked and item.transport_headers:
        rows = [line.partition(":") for line in header.replace("\r\n ", " ").split("\r\n")]
        found += "<t:InternetMessageHeaders>"
        for name, _, value in rows:
            row = f"HeaderName={quoteattr(name)}>{escape(value.strip())}"
            found += f"<t:InternetMessageHeader {row}</t:InternetMessageHeader>"
        found += "</t:InternetMessageHeaders>"
    if "item:DateTimeSent" in asked:
        found += f"<t:DateTimeSent>{item.received.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}</t:DateTimeSent>"
    if "0x7d" in asked and item.transport_headers:
        found += (
            '<t:ExtendedProperty><t:ExtendedFieldURI PropertyTag="0x7d" PropertyType="String"/>'
            f"<t:Value>{escape(header)}\r\n\r\n</t:Value></t:ExtendedProperty>"
        )
    if "message:Sender" in asked:
        found += "<t:Sender><t:Mailbox><t:EmailAddress>anna@example.org</t:EmailAddress></t:Mailbox></t:Sender>"
    if "message:InternetMessageId" in asked and (ids := re.search(r"(?im)^message-id:\s*(<[^>]*>)", header)):
        found += f"<t:InternetMessageId>{escape(ids[1])}</t:InternetMessageId>"
    if "message:IsRead" in asked and item.kind != "Contact":
        found += f"<t:IsRead>{'true' if item.read else 'false'}</t:IsRead>"
    return found


def _envelope(body: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        f'<s:Envelope xmlns:s="{SOAP}"><s:Header><h:ServerVersionInfo MajorVersion="15" MinorVersion="2" '
        'MajorBuildNumber="1544" MinorBuildNumber="4" Version="V2017_07_11" '
        f'xmlns:h="{T}"/></s:Header><s:Body xmlns:m="{M}" xmlns:t="{T}">{body}</s:Body></s:Envelope>'
    ).encode()


def _fault(refused: _Refused) -> bytes:
    pause = (
        f'<t:MessageXml xmlns:t="{T}"><t:Value Name="BackOffMilliseconds">{refused.back_off}</t:Value></t:MessageXml>'
        if refused.back_off
        else ""
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        f'<s:Envelope xmlns:s="{SOAP}"><s:Body><s:Fault><faultcode xmlns:a="{T}">a:{refused.code}</faultcode>'
        f'<faultstring xml:lang="en-US">{escape(refused.text)}</faultstring><detail>'
        f'<e:ResponseCode xmlns:e="{_E}">{refused.code}</e:ResponseCode>'
        f'<e:Message xmlns:e="{_E}">{escape(refused.text)}</e:Message>{pause}</detail></s:Fault></s:Body></s:Envelope>'
    ).encode()


def _children(operation: ET.Element, path: str) -> list[ET.Element]:
    return operation.findall(f"{path}/*")


def whole_answer(name: str, content: str) -> bytes:
    """Make an answer of one good response message with anything in it."""
    message = f'<m:{name}ResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode>'
    rows = f"{message}{content}</m:{name}ResponseMessage>"
    return _envelope(f"<m:{name}Response><m:ResponseMessages>{rows}</m:ResponseMessages></m:{name}Response>")
