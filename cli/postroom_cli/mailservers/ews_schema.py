"""What EWS requests look like: element names, order and attributes of messages.xsd and types.xsd, as far as needed.

Exchange validates each request against those files and refuses what does not fit; so does this.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
M = "http://schemas.microsoft.com/exchange/services/2006/messages"
T = "http://schemas.microsoft.com/exchange/services/2006/types"

VERSIONS = (
    "Exchange2007",
    "Exchange2007_SP1",
    "Exchange2010",
    "Exchange2010_SP1",
    "Exchange2010_SP2",
    "Exchange2013",
    "Exchange2013_SP1",
    "Exchange2015",
    "Exchange2016",
)
"""RequestServerVersion, oldest first."""


class Violation(Exception):
    """A request that does not fit the schema."""


@dataclass(frozen=True)
class Shape:
    """An element: its attributes (name → values; a leading ! means required), and what is in it.

    `sequence`: children in this order, each `name`, `name?` or `name+`. `choice`: any number of these, at least one.
    `text`: what the text must look like.
    """

    attributes: dict[str, str] = field(default_factory=dict)
    sequence: tuple[str, ...] = ()
    choice: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    text: str = ""


_ID = {"!Id": r"\S+", "ChangeKey": r"\S+"}
_SHAPE_NAMES = "IdOnly|Default|AllProperties"
_FOLDER_IDS = ("t:FolderId", "t:DistinguishedFolderId")
_RECEIPTS = {"SuppressReadReceipts": "true|false"}  # since Exchange2013_SP1

SHAPES: dict[str, Shape] = {
    "m:GetFolder": Shape(sequence=("m:FolderShape", "m:FolderIds")),
    "m:FindFolder": Shape(
        {"!Traversal": "Shallow|Deep|SoftDeleted"},
        sequence=("m:FolderShape", "m:IndexedPageFolderView?", "m:Restriction?", "m:ParentFolderIds"),
    ),
    "m:FindItem": Shape(
        {"!Traversal": "Shallow|SoftDeleted|Associated"},
        sequence=(
            "m:ItemShape",
            "m:IndexedPageItemView?",
            "m:Restriction?",
            "m:SortOrder?",
            "m:ParentFolderIds",
            "m:QueryString?",
        ),
    ),
    "m:SyncFolderItems": Shape(
        sequence=(
            "m:ItemShape",
            "m:SyncFolderId",
            "m:SyncState?",
            "m:Ignore?",
            "m:MaxChangesReturned",
            "m:SyncScope?",
        )
    ),
    "m:SyncFolderId": Shape(one_of=_FOLDER_IDS),
    "m:SyncState": Shape(text=r"[A-Za-z0-9+/]+=*"),
    "m:Ignore": Shape(choice=("t:ItemId",)),
    "m:MaxChangesReturned": Shape(text="[1-9]|[1-9][0-9]|[1-4][0-9][0-9]|50[0-9]|51[0-2]"),
    "m:SyncScope": Shape(text="NormalItems|NormalAndAssociatedItems"),  # since Exchange2010
    "m:GetItem": Shape(sequence=("m:ItemShape", "m:ItemIds")),
    "m:MoveItem": Shape(sequence=("m:ToFolderId", "m:ItemIds", "m:ReturnNewItemIds?")),
    "m:DeleteItem": Shape(
        {
            "!DeleteType": "HardDelete|SoftDelete|MoveToDeletedItems",
            "SendMeetingCancellations": "SendToNone|SendOnlyToAll|SendToAllAndSaveCopy",
            "AffectedTaskOccurrences": "AllOccurrences|SpecifiedOccurrenceOnly",
            **_RECEIPTS,
        },
        sequence=("m:ItemIds",),
    ),
    "m:UpdateItem": Shape(
        {
            "!ConflictResolution": "NeverOverwrite|AutoResolve|AlwaysOverwrite",
            "MessageDisposition": "SaveOnly|SendOnly|SendAndSaveCopy",
            "SendMeetingInvitationsOrCancellations": "SendToNone|SendOnlyToAll|SendOnlyToChanged"
            "|SendToAllAndSaveCopy|SendToChangedAndSaveCopy",
            **_RECEIPTS,
        },
        sequence=("m:SavedItemFolderId?", "m:ItemChanges"),
    ),
    "m:CreateFolder": Shape(sequence=("m:ParentFolderId", "m:Folders")),
    "m:FolderShape": Shape(sequence=("t:BaseShape", "t:AdditionalProperties?")),
    "m:ItemShape": Shape(sequence=("t:BaseShape", "t:IncludeMimeContent?", "t:BodyType?", "t:AdditionalProperties?")),
    "t:BaseShape": Shape(text=_SHAPE_NAMES),
    "t:AdditionalProperties": Shape(choice=("t:FieldURI", "t:ExtendedFieldURI")),
    "t:FieldURI": Shape({"!FieldURI": r"(folder|item|message):[A-Z]\w+"}),
    "t:ExtendedFieldURI": Shape({"!PropertyTag": r"0x[0-9a-fA-F]{1,4}|\d{1,5}", "!PropertyType": "String|Integer"}),
    "m:FolderIds": Shape(choice=_FOLDER_IDS),
    "m:ParentFolderIds": Shape(choice=_FOLDER_IDS),
    "m:ParentFolderId": Shape(one_of=_FOLDER_IDS),
    "m:ToFolderId": Shape(one_of=_FOLDER_IDS),
    "t:FolderId": Shape(_ID),
    "t:DistinguishedFolderId": Shape({"!Id": "inbox|msgfolderroot|root|sentitems|drafts"}, sequence=("t:Mailbox?",)),
    "t:Mailbox": Shape(sequence=("t:Name?", "t:EmailAddress?", "t:RoutingType?", "t:MailboxType?")),
    "t:EmailAddress": Shape(text=r"\S+@\S+"),
    "t:RoutingType": Shape(text="SMTP|EX"),
    "t:MailboxType": Shape(text="Mailbox|PublicDL|PrivateDL|Contact|PublicFolder|Unknown|OneOff"),
    "m:IndexedPageFolderView": Shape(
        {"MaxEntriesReturned": r"[1-9]\d*", "!Offset": r"\d+", "!BasePoint": "Beginning|End"}
    ),
    "m:IndexedPageItemView": Shape(
        {"MaxEntriesReturned": r"[1-9]\d*", "!Offset": r"\d+", "!BasePoint": "Beginning|End"}
    ),
    "m:SortOrder": Shape(choice=("t:FieldOrder",)),
    "t:FieldOrder": Shape({"!Order": "Ascending|Descending"}, one_of=("t:FieldURI", "t:ExtendedFieldURI")),
    "m:ItemIds": Shape(choice=("t:ItemId",)),
    "t:ItemId": Shape(_ID),
    "m:ItemChanges": Shape(choice=("t:ItemChange",)),
    "t:ItemChange": Shape(sequence=("t:ItemId", "t:Updates")),
    "t:Updates": Shape(choice=("t:SetItemField",)),
    "t:SetItemField": Shape(sequence=("t:FieldURI", "t:Message")),
    "t:Message": Shape(sequence=("t:IsRead",)),
    "t:IsRead": Shape(text="true|false|1|0"),
    "m:Folders": Shape(choice=("t:Folder",)),
    "t:Folder": Shape(sequence=("t:FolderClass?", "t:DisplayName?")),
    "t:FolderClass": Shape(text=r"IPF\.\w+"),
    "t:DisplayName": Shape(text=r"[^\\]+"),
    "t:RequestServerVersion": Shape({"!Version": r"\w+"}),  # what it does not know has a code of its own
    "t:ExchangeImpersonation": Shape(sequence=("t:ConnectingSID",)),
    "t:ConnectingSID": Shape(one_of=("t:PrincipalName", "t:SID", "t:PrimarySmtpAddress", "t:SmtpAddress")),
    "t:PrincipalName": Shape(text=r"\S+"),
    "t:SID": Shape(text=r"S-[\d-]+"),
    "t:PrimarySmtpAddress": Shape(text=r"\S+@\S+"),
    "t:SmtpAddress": Shape(text=r"\S+@\S+"),
    "t:TimeZoneContext": Shape(sequence=("t:TimeZoneDefinition",)),
    "t:TimeZoneDefinition": Shape({"!Id": r".+"}),
}

OPERATIONS = (
    "GetFolder",
    "FindFolder",
    "FindItem",
    "SyncFolderItems",
    "GetItem",
    "MoveItem",
    "DeleteItem",
    "UpdateItem",
    "CreateFolder",
)
_HEADERS = ("t:RequestServerVersion", "t:ExchangeImpersonation", "t:TimeZoneContext")


def short(tag: str) -> str:
    """Turn {namespace}Name into m:Name or t:Name."""
    for prefix, namespace in (("m", M), ("t", T), ("s", SOAP)):
        if tag.startswith(f"{{{namespace}}}"):
            return f"{prefix}:{tag[len(namespace) + 2 :]}"
    return tag


def read_request(body: bytes) -> tuple[ET.Element | None, ET.Element]:
    """Parse and check an envelope; return its header and the operation."""
    if b"<!DOCTYPE" in body:
        raise Violation("a document type is not allowed in SOAP")
    try:
        envelope = ET.fromstring(body)  # noqa: S314 - on loopback, and without a document type
    except ET.ParseError as error:
        raise Violation(f"no XML: {error}") from error
    names = [short(child.tag) for child in envelope]
    if short(envelope.tag) != "s:Envelope" or names not in (["s:Header", "s:Body"], ["s:Body"]):
        raise Violation(f"no envelope: {short(envelope.tag)} {names}")
    header = envelope.find(f"{{{SOAP}}}Header")
    for element in header if header is not None else ():
        if short(element.tag) not in _HEADERS:
            raise Violation(f"unknown header {short(element.tag)}")
        check(element)
    operations = envelope.findall(f"{{{SOAP}}}Body/*")
    if len(operations) != 1:
        raise Violation("a body takes one operation")
    operation = operations[0]
    if short(operation.tag) not in {f"m:{name}" for name in OPERATIONS}:
        raise Violation(f"unknown operation {short(operation.tag)}")
    check(operation)
    return header, operation


def check(element: ET.Element) -> None:
    """Check an element and everything in it. Raises Violation."""
    name = short(element.tag)
    shape = SHAPES.get(name)
    if shape is None:
        raise Violation(f"the element {name} is unknown")
    _check_attributes(name, element, shape)
    if shape.text:
        if len(element) or not re.fullmatch(shape.text, element.text or ""):
            raise Violation(f"the text of {name} is not valid: {element.text!r}")
        return
    if (element.text or "").strip():
        raise Violation(f"{name} has text in it")
    children = [short(child.tag) for child in element]
    if shape.one_of:
        if len(children) != 1 or children[0] not in shape.one_of:
            raise Violation(f"{name} takes one of {shape.one_of}, not {children}")
    elif shape.choice:
        if not children or not set(children) <= set(shape.choice):
            raise Violation(f"{name} takes {shape.choice}, not {children}")
    elif not re.fullmatch("".join(_pattern(part) for part in shape.sequence), "".join(f"{one};" for one in children)):
        raise Violation(f"{name} takes {shape.sequence} in this order, not {children}")
    for child in element:
        check(child)


def _pattern(part: str) -> str:
    return f"(?:{re.escape(part.rstrip('?'))};){'?' if part.endswith('?') else ''}"


def _check_attributes(name: str, element: ET.Element, shape: Shape) -> None:
    allowed = {key.lstrip("!"): values for key, values in shape.attributes.items()}
    for key, value in element.attrib.items():
        if key not in allowed or not re.fullmatch(allowed[key], value):
            raise Violation(f"the attribute {key}={value!r} of {name} is not valid")
    for key in shape.attributes:
        if key.startswith("!") and key[1:] not in element.attrib:
            raise Violation(f"{name} lacks {key[1:]}")
