"""What the server is asked to do with over-size and given-up mail is repeated until it is done, and told as it is."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from postroom.errors import FolderMissing, PostroomError, ServerMisbehaved, Transient
from postroom.model.configuration.document import Configuration
from postroom.model.mailbox_state import HealthState, Position
from postroom.model.server_mail import Action, Fetched, FetchFailed, Item, Listing
from postroom.services.polling.outcome import Result
from postroom.services.why.unfetched import Unfetched, unfetched

from tests.unit.services.polling.fakes import Post, ServerSession, connected

pytestmark = pytest.mark.usefixtures("hasty")

REFUSED = Transient("NO [OVERQUOTA] The folder is full", step="act", code="over_quota")
LARGE = 1024 * 1024 + 1

CASES: dict[str, tuple[dict[str, Any], Action]] = {
    "over-size-deleted": ({"delete_big_msg": True}, Action.DELETE),
    "over-size-left": ({}, Action.MARK_READ),
    "over-size-deleted-where-mail-stays": ({"delete_big_msg": True, "leave_msg_on_server": True}, Action.DELETE),
    "given-up-deleted": ({"delete_bad_formatted_msg": True}, Action.DELETE),
    "given-up-moved": ({"leave_msg_on_server": True}, Action.MOVE_FAILED),
}
ALL = pytest.mark.parametrize(("options", "action"), CASES.values(), ids=CASES.keys())


class Counting(ServerSession):
    """Notes what is asked of the server, whatever it says."""

    def act(self, ids: Sequence[str], action: Action) -> Collection[str]:
        self.server.commands.append(f"asked to {action.value} {' '.join(ids)}")
        return super().act(ids, action)


def one_aside(options: dict[str, Any], case: str) -> Post:
    """A mailbox in which mail 1 has just been set aside, and whose server refused what was asked for it."""
    post = connected(maximum_msg_size=1, **options)
    post.connector.session = Counting
    post.server.act_error = REFUSED
    if case.startswith("over-size"):
        post.server.put(1, size=LARGE)
        post.poll()
    else:
        post.server.put(1)
        post.server.unfetchable = {1}
        for _ in range(3):
            post.poll()
            post.wait(minutes=1)
    return post


def asked(post: Post) -> int:
    return sum(command.startswith("asked to") for command in post.server.commands)


def why(post: Post) -> Unfetched:
    (found,) = unfetched("support/1", configurations=post.configurations, states=post.states)
    return found


@pytest.mark.fault(39)
@pytest.mark.feature("G08")
@pytest.mark.feature("G13")
@pytest.mark.parametrize("case", CASES)
def test_what_was_refused_is_asked_for_again_ever_more_rarely_until_it_is_done(case: str) -> None:
    options, action = CASES[case]
    post = one_aside(options, case)
    assert asked(post) == 1
    assert (post.state.health.state, post.state.health.code) == (HealthState.RETRYING, "over_quota")
    assert "refused once" in why(post).says
    assert "The folder is full" in why(post).says
    times = []
    for minute in range(1, 75):
        before = asked(post)
        post.wait(minutes=1)
        post.poll()
        assert post.state.health.code == "over_quota"
        times += [minute] if asked(post) > before else []
    assert times == pytest.approx([10, 30, 70], abs=2)
    assert "refused 4 times" in why(post).says
    post.server.act_error = None
    post.wait(minutes=81)
    post.poll()
    assert post.server.commands[-1] == f"{action.value} 1"
    assert post.state.health.state is HealthState.ACTIVE
    said = why(post).says
    assert "refused 4 times" in said
    assert {"delete": "was deleted", "move-failed": "was moved", "mark-read": "was marked"}[action.value] in said
    done = asked(post)
    post.wait(days=2)
    assert post.poll().results == {Result.IDLE: 1}
    assert asked(post) == done


@pytest.mark.fault(37)
@ALL
def test_a_function_that_dies_before_it_asks_the_server_asks_at_the_next_poll(
    options: dict[str, Any], action: Action, request: pytest.FixtureRequest
) -> None:
    class Died(BaseException):
        pass

    class Dying(Counting):
        def act(self, ids: Sequence[str], action: Action) -> Collection[str]:
            raise Died

    post = connected(maximum_msg_size=1, **options)
    post.connector.session = Dying
    over_size = "over-size" in request.node.callspec.id
    post.server.put(1, size=LARGE if over_size else 0)
    post.server.unfetchable = set() if over_size else {1}
    for _ in range(1 if over_size else 3):
        with pytest.raises(Died) if (over_size or _ == 2) else pytest.MonkeyPatch.context():
            post.poll()
    post.connector.session = Counting
    post.wait(minutes=6)  # the dead poller's lease has ended
    post.poll()
    assert post.server.commands[-1] == f"{action.value} 1"


@pytest.mark.fault(37)
def test_what_was_set_aside_in_a_set_is_asked_for_although_the_function_dies_in_the_next() -> None:
    class Died(BaseException):
        pass

    class Dying(Counting):
        def fetch(self, items: Sequence[Item]) -> Iterator[Fetched | FetchFailed]:
            if [item.id for item in items] == ["1"]:
                raise Died
            return super().fetch(items)

    post = connected(delete_big_msg=True, maximum_msg_size=1)
    post.server.put(1)
    post.server.unfetchable = {1}
    post.poll()
    post.server.put(2, size=LARGE)
    post.server.put(3)
    post.connector.session = Dying
    with pytest.raises(Died):
        post.poll()
    assert sorted(post.server.mails) == [1, 2]
    post.connector.session = Counting
    post.wait(minutes=6)
    post.poll()
    assert sorted(post.server.mails) == [1]


def test_what_the_mailbox_does_not_want_any_more_is_not_asked_for_again() -> None:
    post = one_aside({"delete_bad_formatted_msg": True}, "given-up")
    (mailbox,) = post.configurations.configuration.mailboxes
    kept = mailbox.model_copy(update={"delete_bad_formatted_msg": False, "move_failed_ews_item": False})
    post.configurations.configuration = Configuration(mailboxes=(kept,))
    post.server.act_error = None
    post.wait(days=1)
    post.poll()
    assert asked(post) == 1
    assert 1 in post.server.mails
    assert "on the server still" in why(post).says
    assert post.state.health.state is HealthState.ACTIVE


@pytest.mark.fault(39)
def test_mail_that_is_set_aside_in_vain_puts_off_neither_new_mail_nor_the_deletion_of_what_is_stored() -> None:
    post = connected(failed_items_folder_name="missing")

    class NoFolder(Counting):
        def act(self, ids: Sequence[str], action: Action) -> Collection[str]:
            if action is Action.MOVE_FAILED:
                raise FolderMissing("There is no folder “missing”", step="act")
            return super().act(ids, action)

    post.connector.session = NoFolder
    post.server.put(1)
    post.server.unfetchable = {1}
    for number in range(2, 8):
        post.server.put(number, date=post.now)
        post.poll()
        post.wait(minutes=1)
    assert post.raw.subjects == [2, 3, 4, 5, 6, 7]
    assert sorted(post.server.mails) == [1]
    assert (post.state.health.state, post.state.health.step) == (HealthState.NEEDS_ATTENTION, "act")


def test_a_server_that_asks_to_wait_and_trouble_on_the_way_count_as_no_refusal() -> None:
    post = connected(delete_big_msg=True, maximum_msg_size=1)
    post.connector.session = Counting
    post.server.act_error = ServerMisbehaved("The connection was lost", step="connect")
    post.server.put(1, size=LARGE)
    post.poll()
    assert "refused" not in why(post).says
    assert "next poll" in why(post).says
    post.server.act_error = None
    post.wait(minutes=1)
    post.poll()
    assert post.server.mails == {}
    assert "was deleted" in why(post).says


def test_mail_that_somebody_else_took_away_meanwhile_is_told_as_gone() -> None:
    post = one_aside({"delete_bad_formatted_msg": True}, "given-up")
    del post.server.mails[1]

    class Noticing(Counting):
        def _listing(self, position: Any) -> Any:
            listing = super()._listing(position)
            there = {one: tries for one, tries in listing.position.problems.items() if int(one) in self.server.mails}
            return replace(listing, position=replace(listing.position, problems=there))

    post.connector.session = Noticing
    post.wait(minutes=11)
    post.poll()
    assert asked(post) == 1
    assert "is no longer on the server" in why(post).says
    assert post.state.health.state is HealthState.ACTIVE
    writes = len(post.states.writes)
    post.wait(days=2)
    post.poll()
    assert len(post.states.writes) == writes


def test_a_clock_that_went_wrong_does_not_put_a_request_off_for_ever() -> None:
    post = one_aside({"delete_bad_formatted_msg": True}, "given-up")
    position = post.state.position
    assert position is not None
    late = replace(position.asides["1"], due=post.now + timedelta(days=4000))
    post.states.items["support"] = replace(post.state, position=replace(position, asides={"1": late}))
    post.server.act_error = None
    post.wait(minutes=1)
    post.poll()
    assert post.server.mails == {}


def test_all_refusals_are_of_the_tree() -> None:
    assert isinstance(REFUSED, PostroomError)


class Unseeing(ServerSession):
    """Takes what its listings do not find off the problem list, as IMAP does; `hidden` is not found by one."""

    hidden: Collection[int] = ()

    def list(self, position: Position | None) -> Listing:
        listing = super().list(position)
        there = {str(uid) for uid in self.server.mails if uid not in self.hidden}
        kept = {one: tries for one, tries in listing.position.problems.items() if one in there}
        return replace(
            listing,
            news=tuple(item for item in listing.news if item.id in there),
            unfinished=tuple(one for one in listing.unfinished if one in there),
            position=replace(listing.position, problems=kept),
        )


class Overlooking(Unseeing):
    """One answer of a replica that lags, or of a server that is being mended: it lacks mail 1."""

    hidden = (1,)


SET_ASIDE: dict[str, dict[str, Any]] = {
    "over-size": {"size": LARGE},
    "over-size-without-headers": {"size": LARGE, "enable_big_msg_stripping": False},
    "given-up": {},
}


@pytest.mark.fault(104)
@pytest.mark.parametrize("settings", SET_ASIDE.values(), ids=SET_ASIDE.keys())
@pytest.mark.parametrize("options", [{}, {"processed_items_folder_name": "Done"}], ids=["deleted", "moved"])
def test_mail_that_one_listing_lacks_is_not_taken_for_stored_when_it_is_back(
    settings: dict[str, Any], options: dict[str, Any]
) -> None:
    # It has a record, so that the server can be asked for it; what shows that it is not stored is the problem list.
    size = settings.get("size", 0)
    post = connected(
        maximum_msg_size=1,
        move_failed_ews_item=False,
        enable_big_msg_stripping=settings.get("enable_big_msg_stripping", True),
        **options,
    )
    post.connector.session = Unseeing
    post.server.put(1, size=size)
    post.server.unfetchable = set() if size else {1}
    for _ in range(3):
        post.poll()
        post.wait(minutes=1)
    assert post.state.position is not None
    assert post.state.position.leaves_alone("1")
    post.connector.session = Overlooking
    post.server.put(2)
    post.poll()
    post.connector.session = Unseeing
    post.wait(minutes=1)
    post.poll()
    assert 1 in post.server.mails
    post.server.unfetchable = set()
    post.wait(minutes=1)
    post.poll()
    assert (1 in post.server.mails) is bool(size)  # what is over-size stays, by its options
    assert size or 1 in post.raw.subjects
