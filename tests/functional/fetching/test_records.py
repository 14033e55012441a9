"""Acts on a server rest on records: whatever it says of its ids, no mail is told away that was not fetched.

The family: an id is taken for the mail that was stored under it. It is not after a restore from a backup, when an
answer lacks one, behind a replica, or on another connection (ADR 0018).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from postroom.adapters.imap.session import ImapConnector
from postroom_cli.mailservers.imap import FetchFault, ImapServer

from tests.support.dovecot import dovecot
from tests.support.mails import mail
from tests.unit.services.polling.fakes import Post, a_mailbox

USER, PASSWORD = "box@example.com", "correct horse"
THEN = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
MAILS = [mail(subject=str(number), body="x" * number) for number in range(1, 10)]

MODES: dict[str, dict[str, Any]] = {
    "deleted": {},
    "left": {"leave_msg_on_server": True},
    "moved": {"processed_items_folder_name": "done"},
}
every_mode = pytest.mark.parametrize("options", MODES.values(), ids=MODES.keys())


def post_for(port: int, ca_pem: str, **options: Any) -> Post:
    """Make a poller of the one mailbox of a server, connected once."""
    settings = {"server": "127.0.0.1", "port": port, "ca_certificate": ca_pem, **options}
    connector = ImapConnector(allowed_networks=(ip_network("127.0.0.0/8"),))
    post = Post(a_mailbox("box", **settings), connector=connector, monotonic=time.monotonic)
    post.secrets.values["box-password"] = PASSWORD
    post.poll()
    return post


class Simulated:
    """A mailbox of the embedded server."""

    def __init__(self, server: ImapServer, **options: Any) -> None:
        self.server = server
        self.folder = server.folder(USER, "INBOX")
        self.post = post_for(server.port, server.ca_pem, **options)

    def deliver(self, *mails: bytes, date: datetime | None = None, seen: bool = False) -> None:
        for raw in mails:
            flags = ["\\Seen"] if seen else []
            self.server.append(USER, "INBOX", raw, internaldate=date or datetime.now(UTC), flags=flags)

    def poll(self, times: int = 1) -> None:
        for _ in range(times):
            self.post.poll()

    @property
    def next_connection(self) -> int:
        return self.server.connections + 1

    def had(self) -> list[bytes]:
        """Return what was stored, each once."""
        return sorted({stored.content for stored in self.post.raw.objects.values()})

    def unread(self) -> list[int]:
        return [message.uid for message in self.folder.messages if "\\Seen" not in message.flags]

    def change(self, **options: Any) -> None:
        """Configure the mailbox otherwise."""
        configuration = self.post.configurations.configuration
        mailboxes = tuple(one.model_copy(update=options) for one in configuration.mailboxes)
        self.post.configurations.configuration = configuration.model_copy(update={"mailboxes": mailboxes})

    def forget(self, **changes: Any) -> None:
        """Remember what an earlier version did: a cursor, and no records."""
        state = self.post.state
        assert state.position is not None
        old = replace(state.position, records={}, kept="", exists=None, compared=None, **changes)
        self.post.states.items["box"] = replace(state, position=old)
        self.post.states.kept.clear()


@pytest.fixture
def simulated() -> Any:
    with ImapServer({USER: PASSWORD}) as server:
        yield lambda **options: Simulated(server, **options)


Make = Callable[..., Simulated]


@pytest.mark.fault(93)
@every_mode
@pytest.mark.parametrize("seen", [False, True], ids=["unread", "read by somebody"])
@pytest.mark.parametrize("arrived", [2, 5], ids=["below our cursor", "over our cursor"])
def test_mail_that_a_restored_folder_gives_used_ids_to_is_fetched(
    simulated: Make, options: dict[str, Any], arrived: int, seen: bool
) -> None:
    box = simulated(**options)
    box.deliver(*MAILS[:4], date=THEN)
    box.poll()
    folder = box.folder
    folder.remove([message for message in folder.messages if message.uid > 2])
    folder.uidnext = 3  # the backup was made after two mails
    box.deliver(*MAILS[4 : 4 + arrived], seen=seen)
    box.poll(3)
    box.post.wait(days=1)  # as many messages as before, all of them read: only the daily comparison shows that
    box.poll(3)
    assert box.had() == sorted(MAILS[: 4 + arrived])


@pytest.mark.fault(93)
@pytest.mark.parametrize("options", [MODES["deleted"], MODES["left"]], ids=["deleted", "left"])
def test_mail_of_a_dovecot_mailbox_restored_from_a_copy_is_fetched(options: dict[str, Any], tmp_path: Path) -> None:
    with dovecot({USER: PASSWORD}) as server:
        post = post_for(server.imaps, server.ca_pem, **options)
        place = server.base / "mail" / USER
        server.append_all(USER, MAILS[:2], password=PASSWORD)
        copy = tmp_path / "backup"
        shutil.copytree(place, copy, symlinks=True)
        server.append_all(USER, MAILS[2:5], password=PASSWORD)
        post.poll()
        owner = place.stat()
        time.sleep(1.1)  # dates have whole seconds
        with contextlib.suppress(subprocess.CalledProcessError):  # nobody is connected
            server.doveadm("kick", USER)
        shutil.rmtree(place)
        shutil.copytree(copy, place, symlinks=True)
        for path in [place, *place.rglob("*")] if os.getuid() == 0 else ():
            shutil.chown(path, owner.st_uid, owner.st_gid)
        server.append_all(USER, MAILS[5:9], password=PASSWORD)  # UIDs 3 to 6, over a cursor of 5
        for _ in range(3):
            post.poll()
        had = {stored.content for stored in post.raw.objects.values()}
        assert had == set(MAILS)


@pytest.mark.fault(94)
@every_mode
@pytest.mark.parametrize("seen", [False, True], ids=["unread", "read by somebody"])
def test_a_mail_that_one_search_leaves_out_is_fetched(simulated: Make, options: dict[str, Any], seen: bool) -> None:
    box = simulated(**options)
    box.deliver(*MAILS[:3], seen=seen)
    box.server.faults.lacking = [{2}]
    box.poll(2)
    assert box.had() == sorted(MAILS[:3])
    assert box.unread() == []


@pytest.mark.fault(94)
@every_mode
def test_a_mail_that_a_replica_does_not_hold_yet_is_fetched(simulated: Make, options: dict[str, Any]) -> None:
    box = simulated(**options)
    box.deliver(*MAILS[:3])
    box.server.faults.fetch_once[1] = FetchFault.DROP_MID_LITERAL  # and the next connection leads to the replica
    box.server.faults.behind[box.next_connection + 1] = {2}
    box.poll()
    box.server.faults.behind.clear()
    box.poll(3)
    assert box.had() == sorted(MAILS[:3])
    assert box.unread() == []
    assert len(box.folder.uids) == (3 if "leave_msg_on_server" in options else 0)


@pytest.mark.fault(94)
def test_a_look_at_a_replica_that_is_behind_does_not_end_in_a_cursor_that_has_passed_a_mail(simulated: Make) -> None:
    box = simulated(**MODES["left"])
    box.deliver(*MAILS[:3], seen=True)
    box.server.faults.behind[box.next_connection] = {2}
    box.poll()
    assert box.had() == sorted([MAILS[0], MAILS[2]])
    box.poll()
    assert box.had() == sorted(MAILS[:3])


@pytest.mark.fault(109)
@every_mode
@pytest.mark.parametrize("breaks", ["fetch", "act"])
def test_nothing_is_told_by_ids_of_a_folder_that_was_replaced_between_two_connections(
    simulated: Make, options: dict[str, Any], breaks: str
) -> None:
    box = simulated(**options)
    box.deliver(*MAILS[:2])
    number = box.next_connection + 1
    box.server.faults.validities[number] = box.folder.uidvalidity + 5
    if breaks == "fetch":
        box.server.faults.fetch_once[1] = FetchFault.DROP_MID_LITERAL
    else:  # the SELECT before the act comes to another folder
        box.server.faults.validities[number - 1] = box.folder.uidvalidity
        validities = box.server.faults.validities

        class Changing(dict[int, int]):
            def get(self, connection: int, default: Any = None) -> Any:
                asked = [one.name for one in box.server.log if one.connection == connection]
                return validities[number] if "SELECT" in asked else default

        box.server.faults.validities = Changing()
    box.poll()
    assert box.folder.uids == [1, 2]
    assert box.unread() == [1, 2]
    box.server.faults.validities = {}
    box.poll(3)
    assert box.had() == sorted(MAILS[:2])
    assert box.unread() == []


@pytest.mark.fault(94)
@every_mode
def test_another_mail_under_a_recorded_id_is_fetched_and_not_told_away(
    simulated: Make, options: dict[str, Any]
) -> None:
    box = simulated(**options)
    box.server.faults.read_only = True
    box.deliver(MAILS[0], date=THEN)
    box.poll()
    box.server.faults.read_only = False
    box.folder.messages[0].raw = MAILS[4]  # the same UID, another size
    box.poll(2)
    assert box.had() == sorted([MAILS[0], MAILS[4]])
    assert box.unread() == []


@pytest.mark.fault(94)
def test_a_size_that_is_missing_once_is_no_reason_to_act_or_to_fetch_again(simulated: Make) -> None:
    box = simulated()
    box.server.faults.read_only = True
    box.deliver(MAILS[0])
    box.poll()
    box.server.faults.read_only = False
    box.server.faults.no_size_once = {1}
    box.poll()
    assert (box.folder.uids, box.post.raw.puts) == ([1], 1)
    box.poll()
    assert (box.folder.uids, box.post.raw.puts) == ([], 1)


@pytest.mark.fault(37)
@every_mode
def test_a_state_of_an_earlier_version_is_no_proof_for_an_act(simulated: Make, options: dict[str, Any]) -> None:
    box = simulated(**options)
    box.server.faults.read_only = True
    box.deliver(*MAILS[:3])
    box.poll()
    box.server.faults.read_only = False
    box.folder.messages[1].raw = MAILS[4]  # what the cursor has passed is another mail
    box.forget()
    box.server.log.clear()
    box.poll(2)
    assert MAILS[4] in box.had()
    assert box.unread() == []
    names = [command.name for command in box.server.log]
    acts = [at for at, name in enumerate(names) if name in ("UID STORE", "UID MOVE")]
    contents = [at for at, one in enumerate(box.server.log) if "BODY.PEEK[]" in one.text]
    assert contents
    assert min(acts) > min(contents)


def test_what_an_earlier_version_has_stored_and_marked_is_not_fetched_again(simulated: Make) -> None:
    box = simulated(**MODES["left"])
    box.deliver(*MAILS[:3])
    box.poll()
    box.forget()
    box.poll()
    box.deliver(MAILS[3])
    box.poll(2)
    assert (box.had(), box.post.raw.puts) == (sorted(MAILS[:4]), 4)
    position = box.post.state.position
    assert position is not None
    assert position.compared is not None
    assert [sorted(map(int, ids)) for ids in box.post.states.kept.values()] == [[1, 2, 3, 4]]


def test_a_mail_that_people_mark_as_unread_is_marked_again_and_fetched_at_most_once(simulated: Make) -> None:
    box = simulated(**MODES["left"])
    many = [mail(subject=f"Mail {number}") for number in range(20)]
    box.deliver(*many[:19])
    box.poll(2)
    box.deliver(many[19])
    box.poll(2)
    for uid, downloads in ((20, 20), (1, 21)):  # one of the newest has its record still
        box.folder.with_uid(uid).flags.clear()
        box.poll(2)
        assert (box.unread(), box.post.raw.puts) == ([], downloads)


@pytest.mark.fault(117)
def test_mail_that_was_to_stay_stays_when_new_mail_is_to_be_deleted(simulated: Make) -> None:
    box = simulated(**MODES["left"])
    box.deliver(*MAILS[:3])
    box.poll(2)
    box.change(leave_msg_on_server=False)
    box.folder.with_uid(2).flags.clear()
    box.deliver(MAILS[3])
    box.poll(3)
    assert box.folder.uids == [1, 2, 3]
    assert (box.had(), box.post.raw.puts) == (sorted(MAILS[:4]), 4)


@pytest.mark.fault(117)
@pytest.mark.parametrize("window", [3, 50_000], ids=["large-folder", "small-folder"])
def test_mail_that_was_to_stay_stays_also_behind_one_that_could_not_be_had(
    simulated: Make, window: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The cursor stands before that one; what is stored beyond it stays all the same, and what is not is fetched.
    monkeypatch.setattr("postroom.adapters.imap.session.SEARCH_WINDOW", window)
    box = simulated(**MODES["left"])
    box.deliver(*MAILS[:5])
    box.server.faults.fetch[2] = FetchFault.NIL
    box.poll(2)
    box.change(leave_msg_on_server=False)
    box.deliver(MAILS[5])
    box.poll(3)
    assert box.folder.uids == [1, 2, 3, 4, 5]
    box.server.faults.fetch.clear()
    box.post.wait(minutes=20)
    box.poll(3)
    assert box.folder.uids == [1, 3, 4, 5]
    assert (box.had(), box.post.raw.puts) == (sorted(MAILS[:6]), 6)


def test_a_folder_is_compared_once_a_day_and_looks_write_nothing_meanwhile(simulated: Make) -> None:
    box = simulated(**MODES["left"])
    many = [mail(subject=f"Mail {number}") for number in range(20)]
    box.deliver(*many[:19], seen=True)
    box.poll()
    box.deliver(many[19])
    box.poll()
    box.post.states.writes.clear()
    box.post.wait(hours=19)
    box.poll(3)
    assert box.post.states.writes == []
    # A mail that nobody has stored, among as many messages as are accounted for, and read by somebody.
    box.post.states.kept = {series: ids - {"2"} for series, ids in box.post.states.kept.items()}
    box.post.wait(hours=5)
    puts = box.post.raw.puts
    box.poll()
    assert box.post.raw.puts == puts + 1
    box.post.states.writes.clear()
    box.poll(2)
    assert box.post.states.writes == []


def test_people_who_delete_mail_cost_one_comparison_and_no_download(simulated: Make) -> None:
    box = simulated(**MODES["left"])
    box.deliver(*MAILS[:4])
    box.poll(2)
    box.folder.remove([box.folder.with_uid(2)])
    box.post.states.writes.clear()
    box.poll(3)
    assert box.post.states.writes == ["lease", "release"]
    assert box.post.raw.puts == 4
