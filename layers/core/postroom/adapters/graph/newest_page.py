"""What a glance at a folder of Microsoft Graph says: its newest messages, and how many there are. Pure.

Folders whose mail stays on the server are never listed as a whole for one new mail. What the newest messages cannot
show, old mail that somebody moved in, shows in the number; and once a day the whole folder is compared, whatever the
numbers say. (Graph's delta queries would say what changed, but they lose messages that were moved away and back when
ids are immutable: microsoft-graph-docs issue 21752.)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from postroom.adapters.graph.client import Page
from postroom.model import Item, Position, undone
from postroom.model.configuration import Mailbox

GLANCE = 100  # messages that a look reads, the newest first
COMPARED_EVERY = timedelta(days=1)
RECOUNTED_EVERY = timedelta(hours=1)  # where messages have vanished, which makes the number worth less
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
_NEWEST = quote("receivedDateTime desc", safe="")


@dataclass(frozen=True, slots=True)
class Mark:
    """What stands in a position's cursor: when the whole folder was compared, and the number's error then.

    `surplus`: how many more the server counts than it lists. `begun`, `upto`: when a comparison was begun that is under
    way, and the receivedDateTime (as Graph writes it) of the first message that it has not dealt with.
    """

    compared: datetime | None = None
    surplus: int = 0
    begun: datetime | None = None
    upto: str = ""

    def text(self) -> str:
        """Write it."""
        compared = int(self.compared.timestamp()) if self.compared else 0
        if self.begun is not None:
            return f"{compared} {self.surplus} {int(self.begun.timestamp())} {self.upto}".rstrip()
        return f"{compared} {self.surplus}" if self.compared else ""

    def is_older(self, than: timedelta, now: datetime) -> bool:
        """Tell whether the comparison was so long ago, or at no time that makes sense."""
        return self.compared is None or not timedelta(0) <= now - self.compared < than


def read_mark(cursor: str) -> Mark:
    """Read a cursor; one that says nothing is a folder that was never compared."""
    moment, surplus, begun, upto = (*cursor.split(" "), "", "", "", "")[:4]
    try:
        return Mark(
            datetime.fromtimestamp(int(moment), UTC) if moment != "0" else None,
            max(0, int(surplus)),
            datetime.fromtimestamp(int(begun), UTC) if begun else None,
            upto if _MOMENT.fullmatch(upto) else "",
        )
    except (ValueError, OverflowError, OSError):
        return Mark()


def stays(mailbox: Mailbox) -> bool:
    """Tell whether stored mail is left in the folder, and only marked read."""
    return mailbox.leave_msg_on_server and not mailbox.processed_items_folder_name


def newest(messages: str, *, select: str = "id,isRead", top: int = GLANCE) -> str:
    """Write the request for the newest messages of a folder, with their number."""
    return f"{messages}?$select={select}&$orderby={_NEWEST}&$top={top}&$count=true"


def is_due(position: Position, *, stays: bool, now: datetime) -> bool:
    """Tell whether the whole folder is to be compared, whatever a glance shows."""
    mark = read_mark(position.cursor)
    return mark.begun is not None or (stays and mark.is_older(COMPARED_EVERY, now))


def is_busy(page: Page, position: Position, *, stays: bool) -> bool:
    """Tell whether a glance shows, or may hide, anything to do; `stays`: stored mail is left and only marked read."""
    settled = position.left_alone()
    if undone(position, {str(row.get("id")): is_unread(row) for row in page.rows}):
        return True
    for row in page.rows:
        one = str(row.get("id"))
        if one not in settled and (one not in position.known or not stays or is_unread(row)):
            return True
    if not page.more:
        return False  # that was the whole folder
    known = len(position.known | settled) + read_mark(position.cursor).surplus
    return page.count is not None and page.count > known


def is_enough(page: Page, position: Position, *, now: datetime) -> bool:
    """Tell whether the newest messages are all there is to say; else the whole folder has to be listed."""
    seen = {str(row.get("id")) for row in page.rows}
    last = str(page.rows[-1].get("id")) if page.rows else ""
    if last not in position.known and not position.leaves_alone(last):
        return False  # what follows, older still, may be new too
    if page.count is None:
        return True  # the daily comparison finds what the number would have shown
    mark = read_mark(position.cursor)
    expected = len(position.known | position.problems.keys() | seen) + mark.surplus
    return page.count == expected or (page.count < expected and not mark.is_older(RECOUNTED_EVERY, now))


def by_id(page: Page) -> dict[str, dict[str, Any]]:
    """Return the rows of a page by id; a message may come twice when others vanish between two pages."""
    return {str(row["id"]): row for row in page.rows if "id" in row}


def is_unread(row: dict[str, Any]) -> bool:
    """Tell whether a row says that its message was not read."""
    return row.get("isRead") is False


def received(row: dict[str, Any]) -> str:
    """Return when a message was received as Graph writes it; empty where it does not, or in another way."""
    text = str(row.get("receivedDateTime"))
    return text if _MOMENT.fullmatch(text) else ""


def item_of(row: dict[str, Any]) -> Item:
    """Read a row of a list: its size is that of the store, and may be missing."""
    properties = row.get("singleValueExtendedProperties")
    value = properties[0].get("value") if isinstance(properties, list) and properties else None
    size = int(str(value)) if str(value).isdecimal() else None
    try:
        date = datetime.fromisoformat(str(row.get("receivedDateTime")))
        date = date if date.tzinfo else date.replace(tzinfo=UTC)
    except ValueError:
        date = None
    listed = row.get("internetMessageId")
    return Item(str(row["id"]), size, date, listed if isinstance(listed, str) else "")
