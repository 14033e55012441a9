"""Ids that stop meaning what was noted under them, and settings that look changed or really are: no mail is taken for
another, none is left behind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from postroom.errors import ServerMisbehaved
from postroom.model.configuration.document import Configuration
from postroom.model.mailbox_state import LeftAlone
from postroom.model.server_mail import Fetched, FetchFailed, Item
from postroom.services.polling.outcome import Result

from tests.unit.services.polling.fakes import Post, ServerSession, a_mailbox, mail

pytestmark = pytest.mark.usefixtures("hasty")


def connected(mailbox: Any = None, **options: Any) -> Post:
    """A mailbox that has been looked at once, so that what comes now is new."""
    post = Post(mailbox or a_mailbox(**options), config_check=0.0)
    post.poll()
    post.wait(minutes=5)
    return post


class Replaced(ServerSession):
    """Breaks once in the middle of a set, and meanwhile the folder is replaced by another one."""

    def fetch(self, items: Sequence[Item]) -> Iterator[Fetched | FetchFailed]:
        for result in super().fetch(items):
            yield result
            if self.server.validity == "1":
                self.server.validity = "2"
                self.server.mails = {1: mail(11), 2: mail(12)}
                raise ServerMisbehaved("the connection was lost", step="fetch")


@pytest.mark.fault(20)
@pytest.mark.parametrize("leave", [True, False], ids=["left", "deleted"])
def test_a_folder_that_is_replaced_between_two_connections_loses_no_mail(leave: bool) -> None:
    post = connected(leave_msg_on_server=leave)
    post.server.put(1, 2, 3)
    post.connector.session = Replaced
    post.poll()
    assert sorted(post.server.mails) == [1, 2]  # neither deleted nor marked for what their numbers meant before
    assert post.server.seen == set()
    assert (post.state.health.step, post.state.health.code) == ("list", "resync")
    post.wait(minutes=11)
    post.poll()
    post.poll()
    assert {11, 12} <= set(post.raw.subjects)


@pytest.mark.feature("C07")
def test_a_mailbox_of_an_account_does_not_look_changed_while_it_is_fetched() -> None:
    settings = {
        "oauth_applications": [
            {"name": "app", "provider": "google", "client_id": "id", "client_secret": {"secret": "s"}}
        ],
        "accounts": [{"name": "team", "application": "app", "address": "team@example.com"}],
    }
    mailbox = a_mailbox(password=None, account="team", server=None)
    post = Post(mailbox, config_check=0.0)
    post.configurations.configuration = Configuration.model_validate(
        {**settings, "mailboxes": [mailbox.model_dump(mode="json")]}
    )
    assert post.configurations.configuration.effective(mailbox) != mailbox
    token = type("Tokens", (), {"access_token": lambda _self, _mailbox, **_options: "secret"})()
    object.__setattr__(post.polling, "tokens", token)
    post.poll()
    post.wait(minutes=5)
    post.server.put(1, 2, 3)
    assert post.poll().results == {Result.FETCHED: 1}
    assert post.raw.subjects == [1, 2, 3]
    assert post.server.mails == {}


@pytest.mark.feature("G02")
@pytest.mark.parametrize("leave", [True, False], ids=["left", "deleted"])
def test_mail_without_a_size_that_was_left_is_fetched_once_it_is_allowed(leave: bool) -> None:
    post = connected(leave_msg_on_server=leave)
    post.server.put(1, 2)
    post.server.sizes[1] = None
    for _ in range(3):
        post.poll()
    assert post.raw.subjects == [2]
    assert post.state.position is not None
    assert post.state.position.problems == {"1": LeftAlone.BAD_SIZE}
    allowed = a_mailbox(leave_msg_on_server=leave, allow_bad_msg_size=True)
    post.configurations.configuration = Configuration(mailboxes=(allowed,))
    post.poll()
    assert post.raw.subjects == [1, 2]
    assert post.state.position.problems == {}
    post.poll()
    assert post.poll().results == {Result.IDLE: 1}
    assert (1 in post.server.mails) is leave
