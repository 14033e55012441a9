"""The Exchange simulator refuses what Exchange refuses: it is no proof of the connector if it takes anything."""

from __future__ import annotations

import pytest
from postroom_cli.mailservers.ews import EwsServer
from postroom_cli.mailservers.ews_answers import Answering
from postroom_cli.mailservers.ews_schema import SOAP, M, T

IDS = '<m:ItemIds><t:ItemId Id="I1="/></m:ItemIds>'
INBOX = '<t:DistinguishedFolderId Id="inbox"/>'
ITEM_SHAPE = "<m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape>"
VIEW = '<m:IndexedPageItemView MaxEntriesReturned="10" Offset="0" BasePoint="Beginning"/>'
PARENTS = f"<m:ParentFolderIds>{INBOX}</m:ParentFolderIds>"
FIND = f'<m:FindItem Traversal="Shallow">{ITEM_SHAPE}{VIEW}{PARENTS}</m:FindItem>'


def envelope(operation: str, *, version: str = "Exchange2016") -> bytes:
    return (
        f'<s:Envelope xmlns:s="{SOAP}" xmlns:m="{M}" xmlns:t="{T}"><s:Header>'
        f'<t:RequestServerVersion Version="{version}"/></s:Header><s:Body>{operation}</s:Body></s:Envelope>'
    ).encode()


def answer(operation: str, *, version: str = "Exchange2016") -> tuple[int, bytes]:
    ews = EwsServer({"a@example.com": "x"})
    try:
        ews.mailboxes["a@example.com"]
        status, body, _planted = Answering(ews, "a@example.com").answer(envelope(operation, version=version))
    finally:
        ews.close()
    return status, body


def test_a_right_request_is_answered() -> None:
    status, body = answer(FIND)
    assert (status, b"NoError" in body) == (200, True)


@pytest.mark.parametrize(
    "operation",
    [
        pytest.param(f'<m:FindItem Traversal="Shallow">{VIEW}{ITEM_SHAPE}{PARENTS}</m:FindItem>', id="wrong order"),
        pytest.param(f'<m:FindItem Traversal="Shallow">{ITEM_SHAPE}{PARENTS}{VIEW}</m:FindItem>', id="view at the end"),
        pytest.param(f"<m:FindItem>{ITEM_SHAPE}{VIEW}{PARENTS}</m:FindItem>", id="an attribute is missing"),
        pytest.param(FIND.replace("Shallow", "Deep"), id="FindItem knows no deep traversal"),
        pytest.param(FIND.replace("Beginning", "Middle"), id="a value that is none"),
        pytest.param(FIND.replace("t:BaseShape", "m:BaseShape"), id="wrong namespace"),
        pytest.param(FIND.replace("IdOnly", "Ids"), id="no such shape"),
        pytest.param(f"<m:GetItem>{IDS}{ITEM_SHAPE}</m:GetItem>", id="GetItem: ids before the shape"),
        pytest.param(f"<m:GetItem>{ITEM_SHAPE}<m:ItemIds/></m:GetItem>", id="GetItem: no ids"),
        pytest.param(f"<m:MoveItem>{IDS}<m:ToFolderId>{INBOX}</m:ToFolderId></m:MoveItem>", id="MoveItem: order"),
        pytest.param(f"<m:DeleteItem>{IDS}</m:DeleteItem>", id="DeleteItem: no DeleteType"),
        pytest.param(
            f"<m:CreateFolder><m:ParentFolderId>{INBOX}</m:ParentFolderId><m:Folders><t:Folder>"
            "<t:DisplayName>a</t:DisplayName><t:FolderClass>IPF.Note</t:FolderClass>"
            "</t:Folder></m:Folders></m:CreateFolder>",
            id="CreateFolder: name before class",
        ),
        pytest.param(
            '<m:UpdateItem ConflictResolution="AlwaysOverwrite"><m:ItemChanges><t:ItemChange><t:ItemId Id="I1="/>'
            "<t:Updates><t:SetItemField><t:Message><t:IsRead>true</t:IsRead></t:Message><t:FieldURI "
            'FieldURI="message:IsRead"/></t:SetItemField></t:Updates></t:ItemChange></m:ItemChanges></m:UpdateItem>',
            id="UpdateItem: value before path",
        ),
        pytest.param("<m:SendItem/>", id="another operation"),
    ],
)
def test_a_request_that_does_not_fit_the_schema_is_refused(operation: str) -> None:
    status, body = answer(operation)
    assert (status, b"ErrorSchemaValidation" in body) == (500, True)


def test_what_came_later_is_refused_in_an_older_version() -> None:
    delete = f'<m:DeleteItem DeleteType="HardDelete" SuppressReadReceipts="true">{IDS}</m:DeleteItem>'
    assert b"ErrorSchemaValidation" in answer(delete, version="Exchange2013")[1]
    assert b"ErrorItemNotFound" in answer(delete, version="Exchange2013_SP1")[1]


def test_a_version_that_the_server_does_not_know_is_refused() -> None:
    status, body = answer(FIND, version="Exchange2030")
    assert (status, b"ErrorInvalidServerVersion" in body) == (500, True)


def test_find_item_gives_no_content() -> None:
    shape = ITEM_SHAPE.replace(
        "</m:ItemShape>",
        '<t:AdditionalProperties><t:FieldURI FieldURI="item:MimeContent"/></t:AdditionalProperties></m:ItemShape>',
    )
    assert b"ErrorInvalidPropertyRequest" in answer(FIND.replace(ITEM_SHAPE, shape))[1]
