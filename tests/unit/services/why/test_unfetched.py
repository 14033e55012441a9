"""What a mailbox says of a mail by its id on the server."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from postroom.errors import Transient
from postroom.model.configuration.document import Configuration
from postroom.model.mailbox_state import Aside, Health, HealthState, LeftAlone, MailboxState, Position, Record
from postroom.services.why.unfetched import Unfetched, advice, unfetched


class States:
    """What is remembered of the one mailbox."""

    def __init__(self, position: Position | None, **more: Any) -> None:
        self._position = position
        self._more = more

    def load(self, names: Sequence[str], *, consistent: bool = False) -> Mapping[str, MailboxState]:
        return {name: MailboxState(name, position=self._position, **self._more) for name in names}

    def stored(self, name: str, series: str) -> Collection[str]:
        return {"2"}


class Configured:
    """A configuration of one mailbox."""

    def __init__(self, **options: Any) -> None:
        box = {"name": "box", "address": "box@example.com", "server": "mail.example.com", "enabled": True, **options}
        self._configuration = Configuration.model_validate({"mailboxes": [box]})

    def current(self) -> Configuration:
        return self._configuration


def told(asked: str, position: Position | None, **options: Any) -> list[Unfetched]:
    return unfetched(asked, configurations=Configured(**options), states=States(position))  # type: ignore[arg-type]  # reads only


IMAP = Position(
    epoch="1",
    floor="3",
    cursor="9",
    known=frozenset({"12"}),
    problems={"5": 1, "6": LeftAlone.GIVEN_UP, "7": LeftAlone.OVERSIZE, "8": LeftAlone.BAD_SIZE, "9": LeftAlone.OLD},
    reasons={"6": "the server gave nothing"},
)
LEFT = {"leave_msg_on_server": True}
RECORDED = replace(IMAP, records={"4": Record(100, None)})
KEPT = replace(IMAP, floor="0", kept="9", compared=datetime(2026, 11, 21, tzinfo=UTC))
MOVED = replace(
    IMAP,
    asides={
        "6": Aside(LeftAlone.GIVEN_UP, done="move-failed"),
        "7": Aside(LeftAlone.OVERSIZE, refused=2, due=datetime(2026, 11, 21, 12, tzinfo=UTC), reason="NO permission."),
        "10": Aside(LeftAlone.GIVEN_UP, done="delete", refused=1),
        "11": Aside(LeftAlone.GIVEN_UP, done="gone"),
    },
)
POP3 = Position(epoch="1", known=frozenset({"uidl/with/slashes"}), problems={"x": LeftAlone.GIVEN_UP})

CASES: dict[str, tuple[str, dict[str, Any], Position | None, str, str]] = {
    "before-the-first-connection": ("2", {}, IMAP, "old", "first_connection"),
    "passed-and-deleted": (
        "4",
        {},
        IMAP,
        "stored or gone",
        "unless it was gone before it could be read, and then deleted",
    ),
    "passed-and-left": ("4", {"leave_msg_on_server": True}, IMAP, "stored or gone", "marked as read"),
    "passed-and-moved": ("4", {"processed_items_folder_name": "Done"}, IMAP, "stored or gone", "processed items"),
    "passed-behind-the-cursor": ("12", {}, IMAP, "stored or gone", "Its Message-ID finds it"),
    "stored-by-its-record": ("4", {}, RECORDED, "stored", "It was stored, and then deleted"),
    "stored-by-its-bitmap": ("2", LEFT, KEPT, "stored", "It was stored, and then marked as read"),
    "passed-without-record": ("4", LEFT, KEPT, "no record", "the next comparison fetches it"),
    "failing": ("5", {}, IMAP, "failing", "1 of 3 tries"),
    "given-up-and-moved": (
        "6",
        {},
        MOVED,
        "on the problem list",
        "By the server's word it was moved to",
    ),
    "given-up-and-left": ("6", {"move_failed_ews_item": False}, IMAP, "on the problem list", "on the server still"),
    "given-up-and-deleted-since": ("10", {}, MOVED, "on the problem list", "deleted on the server, after it had been"),
    "given-up-and-gone": ("11", {}, MOVED, "on the problem list", "It is no longer on the server."),
    "given-up-by-an-earlier-version": ("6", {}, IMAP, "on the problem list", "was not recorded"),
    "over-size-refused": (
        "7",
        {"delete_big_msg": True},
        MOVED,
        "over-size",
        "refused 2 times, the last time with: NO ",
    ),
    "over-size-asked-again": ("7", {"delete_big_msg": True}, MOVED, "over-size", "again at 2026-11-21 12:00 UTC"),
    "over-size-refused-and-wanted-no-more": ("7", {"type": "POP3"}, MOVED, "over-size", "still, where it was"),
    "over-size": ("7", {"maximum_msg_size": 2}, IMAP, "over-size", "Only its headers"),
    "over-size-unstripped": ("7", {"enable_big_msg_stripping": False}, IMAP, "over-size", "was not fetched"),
    "bad-size": ("8", {}, IMAP, "bad size", "allow_bad_msg_size"),
    "left-aside": ("9", {}, IMAP, "old", "first_connection"),
    "later": ("13", {}, IMAP, "not seen yet", "mailbox poll"),
    "no-number": ("x", {}, IMAP, "unknown", "was not seen"),
    "never-opened": ("1", {}, None, "unknown", "never opened"),
    "pop3-stored": ("uidl/with/slashes", {"type": "POP3"}, POP3, "stored", "deleted on the server"),
    "pop3-given-up": ("x", {"type": "POP3"}, POP3, "on the problem list", "on the server still"),
    "pop3-unknown": ("1", {"type": "POP3"}, POP3, "unknown", "was not seen"),
}


@pytest.mark.parametrize(("server_id", "options", "position", "state", "says"), CASES.values(), ids=CASES.keys())
def test_what_became_of_a_mail_is_said_by_its_id(
    server_id: str, options: dict[str, Any], position: Position | None, state: str, says: str
) -> None:
    (found,) = told(f"box/{server_id}", position, **options)
    assert (found.mailbox, found.server_id, found.state) == ("box", server_id, state)
    assert says in found.says


@pytest.mark.fault(39)
def test_a_stored_mail_whose_server_refuses_its_deletion_does_not_count_as_deleted() -> None:
    refusing = States(IMAP, health=Health(HealthState.RETRYING, step="act", reason="NO [OVERQUOTA] It is full"))
    (found,) = unfetched("box/4", configurations=Configured(), states=refusing)  # type: ignore[arg-type]  # reads only
    assert "At present the server does not let that be done: NO [OVERQUOTA] It is full." in found.says


@pytest.mark.parametrize(
    ("more", "says"),
    [
        pytest.param({"lost": "The object x is missing"}, "The object x is missing; the next poll compares", id="lost"),
        pytest.param({"trouble": Transient("AWS refused")}, "cannot be read: AWS refused.", id="cannot be read now"),
    ],
)
def test_where_memory_cannot_be_read_nothing_is_said_of_a_mail_but_that(more: dict[str, Any], says: str) -> None:
    states = States(Position(catching_up=True), **more)
    (found,) = unfetched("box/4", configurations=Configured(), states=states)  # type: ignore[arg-type]  # reads only
    assert (found.state, says in found.says) == ("unknown", True)


def test_how_the_last_try_ended_is_told() -> None:
    assert [one.reason for one in told("box/6", IMAP)] == ["the server gave nothing"]


def test_a_mailbox_lists_what_it_could_not_have_in_order() -> None:
    assert [one.server_id for one in told("box", IMAP)] == ["5", "6", "7", "8"]


@pytest.mark.parametrize("asked", ["nobox", "nobox/1", "box/", "", "/"])
def test_what_names_no_mail_finds_none(asked: str) -> None:
    assert told(asked, IMAP) == []


def test_advice_counts_mails_of_which_not_even_the_headers_are_there() -> None:
    said = " ".join(advice(configurations=Configured(), states=States(IMAP)))  # type: ignore[arg-type]  # reads only
    assert "box (3: `postroom why box`)" in said
    assert "never opened" not in said
    empty = " ".join(advice(configurations=Configured(), states=States(None)))  # type: ignore[arg-type]  # reads only
    assert "never opened yet: box" in empty
