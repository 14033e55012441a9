"""Answers of Exchange that are well-formed and wrong, through the real handler."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest
from postroom.model.mailbox_state import HealthState
from postroom_cli.mailservers.ews_answers import whole_answer
from postroom_cli.mailservers.ews_store import Code, Planted, Raw, Stored

from tests.functional.cli.conftest import Command, postroom
from tests.functional.ews.site import Site
from tests.functional.mailboxes.conftest import Clock, clock
from tests.support.mails import mail

__all__ = ["clock", "postroom"]

pytestmark = pytest.mark.feature("G24")

MAILS = [mail(subject=str(number), message_id=f"<{number}@example.org>", body="x\r\n" * 900) for number in range(3)]


def given(item: Stored, content: bytes) -> Raw:
    """Answer a GetItem for one item with other contents."""
    encoded = base64.b64encode(content).decode()
    fields = f'<t:MimeContent CharacterSet="UTF-8">{encoded}</t:MimeContent><t:ItemId Id="{item.id}" ChangeKey="C"/>'
    return Raw(whole_answer("GetItem", f"<m:Items><t:Message>{fields}</t:Message></m:Items>"))


def refusal(operation: str, code: str) -> bytes:
    """Answer that one item is refused, and carry nothing out."""
    good = whole_answer(operation, "")
    return good.replace(b'ResponseClass="Success"', b'ResponseClass="Error"').replace(
        b">NoError<", f">{code}<".encode()
    )


ANSWERS = {
    "a-page": b"<!DOCTYPE html>\r\n<html><body>Please sign in</body></html>\r\n",
    "one-crlf": b"\r\n",
    "another-mail": MAILS[1],
    "a-part": MAILS[0][:700],
    "a-part-of-the-header": MAILS[0][:60],
}


@pytest.mark.fault(114)
@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("stays", [False, True], ids=["deleted-afterwards", "left-on-the-server"])
def test_what_is_not_the_mail_is_not_stored_and_the_mail_stays(
    site: Site, clock: Clock, answer: str, stays: bool
) -> None:
    site.configure(leave_msg_on_server=stays)
    item = site.box.deliver(MAILS[0])
    site.ews.plant("GetItem", *[given(item, ANSWERS[answer])] * 2)
    site.poll()
    assert site.raw() == []
    assert (site.box.inbox.items, item.read) == ([item], False)
    site.ews.planted.clear()
    clock.wait(minutes=1)
    site.poll()
    assert [content for content, _facts in site.raw()] == [MAILS[0]]


@pytest.mark.fault(113)
def test_a_list_without_sizes_sets_no_mail_aside(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.configure()
    for raw in MAILS:
        site.box.deliver(raw)
    with monkeypatch.context() as silent:
        silent.setattr("postroom.adapters.ews.calls._number", lambda _text: None)
        site.poll()
    assert (site.state().health.state, site.state().health.code) == (HealthState.RETRYING, "no_sizes")
    site.poll()
    assert sorted(content for content, _facts in site.raw()) == sorted(MAILS)
    assert site.box.inbox.items == []


@pytest.mark.fault(122)
def test_a_folder_that_was_deleted_and_made_anew_is_polled_at_the_next_look(site: Site) -> None:
    site.configure(folder_path="Cases", leave_msg_on_server=True)
    old = site.box.add_folder("Cases", site.box.inbox.id)
    site.box.deliver(MAILS[0], folder="Cases")
    site.poll()
    old.parent = site.box.add_folder("Deleted Items", None).id  # where it keeps its id
    site.box.add_folder("Cases", site.box.inbox.id)
    site.box.deliver(MAILS[1], folder="Cases")
    site.poll()
    assert sorted(content for content, _facts in site.raw()) == sorted(MAILS[:2])


OVER_SIZE = {"maximum_msg_size": 1, "enable_big_msg_stripping": False}
LARGE = mail(subject="large", message_id="<large@example.org>", body="x" * 70 + "\r\n" + "y\r\n" * 400_000)
SAYS_DONE: dict[str, Planted] = {
    "not-found": Raw(refusal("DeleteItem", "ErrorItemNotFound")),
    "done": Raw(whole_answer("DeleteItem", "")),
}


@pytest.mark.fault(120)
@pytest.mark.parametrize("says", SAYS_DONE)
@pytest.mark.parametrize("stays", [False, True], ids=["mail-goes-away", "mail-stays"])
def test_a_deletion_is_done_when_a_listing_shows_it_and_asked_for_again_when_it_shows_the_mail(
    site: Site, postroom: Command, clock: Clock, monkeypatch: pytest.MonkeyPatch, says: str, stays: bool
) -> None:
    site.configure(leave_msg_on_server=stays, delete_big_msg=True, **OVER_SIZE)
    site.poll()
    item = site.box.deliver(LARGE)
    site.ews.plant("DeleteItem", SAYS_DONE[says])
    site.poll()
    assert site.box.inbox.items == [item]
    assert "No listing has shown that yet" in postroom("why", f"box0/{item.id}").out
    if stays:  # the server tells only what has changed: the daily comparison is what shows it
        monkeypatch.setattr("postroom.adapters.ews.sync_state.COMPARED_EVERY", timedelta(0))
    for minutes in (1, 1, 11, 1):
        clock.wait(minutes=minutes)
        if item not in site.box.inbox.items:
            site.box.deliver(MAILS[0])  # a new one brings a listing
        site.poll()
    assert item not in site.box.inbox.items
    assert "It was deleted on the server, after it had been refused once." in postroom("why", f"box0/{item.id}").out


@pytest.mark.fault(120)
@pytest.mark.parametrize("options", [{}, {"processed_items_folder_name": "Done"}, {"leave_msg_on_server": True}])
def test_not_found_at_fetch_and_at_the_act_is_neither_an_end_nor_a_loss(
    site: Site, postroom: Command, clock: Clock, options: dict[str, Any]
) -> None:
    site.configure(**options)
    site.poll()
    item = site.box.deliver(MAILS[0])
    site.ews.plant("GetItem", Code("ErrorItemNotFound"))
    site.poll()
    assert site.raw() == []
    told = postroom("why", f"box0/{item.id}").out
    assert "1 of 3 tries" in told
    assert "then said that it was not there" in told
    for name in ("DeleteItem", "MoveItem", "UpdateItem"):
        site.ews.plant(name, Raw(refusal(name, "ErrorItemNotFound")))
    for _look in range(3):
        clock.wait(minutes=1)
        site.poll()
    assert [content for content, _facts in site.raw()] == [MAILS[0]]
    assert item.read if "leave_msg_on_server" in options else item not in site.box.inbox.items
