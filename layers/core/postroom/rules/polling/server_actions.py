"""What a mailbox wants done on its server with a mail that is dealt with."""

from __future__ import annotations

from postroom.model import Action
from postroom.model.configuration import Mailbox, Type


def after_storage(mailbox: Mailbox) -> Action | None:
    """Say what is done on the server with a stored message; None: it stays as it is (POP3 knows no marks)."""
    if mailbox.processed_items_folder_name and mailbox.type is not Type.POP3:
        return Action.MOVE
    if mailbox.leave_msg_on_server:
        return None if mailbox.type is Type.POP3 else Action.MARK_READ
    return Action.DELETE


def after_oversize(mailbox: Mailbox) -> Action | None:
    """Say what is done with a message that was too large (G08)."""
    if mailbox.delete_big_msg:
        return Action.DELETE
    return None if mailbox.type is Type.POP3 else Action.MARK_READ


def after_giving_up(mailbox: Mailbox) -> Action | None:
    """Say what is done with a message that cannot be fetched (G07, G13)."""
    if mailbox.delete_bad_formatted_msg:
        return Action.DELETE
    return after_doubt(mailbox)


def after_doubt(mailbox: Mailbox) -> Action | None:
    """Say what is done with a message that never showed that it is the one listed: at most it is moved (G13)."""
    if mailbox.move_failed_ews_item and mailbox.failed_items_folder_name and mailbox.type is not Type.POP3:
        return Action.MOVE_FAILED
    return None
