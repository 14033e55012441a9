"""What is done on the IMAP server after safe storage: mark, move, delete. By UID, and harmless when repeated."""

from __future__ import annotations

from collections.abc import Sequence

from postroom.adapters.imap.connection import Link
from postroom.adapters.imap.uid_sets import uid_sets
from postroom.errors import PostroomError, Transient
from postroom.model import Action


def run(link: Link, uids: Sequence[int], action: Action) -> None:
    """Carry out an action on ascending UIDs; raises Transient errors with step `act`."""
    link.writable()
    if action is Action.MARK_READ:
        _flag(link, uids, rb"+FLAGS.SILENT (\Seen)")
    elif action is Action.DELETE:
        _delete(link, uids)
    else:
        mailbox = link.mailbox
        path = (
            mailbox.processed_items_folder_name if action is Action.MOVE else mailbox.failed_items_folder_name
        ) or mailbox.folder_path
        _move(link, uids, path)


def _flag(link: Link, uids: Sequence[int], change: bytes) -> None:
    for uid_set, _members in uid_sets(uids):
        link.command("UID STORE", uid_set + b" " + change, step="act")


def _delete(link: Link, uids: Sequence[int]) -> None:
    _flag(link, uids, rb"+FLAGS.SILENT (\Deleted)")
    if link.can(b"UIDPLUS"):
        for uid_set, _members in uid_sets(uids):
            link.command("UID EXPUNGE", uid_set, step="act")
        return
    # Without UIDPLUS (RFC 4315), EXPUNGE takes away whatever anybody has marked: their marks come off meanwhile.
    marked = set(link.search(b"DELETED", step="act"))
    others = sorted(marked - set(uids))
    _flag(link, others, rb"-FLAGS.SILENT (\Deleted)")
    try:
        link.command("EXPUNGE", b"", step="act")
    finally:
        _flag(link, others, rb"+FLAGS.SILENT (\Deleted)")


def _move(link: Link, uids: Sequence[int], path: str) -> None:
    target = link.folder_name(path)
    if target == link.opened.folder or target.upper() == link.opened.folder.upper() == b'"INBOX"':
        return  # RFC 3501 §5.1: INBOX in any spelling is one folder; a move into it would make new mail of the mail
    verb = "UID MOVE" if link.can(b"MOVE") else "UID COPY"  # RFC 6851
    for uid_set, members in uid_sets(uids):
        try:
            link.command(verb, uid_set + b" " + target, step="act")
        except Transient as error:
            if error.code not in ("target_missing", "command_refused"):
                raise
            _create(link, target, path, because=error)
            link.command(verb, uid_set + b" " + target, step="act")
        if verb == "UID COPY":
            _delete(link, members)


def _create(link: Link, target: bytes, path: str, *, because: PostroomError) -> None:
    """Make the target folder; servers differ in how they say that it is missing, so that is not asked."""
    try:
        link.command("CREATE", target, step="act")
    except PostroomError as error:
        if "EXISTS" in error.what.upper():  # it was there, so something else was wrong
            raise because from error
        raise Transient(
            f"The folder {path} could not be created",
            on=link.on,
            step="act",
            code="folder_not_created",
            remedy=f"Create the folder {path} on the server; the mail is stored here already.",
        ) from error
