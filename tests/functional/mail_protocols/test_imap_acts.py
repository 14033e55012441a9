"""What is done on an IMAP server after safe storage: delete, move, mark; refused, half done, repeated."""

from __future__ import annotations

from datetime import timedelta

import pytest
from postroom.errors import Transient
from postroom.model.server_mail import Action
from postroom_cli.mailservers import ImapServer
from postroom_cli.mailservers.imap import CAPABILITIES
from postroom_cli.mailservers.imap_faults import Fault

from tests.functional.mail_protocols.hosts import USERS, Embedded, Host, Real
from tests.functional.mail_protocols.mails import mail, stored_up_to
from tests.functional.mail_protocols.opening import collect, on_host
from tests.support.dovecot import dovecot


def test_deleting_takes_only_what_was_asked(host: Host) -> None:
    host.append_all([mail(number) for number in range(3)])
    host.mark(2, "\\Deleted")  # somebody else's mark
    with on_host(host, leave_msg_on_server=False) as session:
        session.list(None)
        session.act(["1"], Action.DELETE)
    assert host.contents() == [mail(1), mail(2)]
    assert "\\Deleted" in host.flags()[2]


def test_without_uidplus_the_marks_of_others_are_spared() -> None:
    capabilities = [word for word in CAPABILITIES if word not in ("UIDPLUS", "MOVE")]
    with ImapServer(USERS, capabilities=capabilities) as server:
        host = Embedded(server)
        host.append_all([mail(number) for number in range(3)])
        host.mark(2, "\\Deleted")
        with on_host(host, leave_msg_on_server=False) as session:
            session.list(None)
            session.act(["1"], Action.DELETE)
        assert host.contents() == [mail(1), mail(2)]
        assert "\\Deleted" in host.flags()[2]


@pytest.mark.feature("G21", "G13")
@pytest.mark.parametrize("action", [Action.MOVE, Action.MOVE_FAILED], ids=["processed", "failed"])
def test_moving_makes_the_folder_when_it_is_missing(host: Host, action: Action) -> None:
    host.append_all([mail(number) for number in range(3)])
    options = {"processed_items_folder_name": "Done", "failed_items_folder_name": "Failed"}
    with on_host(host, **options) as session:
        session.list(None)
        session.act(["1", "3"], action)
        session.act(["1", "3"], action)  # gone: no error
    assert host.contents() == [mail(1)]
    assert host.contents("Done" if action is Action.MOVE else "Failed") == [mail(0), mail(2)]


@pytest.mark.feature("G21")
def test_without_the_move_extension_messages_are_copied_and_deleted() -> None:
    with ImapServer(USERS, capabilities=[word for word in CAPABILITIES if word != "MOVE"]) as server:
        host = Embedded(server)
        host.append_all([mail(number) for number in range(3)])
        with on_host(host, processed_items_folder_name="Done") as session:
            session.list(None)
            session.act(["1", "3"], Action.MOVE)
        assert host.contents() == [mail(1)]
        assert host.contents("Done") == [mail(0), mail(2)]
        assert [command.name for command in server.log if "MOVE" in command.name] == []


@pytest.mark.fault(39)
def test_a_full_mailbox_is_named_and_the_mail_stays() -> None:
    # A copy needs room, a move within the mailbox does not: so this server hides that it can move.
    quota = "plugin {\n  quota = maildir:User\n  quota_rule = *:storage=1M\n}\n"
    hidden = "protocol imap {\n  imap_capability = IMAP4rev1 LITERAL+ SASL-IR NAMESPACE UIDPLUS UNSELECT\n}\n"
    with dovecot(USERS, plugins="quota imap_quota", extra=quota + hidden) as server:
        host = Real(server)
        raw = mail(1) + b"y" * 700_000 + b"\r\n"
        host.append(raw)
        with on_host(host, processed_items_folder_name="Done") as session, pytest.raises(Transient) as raised:
            session.act([session.list(None).news[0].id], Action.MOVE)
        assert (raised.value.step, raised.value.code) == ("act", "over_quota")
        assert host.contents() == [raw]


