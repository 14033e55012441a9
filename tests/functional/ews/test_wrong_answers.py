"""Answers of Exchange that are well-formed and wrong, through the real handler."""

from __future__ import annotations

import base64

import pytest
from postroom.model.mailbox_state import HealthState
from postroom_cli.mailservers.ews_answers import whole_answer
from postroom_cli.mailservers.ews_store import Raw, Stored

from tests.functional.ews.site import Site
from tests.support.mails import mail

pytestmark = pytest.mark.feature("G24")

MAILS = [mail(subject=str(number), message_id=f"<{number}@example.org>", body="x\r\n" * 900) for number in range(3)]


def given(item: Stored, content: bytes) -> Raw:
    """Answer a GetItem for one item with other contents."""
    encoded = base64.b64encode(content).decode()
    fields = f'<t:MimeContent CharacterSet="UTF-8">{encoded}</t:MimeContent><t:ItemId Id="{item.id}" ChangeKey="C"/>'
    return Raw(whole_answer("GetItem", f"<m:Items><t:Message>{fields}</t:Message></m:Items>"))


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
def test_what_is_not_the_mail_is_not_stored_and_the_mail_stays(site: Site, answer: str, stays: bool) -> None:
    site.configure(leave_msg_on_server=stays)
    item = site.box.deliver(MAILS[0])
    site.ews.plant("GetItem", *[given(item, ANSWERS[answer])] * 2)
    site.poll()
    assert site.raw() == []
    assert (site.box.inbox.items, item.read) == ([item], False)
    site.ews.planted.clear()
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
