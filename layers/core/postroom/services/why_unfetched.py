"""Mails that made no interaction since they were not fetched: what a mailbox remembers of them, and what to try."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from postroom.model.mailbox import Mailbox, Type
from postroom.model.polling import BAD_SIZE_LEFT, GIVEN_UP, OLD_LEFT, OVERSIZE_LEFT, Position
from postroom.ports import Action, Configurations, MailboxStates
from postroom.services.polling import after_giving_up, after_storage

_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Unfetched:
    """A mail by its id on the server (IMAP: its UID): where it stands in a word, why in a sentence, how tries ended."""

    mailbox: str
    server_id: str
    state: str
    says: str
    reason: str = ""


def unfetched(asked: str, *, configurations: Configurations, states: MailboxStates) -> list[Unfetched]:
    """Tell of `MAILBOX/ID-ON-THE-SERVER`, or with a mailbox's name alone of everything it could not fetch."""
    name, separator, server_id = asked.partition("/")
    mailbox = configurations.current().mailbox(name)
    if mailbox is None or (separator and not server_id):
        return []
    position = states.load([name], consistent=True)[name].position
    ids = [server_id] if separator else _not_had(position)
    return [_of_one(mailbox, position, one) for one in ids]


def advice(*, configurations: Configurations, states: MailboxStates) -> Iterator[str]:
    """Say what was looked for, and what to try; one sentence after the other."""
    yield (
        "It was looked for as the Message-ID of mail that came in or left, as the id of an interaction or of an "
        "outgoing mail, as the token in one of our Message-IDs or addresses, as the SHA-256 of a mail's bytes, as the "
        "key of a raw message, and as MAILBOX/ID-ON-THE-SERVER."
    )
    mailboxes = {mailbox.name: mailbox for mailbox in configurations.current().mailboxes}
    positions = {name: state.position for name, state in states.load(list(mailboxes)).items()} if mailboxes else {}
    counts = {name: len(_unknown(mailbox, positions[name])) for name, mailbox in mailboxes.items()}
    if failing := [f"{name} ({count}: `postroom why {name}`)" for name, count in counts.items() if count]:
        yield f"Mails that could not be fetched, so that their Message-IDs are unknown: {_named(failing)}."
    if unseen := [name for name, mailbox in mailboxes.items() if not mailbox.enabled or positions[name] is None]:
        yield f"Mailboxes that are disabled, or were never opened yet: {_named(unseen)}."
    yield (
        "A mail that was not fetched yet is on the mail server still: `postroom mailbox list` tells how each mailbox "
        "is, `postroom mailbox poll NAME` looks now. Some senders change a Message-ID on the way: "
        "`postroom interaction list` finds it by its subject."
    )


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


def _not_had(position: Position | None) -> list[str]:
    """Name what was seen and is no interaction; mail from before the first connection is left aside on purpose."""
    ids: Iterable[str] = (position.problems if position else {}).keys()
    wanted = (one for one in ids if position and position.problems[one] != OLD_LEFT)
    return sorted(wanted, key=lambda one: (len(one), one) if one.isdigit() else (10**6, one))


def _unknown(mailbox: Mailbox, position: Position | None) -> list[str]:
    """Name what was seen and of which not even the headers were had."""
    headers_had = OVERSIZE_LEFT if mailbox.enable_big_msg_stripping else None
    return [one for one in _not_had(position) if position and position.problems[one] != headers_had]


def _of_one(mailbox: Mailbox, position: Position | None, server_id: str) -> Unfetched:
    if position is None:
        state, says = "unknown", "This mailbox was never opened yet, so nothing is known of its mails."
    elif server_id in position.problems:
        state, says = _problem(mailbox, position.problems[server_id])
    else:
        state, says = _no_problem(mailbox, position, server_id)
    reason = position.reasons.get(server_id, "") if position else ""
    return Unfetched(mailbox.name, server_id, state, says, reason)


def _problem(mailbox: Mailbox, tries: int) -> tuple[str, str]:
    """Say what the number on the problem list means: tries, or why the mail is left alone (model/polling.py)."""
    if tries < GIVEN_UP:
        return (
            "failing",
            f"It could not be fetched in {tries} of {GIVEN_UP} tries; a later poll tries again. {_STILL_THERE}",
        )
    if tries == GIVEN_UP:
        left = _AFTER_GIVING_UP[after_giving_up(mailbox)].format(folder=mailbox.failed_items_folder_name)
        anew = "" if mailbox.type is Type.POP3 else " Moved to another folder and back, it gets a new id and a new try."
        return (
            "on the problem list",
            f"It could not be fetched in {GIVEN_UP} tries: none follows by itself; {left}.{anew}",
        )
    if tries == OVERSIZE_LEFT:
        limit = f"it is larger than maximum_msg_size, {mailbox.maximum_msg_size} MB"
        if mailbox.enable_big_msg_stripping:
            return "over-size", f"Only its headers were fetched, as an interaction, since {limit}. {_STILL_THERE}"
        return "over-size", f"It was not fetched, since {limit}, and enable_big_msg_stripping is off. {_STILL_THERE}"
    if tries == BAD_SIZE_LEFT:
        return "bad size", f"The server cannot say its size, and allow_bad_msg_size is off. {_STILL_THERE}"
    return "old", _OLD


def _no_problem(mailbox: Mailbox, position: Position, server_id: str) -> tuple[str, str]:
    if _is_before(server_id, position.floor):
        return "old", _OLD
    if server_id in position.known or _is_before(server_id, position.cursor):
        action = after_storage(mailbox)
        left = _AFTER_STORAGE[action]
        return "stored", f"It was stored, unless it was gone before it could be read, {left}. Its Message-ID finds it."
    if mailbox.type is Type.IMAP and server_id.isdigit():
        return "not seen yet", "It is later than all mail seen so far; `postroom mailbox poll` looks now."
    return "unknown", "Nothing is remembered of a mail with this id: it was not seen, or has left the server since."


_STILL_THERE = "It is on the server still."
_OLD = "It lay there before the mailbox was first connected, and first_connection leaves such mail alone."
_AFTER_STORAGE: dict[Action | None, str] = {
    Action.DELETE: "and then deleted on the server",
    Action.MOVE: "and then moved to the folder for processed items",
    Action.MARK_READ: "and then marked as read",
    None: "and left on the server as it is",
}
_AFTER_GIVING_UP: dict[Action | None, str] = {
    Action.DELETE: "delete_bad_formatted_msg has it deleted on the server",
    Action.MOVE_FAILED: "it was moved to the folder {folder} on the server",
    None: "it is on the server still, where it was",
}


def _is_before(server_id: str, mark: str) -> bool:
    return server_id.isdigit() and mark.isdigit() and int(server_id) <= int(mark)