@pytest.mark.fault(39)
@pytest.mark.parametrize(
    ("answer", "code"),
    [("NO [OVERQUOTA] Quota exceeded", "over_quota"), ("NO [NOPERM] Not yours", "read_only")],
    ids=["over-quota", "no-permission"],
)
def test_a_refused_move_is_an_error_that_says_what_to_do(embedded: Embedded, answer: str, code: str) -> None:
    embedded.append(mail(1))
    embedded.append(mail(2), folder="Done")
    embedded.server.faults.answers["UID MOVE"] = [answer]
    with on_host(embedded, processed_items_folder_name="Done") as session:
        session.list(None)
        with pytest.raises(Transient) as raised:
            session.act(["1"], Action.MOVE)
        assert (raised.value.step, raised.value.code) == ("act", code)
        session.act(["1"], Action.MOVE)  # repeated when there is room
    assert embedded.contents("Done") == [mail(2), mail(1)]


@pytest.mark.fault(39)
def test_a_folder_that_opens_read_only_is_fetched_but_not_changed(embedded: Embedded) -> None:
    embedded.append(mail(1))
    embedded.server.faults.read_only = True
    with on_host(embedded) as session:
        contents, _ = collect(session, session.list(None).news)
        with pytest.raises(Transient) as raised:
            session.act(["1"], Action.MARK_READ)
    assert contents == {"1": mail(1)}
    assert raised.value.code == "read_only"


@pytest.mark.fault(41)
def test_a_move_that_stopped_half_way_is_found_and_finished() -> None:
    with ImapServer(USERS, capabilities=[word for word in CAPABILITIES if word != "MOVE"]) as server:
        host = Embedded(server)
        host.append(mail(1))
        server.store.create(host.user, "Done")
        server.faults.commands["UID STORE"] = [Fault.DROP]  # copied, but neither marked nor expunged
        with on_host(host, processed_items_folder_name="Done") as session:
            position = stored_up_to(session.list(None), 1)
            with pytest.raises(Transient):
                session.act(["1"], Action.MOVE)
        assert (host.contents(), host.contents("Done")) == ([mail(1)], [mail(1)])
        with on_host(host, processed_items_folder_name="Done") as session:
            assert session.list(position).unfinished == ("1",)
            session.act(["1"], Action.MOVE)
        assert host.contents() == []


@pytest.mark.feature("G21")
def test_the_inbox_in_another_spelling_is_no_folder_to_move_to(host: Host) -> None:
    host.append(mail(1))
    with on_host(host, processed_items_folder_name="Inbox") as session:
        session.list(None)
        session.act(["1"], Action.MOVE)
    assert list(host.flags()) == [1]


@pytest.mark.fault(93)
@pytest.mark.parametrize("change", ["size", "date", "gone"])
@pytest.mark.parametrize("action", [Action.MARK_READ, Action.DELETE, Action.MOVE], ids=lambda action: action.value)
def test_on_a_new_connection_a_mail_must_show_again_that_it_is_the_one_that_was_stored(
    embedded: Embedded, action: Action, change: str
) -> None:
    embedded.append_all([mail(1), mail(2)])
    with on_host(embedded, processed_items_folder_name="Done") as session:
        session.list(None)
        message = embedded.server.folder(embedded.user, "INBOX").with_uid(1)
        if change == "size":
            message.raw = mail(1, size=10)
        elif change == "date":
            message.internaldate += timedelta(seconds=1)
        else:
            embedded.remove(1)
        session._link.give_up()  # what follows dials again: to a backup, perhaps
        assert list(session.act(["1", "2"], action)) == ([] if change == "gone" else ["1"])
    flags = embedded.flags()
    assert flags.get(1) == (None if change == "gone" else set())
    assert flags.get(2) == ({"\\Seen"} if action is Action.MARK_READ else None)


@pytest.mark.fault(94)
def test_what_nobody_has_recorded_is_a_stranger(embedded: Embedded) -> None:
    embedded.append(mail(1))
    with on_host(embedded, leave_msg_on_server=False) as session:
        assert list(session.act(["1", "7"], Action.DELETE)) == ["1"]
    assert embedded.contents() == [mail(1)]
