"""UIDs that mean something else now, sizes that are kept back, ids that are gone: no mail is taken for dealt with."""

from __future__ import annotations

from dataclasses import replace

import pytest
from postroom.model.mailbox_state import LeftAlone
from postroom.model.server_mail import Action

from tests.functional.mail_protocols.hosts import Embedded, Host
from tests.functional.mail_protocols.mails import mail, stored_up_to
from tests.functional.mail_protocols.opening import imap_session, mailbox, on_host

DELETED = {"leave_msg_on_server": False}


@pytest.mark.feature("G02")
@pytest.mark.fault(25)
def test_a_message_that_the_server_leaves_out_of_the_sizes_is_listed_without_one(embedded: Embedded) -> None:
    embedded.append_all([mail(number) for number in range(3)])
    embedded.server.faults.no_size = {2}
    with on_host(embedded, **DELETED) as session:
        listed = session.list(None).news
    assert [(item.id, item.size is None) for item in listed] == [("1", False), ("2", True), ("3", False)]


@pytest.mark.fault(21)
def test_a_message_that_went_before_its_size_was_asked_for_is_not_listed(embedded: Embedded) -> None:
    embedded.append_all([mail(number) for number in range(3)])
    with on_host(embedded, **DELETED) as session:
        search = session._link.search

        def searched(*args: object, **options: object) -> list[int]:
            found = search(*args, **options)  # type: ignore[arg-type]
            if 2 in embedded.flags():
                embedded.remove(2)
            return found

        session._link.search = searched  # type: ignore[method-assign]
        assert [item.id for item in session.list(None).news] == ["1", "3"]


@pytest.mark.fault(20)
@pytest.mark.parametrize("leave", [True, False], ids=["left-on-server", "deleted"])
def test_a_folder_restored_from_a_backup_under_its_old_number_is_taken_from_the_beginning(
    embedded: Embedded, leave: bool
) -> None:
    embedded.append_all([mail(number) for number in range(5)])
    with on_host(embedded, leave_msg_on_server=leave) as session:
        position = stored_up_to(session.list(None), 5)
    folder = embedded.server.folder(embedded.user, "INBOX")
    folder.remove(list(folder.messages))
    folder.uidnext = 3  # as it was when the backup was made
    with on_host(embedded, leave_msg_on_server=leave) as session:
        assert session.look(position)
    embedded.append(mail(9))  # gets a number that we have dealt with
    with on_host(embedded, leave_msg_on_server=leave) as session:
        assert session.look(position)
        listing = session.list(position)
    assert listing.resynced
    assert [item.id for item in listing.news] == ["3"]
    assert listing.unfinished == ()


@pytest.mark.parametrize("leave", [True, False], ids=["left-on-server", "deleted"])
def test_a_server_that_tells_the_next_number_wrongly_is_not_taken_for_a_backup(embedded: Embedded, leave: bool) -> None:
    embedded.append_all([mail(number) for number in range(3)])
    embedded.server.faults.uidnext = 1
    with on_host(embedded, leave_msg_on_server=leave) as session:
        position = stored_up_to(session.list(None), 3)
        assert not session.list(position).resynced
        session.act(["1", "2", "3"], Action.MARK_READ)
    with on_host(embedded, leave_msg_on_server=True) as session:
        assert not session.look(position)


@pytest.mark.parametrize("leave", [True, False], ids=["left-on-server", "deleted"])
def test_what_is_no_longer_on_the_server_leaves_the_problem_list(host: Host, leave: bool) -> None:
    host.append_all([mail(number) for number in range(4)])
    aside = {"1": LeftAlone.GIVEN_UP, "2": LeftAlone.OVERSIZE, "3": 1}
    with on_host(host, leave_msg_on_server=leave) as session:
        position = replace(stored_up_to(session.list(None), 3), problems=aside)
        assert session.list(position).position.problems == aside
    host.remove(1)
    host.remove(3)
    with on_host(host, leave_msg_on_server=leave) as session:
        listing = session.list(position)
    assert listing.position.problems == {"2": LeftAlone.OVERSIZE, "3": 1}  # what is tried again tells its own end
    assert listing.unfinished == ()


def test_one_that_a_search_forgets_stays_on_the_problem_list_while_it_can_be_fetched(embedded: Embedded) -> None:
    embedded.append_all([mail(number) for number in range(2)])
    with on_host(embedded, **DELETED) as session:
        position = replace(stored_up_to(session.list(None), 2), problems={"1": LeftAlone.GIVEN_UP})
        session._link.search = lambda *_args, **_options: [2]  # type: ignore[method-assign]  # its index is broken
        assert session.list(position).position.problems == {"1": LeftAlone.GIVEN_UP}


@pytest.mark.fault(19)
def test_thousands_stored_beyond_one_that_is_not_make_no_line_that_servers_refuse(embedded: Embedded) -> None:
    embedded.append_all([mail(number) for number in range(3_000)])
    folder = embedded.server.folder(embedded.user, "INBOX")
    folder.remove([message for message in folder.messages if message.uid % 2])  # no two UIDs follow each other
    for message in folder.messages:
        message.flags.add("\\Seen")
    with on_host(embedded) as session:
        listed = replace(stored_up_to(session.list(None), 1000), exists=None)
    position = replace(listed, cursor="2", known=frozenset(str(uid) for uid in range(6, 3_000, 2)), problems={"4": 1})
    box = mailbox(embedded.port, embedded.ca_pem, user=embedded.user)
    with imap_session(box, ask=position) as session:
        listing = session.list(position)
        assert [item.id for item in listing.news] == ["4", "3000"]
        assert listing.unfinished == ()
        position = replace(position, known=position.known | {"3000"}, problems={"4": LeftAlone.GIVEN_UP})
        assert not session.look(position)
        folder.with_uid(2).flags.clear()
        folder.with_uid(1000).flags.clear()
        assert session.list(position).unfinished == ("2", "1000")
    assert max(len(command.text) for command in embedded.server.log) < 8_000
