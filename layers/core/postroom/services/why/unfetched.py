"""Mails that made no interaction since they were not fetched: what a mailbox remembers of them, and what to try."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from postroom.model import Action, Aside, LeftAlone, MailboxState, Position, Problem, is_left_alone
from postroom.model.configuration import Mailbox, Type
from postroom.ports import Configurations, MailboxStates
from postroom.rules.polling import after_giving_up, after_storage, series, set_aside
from postroom.services.mailboxes import TELLING

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
    state = states.load([mailbox.identity], consistent=True)[mailbox.identity]
    ids = [server_id] if separator else _not_had(state.position)
    found = [_of_one(mailbox, state, one) for one in ids]
    return [_by_records(one, mailbox, state.position, states) for one in found]


def advice(*, configurations: Configurations, states: MailboxStates) -> Iterator[str]:
    """Say what was looked for, and what to try; one sentence after the other."""
    yield (
        "It was looked for as the Message-ID of mail that came in or left, as the id of an interaction or of an "
        "outgoing mail, as the token in one of our Message-IDs or addresses, as the SHA-256 of a mail's bytes, as the "
        "key of a raw message, and as MAILBOX/ID-ON-THE-SERVER."
    )
    mailboxes = {mailbox.name: mailbox for mailbox in configurations.current().mailboxes}
    known = states.load([mailbox.identity for mailbox in mailboxes.values()]) if mailboxes else {}
    positions = {name: known[mailbox.identity].position for name, mailbox in mailboxes.items()}
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
    wanted = [one for one, why in _set_aside(position).items() if why != LeftAlone.OLD]
    return sorted(wanted, key=lambda one: (len(one), one) if one.isdigit() else (10**6, one))


def _unknown(mailbox: Mailbox, position: Position | None) -> list[str]:
    """Name what was seen and of which not even the headers were had."""
    headers_had = LeftAlone.OVERSIZE if mailbox.enable_big_msg_stripping else None
    why = _set_aside(position)
    return [one for one in _not_had(position) if why[one] != headers_had]


def _set_aside(position: Position | None) -> dict[str, Problem]:
    """Say of each mail that was set aside why; also of those that have left the server since, the newest of them."""
    if position is None:
        return {}
    return {one: aside.why for one, aside in position.asides.items()} | position.problems


def _of_one(mailbox: Mailbox, known: MailboxState, server_id: str) -> Unfetched:
    position = known.position
    if position is None:
        state, says = "unknown", "This mailbox was never opened yet, so nothing is known of its mails."
    elif known.trouble is not None or known.lost:
        why = known.trouble.what if known.trouble else f"{known.lost}; the next poll compares all that lies there"
        state, says = "unknown", f"What is remembered of this mailbox's mails cannot be read: {why.rstrip('. ')}."
    elif (tries := _set_aside(position).get(server_id)) is not None:
        state, says = _problem(mailbox, tries, position.asides.get(server_id), there=server_id in position.problems)
    else:
        state, says = _no_problem(mailbox, known, position, server_id)
    reason = position.reasons.get(server_id, "") if position else ""
    return Unfetched(mailbox.name, server_id, state, says, reason)


def _problem(mailbox: Mailbox, problem: Problem, aside: Aside | None, *, there: bool) -> tuple[str, str]:
    """Say how often a mail has failed, or why it is left alone, and where it is.

    `there`: no listing has shown it gone.
    """
    if not is_left_alone(problem):
        return (
            "failing",
            f"It could not be fetched in {problem} of {LeftAlone.GIVEN_UP} tries; a later poll tries again, if it is "
            "there still.",
        )
    match LeftAlone(problem):
        case LeftAlone.GIVEN_UP:
            anew = "" if mailbox.type is Type.POP3 else _ANEW
            where = _on_server(mailbox, aside, there) if aside or not after_giving_up(mailbox) else _UNRECORDED
            return (
                "on the problem list",
                f"It could not be fetched in {LeftAlone.GIVEN_UP} tries: none follows by itself. {where}{anew}",
            )
        case LeftAlone.DOUBTFUL:
            return (
                "on the problem list",
                f"What came in {LeftAlone.GIVEN_UP} tries did not show that it was the mail: none follows by itself. "
                f"{_on_server(mailbox, aside, there)}",
            )
        case LeftAlone.OVERSIZE:
            limit = f"it is larger than maximum_msg_size, {mailbox.maximum_msg_size} MB"
            where = _on_server(mailbox, aside, there)
            if mailbox.enable_big_msg_stripping:
                return "over-size", f"Only its headers were fetched, as an interaction, since {limit}. {where}"
            return "over-size", f"It was not fetched, since {limit}, and enable_big_msg_stripping is off. {where}"
        case LeftAlone.BAD_SIZE:
            return "bad size", f"The server cannot say its size, and allow_bad_msg_size is off. {_STILL_THERE}"
        case LeftAlone.OLD:
            return "old", _OLD


def _on_server(mailbox: Mailbox, aside: Aside | None, there: bool) -> str:
    """Say where a mail is that was set aside: what its server was asked for, how often, and what came of it."""
    action = aside and (aside.done or set_aside.wanted(aside, mailbox))
    if aside is None or not action:
        return _STILL_THERE
    folder = mailbox.failed_items_folder_name
    refused = "once" if aside.refused == 1 else f"{aside.refused} times"
    if aside.done:
        after = f", after it had been refused {refused}" if aside.refused else ""
        done = f"{_DONE[action].format(folder=folder)}{after}"
        if there and action in (Action.DELETE, Action.MOVE_FAILED):
            return f"By the server's word it {done}. No listing has shown that yet; one that shows it asks again."
        return f"It {done}."
    if not aside.refused:
        return f"It is to be {_TO_DO[action].format(folder=folder)} at the next poll."
    due = f"at {aside.due:%Y-%m-%d %H:%M} UTC" if aside.due else "at the next poll"
    reason = aside.reason.rstrip(". ")
    return (
        f"It is to be {_TO_DO[action].format(folder=folder)}, which the server has refused {refused}, "
        f"the last time with: {reason}. It is asked again {due}, or by the first poll after that."
    )


def _by_records(found: Unfetched, mailbox: Mailbox, position: Position | None, states: MailboxStates) -> Unfetched:
    """Say of mail below an IMAP cursor whether a record vouches for it: the cursor itself is no proof (ADR 0018)."""
    if found.state != _PASSED or position is None:
        return found
    if position.kept and found.server_id in states.stored(mailbox.identity, series(position, mailbox)):
        return replace(found, state="stored", says=found.says.replace(_UNLESS_GONE, ""))
    if mailbox.stays and position.compared is not None:
        return replace(found, state="no record", says=_NO_RECORD.format(at=position.compared))
    return found


def _no_problem(mailbox: Mailbox, known: MailboxState, position: Position, server_id: str) -> tuple[str, str]:
    if _is_before(server_id, position.floor):
        return "old", _OLD
    if server_id in position.known or _is_before(server_id, position.cursor):
        action = after_storage(mailbox)
        left = _AFTER_STORAGE[action]
        refusing = action is not None and known.health.step == TELLING and not set_aside.pending(position, mailbox)
        but = (
            f" At present the server does not let that be done: {known.health.reason.rstrip('. ')}." if refusing else ""
        )
        certain = mailbox.type is not Type.IMAP or server_id in position.records
        unless = "" if certain else _UNLESS_GONE
        again = _AGAIN if certain and action in (Action.DELETE, Action.MOVE) else ""
        return "stored" if certain else _PASSED, f"It was stored{unless}, {left}.{again}{but} Its Message-ID finds it."
    if mailbox.type is Type.IMAP and server_id.isdigit():
        return "not seen yet", "It is later than all mail seen so far; `postroom mailbox poll` looks now."
    return "unknown", "Nothing is remembered of a mail with this id: it was not seen, or has left the server since."


_PASSED = "stored or gone"
_UNLESS_GONE = ", unless it was gone before it could be read"
_NO_RECORD = (
    "No record says that it was stored: it did not lie there, or was no news, when the folder was last compared at "
    "{at:%Y-%m-%d %H:%M} UTC. If it lies there now, the next comparison fetches it, within a day."
)
_ANEW = " Moved to another folder and back, it gets a new id and a new try."
_STILL_THERE = "It is on the server still, where it was."
_OLD = "It lay there before the mailbox was first connected, and first_connection leaves such mail alone."
_AGAIN = " As long as it is listed there, that is asked for again."
_AFTER_STORAGE: dict[Action | None, str] = {
    Action.DELETE: "and then deleted on the server",
    Action.MOVE: "and then moved to the folder for processed items",
    Action.MARK_READ: "and then marked as read",
    None: "and left on the server as it is",
}
_DONE: dict[str, str] = {
    Action.DELETE: "was deleted on the server",
    Action.MOVE_FAILED: "was moved to the folder {folder} on the server",
    Action.MARK_READ: "was marked as read, and is on the server still",
    set_aside.GONE: "is no longer on the server",
}
_TO_DO: dict[str, str] = {
    Action.DELETE: "deleted on the server",
    Action.MOVE_FAILED: "moved to the folder {folder} on the server",
    Action.MARK_READ: "marked as read on the server",
}
_UNRECORDED = "What was done with it on the server was not recorded at that time."


def _is_before(server_id: str, mark: str) -> bool:
    return server_id.isdigit() and mark.isdigit() and int(server_id) <= int(mark)
