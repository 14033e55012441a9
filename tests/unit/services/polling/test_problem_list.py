"""Mail that no poll asks for any more is counted until it is fetched, gone, or somebody has seen to it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from postroom.errors import Invalid, Transient
from postroom.model.configuration.mailbox import Mailbox
from postroom.rules.polling.set_aside import unacknowledged
from postroom.services.mailboxes.mailbox_view import view
from postroom.services.mailboxes.problems import release_problems, retry_problems

from tests.unit.services.polling.fakes import Post, connected

pytestmark = [pytest.mark.fault(104), pytest.mark.feature("G07"), pytest.mark.usefixtures("hasty")]


def counted(post: Post) -> int:
    """Count what a list of mailboxes shows."""
    (mailbox,) = post.configurations.configuration.mailboxes
    seen = view(mailbox, post.state, now=post.now, valid_until={})
    assert ("mails-not-fetched" in [one.rule for one in seen.warnings]) is bool(seen.problems)
    return seen.problems


def support(post: Post) -> Mailbox:
    """Return the mailbox as it is configured."""
    (mailbox,) = post.configurations.configuration.mailboxes
    return mailbox


@pytest.fixture
def post() -> Post:
    """Three mails that are left alone: given up, over-size, and of no known size; one is fetched."""
    post = connected(maximum_msg_size=1, move_failed_ews_item=False)
    post.server.put(1, 4)
    post.server.put(2, size=2_000_000)
    post.server.put(3)
    post.server.unfetchable, post.server.sizes = {1}, {3: None}
    for _ in range(4):
        post.poll()
    assert post.raw.subjects == [2, 4]
    return post


def test_each_of_them_is_counted_until_somebody_has_seen_to_it(post: Post) -> None:
    assert counted(post) == 3
    assert release_problems(support(post), ["1"], states=post.states, now=post.now) == ("1",)
    assert counted(post) == 2
    post.server.put(5)
    post.poll()
    assert counted(post) == 2
    assert sorted(release_problems(support(post), [], states=post.states, now=post.now)) == ["1", "2", "3"]
    assert counted(post) == 0
    post.poll()
    assert counted(post) == 0
    assert set(post.server.mails) == {1, 2, 3}  # nothing was done to them


def test_one_that_is_tried_again_is_fetched_when_it_can_be_had(post: Post) -> None:
    release_problems(support(post), ["1"], states=post.states, now=post.now)
    post.server.unfetchable, post.server.sizes = set(), {}
    assert retry_problems(support(post), ["1", "3"], states=post.states, now=post.now) == ("1", "3")
    assert counted(post) == 1
    post.poll()
    assert post.raw.subjects == [1, 2, 3, 4]
    assert set(post.server.mails) == {2}


def test_one_that_fails_again_is_counted_again(post: Post) -> None:
    release_problems(support(post), ["1"], states=post.states, now=post.now)
    retry_problems(support(post), ["1"], states=post.states, now=post.now)
    for _ in range(4):
        post.poll()
    assert counted(post) == 3
    assert "1" in unacknowledged(post.state.position)


def test_what_is_not_on_the_list_is_named_and_nothing_is_changed(post: Post) -> None:
    before = post.state
    with pytest.raises(Invalid) as raised:
        retry_problems(support(post), ["1", "4"], states=post.states, now=post.now)
    assert [problem.path for problem in raised.value.problems] == ["support/4"]
    assert post.state == before


def test_a_mailbox_that_is_being_polled_is_not_written_over(post: Post) -> None:
    held = post.states.take_lease(post.state, owner="poller", now=post.now, expires=post.now + timedelta(minutes=5))
    assert held is not None
    with pytest.raises(Transient) as raised:
        release_problems(support(post), [], states=post.states, now=post.now)
    assert raised.value.code == "mailbox_busy"
    assert counted(post) == 3
