"""What is done by Microsoft Graph with stored messages: mark, move or delete, four at a time; what is gone is no error.

Exchange Online serves a mailbox and application no more than four requests at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from urllib.parse import quote

from postroom.adapters.graph.client import GONE, Graph
from postroom.adapters.graph.folders import make_folder
from postroom.adapters.net import AT_A_TIME
from postroom.errors import PostroomError
from postroom.model import Action
from postroom.model.configuration import Mailbox

_OF_ONE = frozenset({"command_refused", "read_only", "unavailable"})  # what Graph may say of one message only
_ENOUGH = 10  # messages refused, and none taken: it is not them


def run(graph: Graph, ids: Sequence[str], action: Action, *, mailbox: Mailbox) -> None:
    """Carry out an action on each; raises the first refusal at the end, or at once what concerns all messages."""
    act = _carried_out(graph, action, mailbox)
    refused: list[PostroomError] = []
    with ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="graph") as pool:
        for number, error in enumerate(pool.map(partial(_tried, act), ids), 1):
            refused += [error] if error else []
            if len(refused) == number >= _ENOUGH:
                break
    if refused:
        raise refused[0]


def _carried_out(graph: Graph, action: Action, mailbox: Mailbox) -> Callable[[str], object]:
    """Return what is asked for each message."""
    match action:
        case Action.MARK_READ:
            return lambda one: graph.ask("PATCH", _message(one), step="act", content={"isRead": True}, besides=GONE)
        case Action.DELETE:
            return lambda one: graph.ask("DELETE", _message(one), step="act", besides=GONE)
        case Action.MOVE | Action.MOVE_FAILED:
            moved = action is Action.MOVE
            name = mailbox.processed_items_folder_name if moved else mailbox.failed_items_folder_name
            there = {"destinationId": make_folder(graph, name, mailbox.folder_separator)}
            return lambda one: graph.ask("POST", f"{_message(one)}/move", step="act", content=there, besides=GONE)


def _tried(act: Callable[[str], object], message_id: str) -> PostroomError | None:
    """Act on a message; return what was refused of it alone."""
    try:
        act(message_id)
    except PostroomError as error:
        if error.code not in _OF_ONE or error.retry_after is not None:
            raise
        return error
    return None


def _message(message_id: str) -> str:
    return f"/messages/{quote(message_id, safe='')}"
