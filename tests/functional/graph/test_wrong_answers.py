"""Answers of Graph, and of what stands before it, that are well-formed and wrong, through the real handler."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from postroom.model.mailbox_state import HealthState
from postroom_cli.mailservers.graph import CHUNKED, chunks
from postroom_cli.mailservers.graph_calls import Call, error
from postroom_cli.mailservers.https import Reply

from tests.functional.cli.conftest import Command, postroom
from tests.functional.mailboxes.conftest import Clock, clock
from tests.functional.oauth.conftest import Site
from tests.functional.oauth.conftest import site as handler_site  # noqa: F401 - the fixture of whole stacks
from tests.support.mails import mail

__all__ = ["clock", "postroom"]

pytestmark = pytest.mark.feature("G24")

MAILS = [
    mail(subject=str(number), message_id=f"<{number}@example.org>", body=("x" * 70 + "\r\n") * 90)
    for number in range(5)
]
PARTS = mail(
    'Content-Type: multipart/mixed; boundary="b1"',
    message_id="<9@example.org>",
    body="--b1\r\n\r\nHello\r\n--b1\r\nContent-Type: text/plain\r\n\r\n" + "z\r\n" * 3000 + "--b1--",
)


@pytest.fixture(name="site")
def _site(handler_site: Site) -> Site:  # noqa: F811 - a fixture's name is its argument
    return handler_site


def value(content: bytes) -> Callable[[], Reply]:
    return lambda: Reply(200, headers=CHUNKED, pieces=chunks(content))


ANSWERS = {
    "a-page": b"<!DOCTYPE html>\r\n<html><body>Please sign in</body></html>",
    "json": b'{"error":{"code":"UnknownError"}}',
    "one-crlf": b"\r\n",
    "another-mail": MAILS[4],
    "a-part-of-the-header": MAILS[0][:60],
}


@pytest.mark.fault(114)
@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("stays", [False, True], ids=["deleted-afterwards", "left-on-the-server"])
def test_what_is_not_the_mail_is_not_stored_and_the_mail_stays(
    site: Site, clock: Clock, answer: str, stays: bool
) -> None:
    site.configure({"type": "GRAPH", "leave_msg_on_server": stays})
    site.graph.deliver(*MAILS[:3])
    site.graph.fail("GET", r"/messages/.*0002==/\$value", value(ANSWERS[answer]), times=2)
    site.poll()
    assert set(site.raw()) == {MAILS[0], MAILS[2]}
    assert MAILS[1] in [message.raw for message in site.graph.messages.values()]
    assert not any(message.is_read for message in site.graph.messages.values() if message.raw == MAILS[1])
    site.graph.faults.clear()
    clock.wait(minutes=1)
    site.poll()
    assert sorted(site.raw()) == sorted(MAILS[:3])


@pytest.mark.fault(114)
@pytest.mark.parametrize("length", [700, 5_000])
@pytest.mark.parametrize("raw", [MAILS[0], PARTS], ids=["plain", "with-parts"])
@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_part_of_a_mail_is_not_taken_for_it(site: Site, clock: Clock, raw: bytes, length: int, times: int) -> None:
    site.configure({"type": "GRAPH"})
    site.graph.deliver(raw, size=len(raw) + 20_000)
    cut = iter(raw[: length + number] for number in range(times))
    site.graph.fail("GET", r".*\$value", lambda: value(next(cut))(), times=times)
    for _ in range(3):
        site.poll()
        clock.wait(minutes=1)
    assert site.raw() == [raw]
    assert site.graph.messages == {}


@pytest.mark.fault(25)
def test_a_mail_that_ends_oddly_is_believed_when_it_comes_twice_alike(site: Site) -> None:
    odd = mail('Content-Type: multipart/mixed; boundary="b1"', body="--b1\r\n\r\nno end")
    site.configure({"type": "GRAPH"})
    site.graph.deliver(odd)
    site.poll()
    assert site.raw() == [odd]


def without(site: Site, monkeypatch: pytest.MonkeyPatch, change: Callable[[dict[str, Any]], None], times: int) -> None:
    """Let the service leave something out of its lists, so many times."""
    answer, left = site.graph._list, [times]

    def listed(call: Call, folder: str) -> Reply:
        reply = answer(call, folder)
        if left[0] <= 0:
            return reply
        left[0] -= 1
        content = json.loads(reply.body)
        change(content)
        return replace(reply, body=json.dumps(content).encode())

    monkeypatch.setattr(site.graph, "_list", listed)


def sizes(content: dict[str, Any]) -> None:
    for row in content["value"]:
        row.pop("singleValueExtendedProperties", None)


@pytest.mark.fault(113)
def test_a_list_without_sizes_sets_no_mail_aside(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.configure({"type": "GRAPH"})
    site.graph.deliver(*MAILS)
    without(site, monkeypatch, sizes, times=2)
    site.poll()
    assert (site.health().state, site.health().code) == (HealthState.RETRYING, "no_sizes")
    for _ in range(3):
        site.poll()
    assert sorted(site.raw()) == sorted(MAILS)
    assert site.graph.messages == {}


@pytest.mark.fault(115)
def test_a_listing_that_ends_too_early_makes_no_mail_new_whose_bytes_have_changed_since(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.configure({"type": "GRAPH", "leave_msg_on_server": True})
    site.graph.deliver(*MAILS)
    site.poll()

    def early(content: dict[str, Any]) -> None:
        del content["value"][2:]
        content.pop("@odata.nextLink", None)

    without(site, monkeypatch, early, times=4)
    for message in site.graph.messages.values():
        message.raw = b"Keywords: red\r\n" + message.raw
    site.poll()
    site.poll()
    site.graph.deliver(PARTS)
    for _ in range(3):
        site.poll()
    assert sorted(site.raw()) == sorted([*MAILS, PARTS])


@pytest.mark.fault(122)
def test_a_folder_that_was_deleted_and_made_anew_is_polled_at_the_next_look(site: Site) -> None:
    site.configure({"type": "GRAPH", "folder_path": "Cases", "leave_msg_on_server": True})
    old = site.graph.make("Cases")
    site.graph.deliver(MAILS[0], folder=old)
    site.poll()
    trash = site.graph.make("Deleted Items")
    site.graph.folders[old] = (trash, "Cases")  # where it keeps its id
    site.graph.deliver(MAILS[1], folder=site.graph.make("Cases"))
    site.poll()
    assert sorted(site.raw()) == sorted(MAILS[:2])


OVER_SIZE = {"maximum_msg_size": 1, "enable_big_msg_stripping": False}
SAYS_DONE = {"not-found": error(404, "ErrorItemNotFound"), "done": Reply(204)}


@pytest.mark.fault(120)
@pytest.mark.parametrize("says", SAYS_DONE)
@pytest.mark.parametrize("stays", [False, True], ids=["mail-goes-away", "mail-stays"])
def test_a_deletion_is_done_when_a_listing_shows_it_and_asked_for_again_when_it_shows_the_mail(
    site: Site, postroom: Command, clock: Clock, says: str, stays: bool
) -> None:
    site.configure({"type": "GRAPH", "leave_msg_on_server": stays, "delete_big_msg": True, **OVER_SIZE})
    site.poll()
    (one,) = site.graph.deliver(MAILS[0], size=2_000_000)
    site.graph.fail("DELETE", ".*", SAYS_DONE[says])
    site.poll()
    assert list(site.graph.messages) == [one]
    assert "No listing has shown that yet" in postroom("why", f"box0/{one}").out
    for minutes in (1, 1, 11, 1):  # it is seen there, asked for again ten minutes later, and seen gone
        clock.wait(minutes=minutes)
        if stays or one not in site.graph.messages:
            site.graph.deliver(MAILS[1])  # a new one brings a listing
        site.poll()
    assert one not in site.graph.messages
    assert site.state().position.asides[one].refused == 1  # type: ignore[union-attr]
    assert "It was deleted on the server, after it had been refused once." in postroom("why", f"box0/{one}").out


@pytest.mark.fault(120)
def test_an_over_size_mail_that_was_not_marked_read_after_all_is_marked_at_the_next_try(
    site: Site, clock: Clock
) -> None:
    site.configure({"type": "GRAPH", "leave_msg_on_server": True, **OVER_SIZE})
    site.poll()
    (one,) = site.graph.deliver(MAILS[0], size=2_000_000)
    site.graph.fail("PATCH", ".*", SAYS_DONE["not-found"])
    for minutes in (1, 1, 11):
        assert not site.graph.messages[one].is_read
        site.poll()
        clock.wait(minutes=minutes)
    site.poll()
    assert site.graph.messages[one].is_read


@pytest.mark.fault(120)
@pytest.mark.parametrize("options", [{}, {"processed_items_folder_name": "Done"}, {"leave_msg_on_server": True}])
def test_not_found_at_fetch_and_at_the_act_is_neither_an_end_nor_a_loss(
    site: Site, postroom: Command, clock: Clock, options: dict[str, Any]
) -> None:
    site.configure({"type": "GRAPH", **options})
    site.poll()
    (one,) = site.graph.deliver(MAILS[0])
    site.graph.fail("GET", r".*\$value", SAYS_DONE["not-found"])
    site.poll()
    assert site.raw() == []
    told = postroom("why", f"box0/{one}").out
    assert "1 of 3 tries" in told
    assert "then said that it was not there" in told
    for method in ("DELETE", "POST", "PATCH"):
        site.graph.fail(method, "/messages/.*", SAYS_DONE["not-found"])
    clock.wait(minutes=1)
    site.poll()
    assert site.raw() == [MAILS[0]]
    told = postroom("why", f"box0/{one}").out
    assert ("that is asked for again" in told) is not options.get("leave_msg_on_server", False)
    clock.wait(minutes=1)
    site.poll()
    message = site.graph.messages.get(one)
    if "leave_msg_on_server" in options:
        assert message is not None
        assert message.is_read
    else:
        assert (message and message.folder) != "F-inbox"
