"""Acts go by UID: in a mailbox where numbers and UIDs differ, nobody else's mail is touched; and this test can tell."""

from __future__ import annotations

import pytest
from postroom.adapters.imap.connection import Link
from postroom.errors import PostroomError
from postroom.model.server_mail import Action

from tests.functional.mail_protocols.hosts import Host
from tests.functional.mail_protocols.mails import mail
from tests.functional.mail_protocols.opening import collect, on_host

FOLDERS = {"processed_items_folder_name": "Done", "failed_items_folder_name": "Failed"}
ACTIONS = [Action.MARK_READ, Action.DELETE, Action.MOVE, Action.MOVE_FAILED]


def act_where_numbers_differ(host: Host, action: Action) -> None:
    """Fetch and act on UID 3 of 2, 3, 4 and 5; UID 2 goes away while the connection is open, as UID 1 had before."""
    host.append_all([mail(number) for number in range(1, 6)])
    host.remove(1)
    with on_host(host, **FOLDERS) as session:
        listed = {item.id: item for item in session.list(None).news}
        host.remove(2)
        contents, _failures = collect(session, [listed["3"]])
        assert contents == {"3": mail(3)}
        session.act(["3"], action)
    others = host.flags()
    taken = others.pop(3, None)
    assert others == {4: set(), 5: set()}
    assert taken == ({"\\Seen"} if action is Action.MARK_READ else None)
    if action in (Action.MOVE, Action.MOVE_FAILED):
        assert host.contents("Done" if action is Action.MOVE else "Failed") == [mail(3)]


@pytest.mark.feature("G15", "G21")
@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.value)
def test_an_act_reaches_the_message_that_was_fetched_and_no_other(host: Host, action: Action) -> None:
    act_where_numbers_differ(host, action)


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.value)
def test_acting_by_sequence_number_would_be_caught(host: Host, monkeypatch: pytest.MonkeyPatch, action: Action) -> None:
    command = Link.command
    planted: list[str] = []

    def wrong(self: Link, name: str, arguments: bytes, *, step: str) -> bytes:
        if step == "act" and name in ("UID STORE", "UID MOVE", "UID COPY"):
            planted.append(name)
            name = name.removeprefix("UID ")
        return command(self, name, arguments, step=step)

    monkeypatch.setattr(Link, "command", wrong)
    with pytest.raises((AssertionError, PostroomError)):
        act_where_numbers_differ(host, action)
    assert planted
