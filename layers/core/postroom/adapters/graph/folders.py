"""Folders of Microsoft Graph by their path: found one level at a time, made where mail is to be moved."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from postroom.adapters.graph.client import Graph, NextPageLost
from postroom.errors import FolderMissing, Transient

INBOX = "inbox"  # Graph's well-known name, in every language of a mailbox


def find_folder(graph: Graph, path: str, separator: str) -> str:
    """Return the id of a folder; raises FolderMissing."""
    names = _names(path, separator)
    parent, names = _start(names)
    for name in names:
        found = _child(graph, parent, name)
        if found is None:
            raise FolderMissing(f"There is no folder “{name}” on the way to “{path}”", on=graph.on, step="folder")
        parent = found
    return parent


def make_folder(graph: Graph, path: str, separator: str) -> str:
    """Return the id of a folder, made where it is missing."""
    parent, names = _start(_names(path, separator))
    for name in names:
        parent = _child(graph, parent, name) or _make(graph, parent, name)
    return parent


def is_inbox(path: str, separator: str) -> bool:
    """Tell whether a path is the inbox itself, which has the same name in every mailbox."""
    parent, below = _start(_names(path, separator))
    return parent == INBOX and not below


def collection(parent: str) -> str:
    """Return the path of the folders in a folder; "": the mailbox's top."""
    return f"/mailFolders/{quote(parent, safe='')}/childFolders" if parent else "/mailFolders"


def _names(path: str, separator: str) -> list[str]:
    return [name for name in path.split(separator) if name] or ["INBOX"]


def _start(names: list[str]) -> tuple[str, list[str]]:
    return (INBOX, names[1:]) if names[0].casefold() == "inbox" else ("", names)


def _child(graph: Graph, parent: str, name: str) -> str | None:
    quoted = name.replace("'", "''")
    where = quote(f"displayName eq '{quoted}'", safe="")
    path = f"{collection(parent)}?$filter={where}&$select=id,displayName&$top=50"
    try:
        rows = [row for page in graph.pages(path, step="folder") for row in page.rows]
    except NextPageLost as error:
        raise Transient("The list of folders changed while it was read", on=graph.on, step="folder") from error
    exact = next((row for row in rows if row.get("displayName") == name), None)
    found = exact or next((row for row in rows if str(row.get("displayName")).casefold() == name.casefold()), None)
    return _id(found) if found else None


def _make(graph: Graph, parent: str, name: str) -> str:
    answer = graph.ask("POST", collection(parent), step="act", content={"displayName": name}, besides=(409,))
    found = _child(graph, parent, name) if answer.status == 409 else _id(answer.json())  # 409: made by another
    if not found:
        raise FolderMissing(f"The folder “{name}” could not be made", on=graph.on, step="act")
    return found


def _id(row: dict[str, Any]) -> str:
    return str(row.get("id") or "")
