"""Changes of objects by many people: each is in, none is lost, and only what truly moved is refused.

The family: one lock for the whole configuration made two people who change different things refuse each other, and the
one who came second lose his work.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from postroom.errors import Invalid, Moved, Transient
from postroom.model.configuration import Configuration
from postroom.services.administration import (
    Add,
    Apply,
    Modify,
    Remove,
    RollBack,
    Switch,
    carry_out,
    enabled_and_gone,
    history_of,
    perform,
    propose,
)

from tests.unit.services.administration.fakes import ADMIN, Versions, installation, person

PEOPLE, ACTS = 20, 10


def mailbox(name: str, **options: Any) -> dict[str, Any]:
    return {"name": name, "address": f"{name}@example.com", "server": "imap.example.com", **options}


def configured(*mailboxes: dict[str, Any], **sections: Any) -> Versions:
    return Versions([Configuration.model_validate({"mailboxes": mailboxes, **sections})])


def together(*acts: Callable[[], Any]) -> list[Any]:
    """Run acts at the same moment, and return what each returned or raised."""
    gate = threading.Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        gate.wait()
        try:
            return act()
        except (Invalid, Moved) as error:
            return error

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(run, acts))


@pytest.mark.feature("X11")
def test_two_hundred_changes_of_different_objects_by_twenty_people_are_all_in_and_none_is_refused() -> None:
    versions = configured(*(mailbox(f"m{number}") for number in range(PEOPLE * ACTS)))
    here = installation(versions)

    def works(who: int) -> Callable[[], list[int]]:
        def act() -> list[int]:
            return [
                perform(
                    Modify("mailboxes", (f"m{who * ACTS + number}",), {"description": f"by {who}"}),
                    here,
                    principal=person(f"p{who}"),
                ).version
                for number in range(ACTS)
            ]

        return act

    done = together(*(works(who) for who in range(PEOPLE)))
    assert all(isinstance(one, list) for one in done), done
    told = {one.name: one.description for one in versions.current().mailboxes}
    assert told == {f"m{number}": f"by {number // ACTS}" for number in range(PEOPLE * ACTS)}
    recorded = Counter(one.change.name for changes in versions.lists for one in changes)
    assert recorded == Counter({f"m{number}": 1 for number in range(PEOPLE * ACTS)})
    for who, numbers in enumerate(done):
        for number, version in enumerate(numbers):
            (mine,) = (one for one in versions.lists[version] if one.change.name == f"m{who * ACTS + number}")
            assert mine.who == f"p{who}"
    # Published together: far fewer versions than changes, and none was tried in vain.
    assert versions.version() < PEOPLE * ACTS
    assert versions.puts == versions.version()


def test_of_changes_of_one_object_at_once_one_is_in_and_the_others_are_told_both_values() -> None:
    versions = configured(mailbox("m"))
    here = installation(versions)
    proposals = [
        propose(Modify("mailboxes", ("m",), {"description": f"d{number}"}), here, principal=ADMIN)
        for number in range(8)
    ]
    done = together(*(lambda one=one: carry_out(one, here) for one in proposals))
    refused = [one for one in done if isinstance(one, Moved)]
    assert len(refused) == 7
    won = versions.current().mailboxes[0].description
    for one in refused:
        (moved,) = one.objects
        assert moved.object == "mailboxes/m"
        assert moved.current is not None
        assert moved.wanted is not None
        assert moved.current["description"] == won != moved.wanted["description"]


def test_a_change_that_the_whole_is_not_valid_with_is_refused_alone() -> None:
    versions = configured(*(mailbox(f"m{number}") for number in range(6)))
    here = installation(versions)
    # All of them want one address: each is right by itself, and only one of them can have it.
    acts = [
        propose(Modify("mailboxes", (f"m{number}",), {"address": "one@example.com"}), here, principal=ADMIN)
        for number in range(5)
    ]
    acts.append(propose(Modify("mailboxes", ("m5",), {"description": "fine"}), here, principal=ADMIN))
    done = together(*(lambda one=one: carry_out(one, here) for one in acts))
    assert [isinstance(one, Invalid) for one in done].count(True) == 4
    assert not isinstance(done[5], Exception)
    assert [one.bare_address for one in versions.current().mailboxes].count("one@example.com") == 1


def test_a_change_rests_on_what_it_names_even_when_that_is_removed_meanwhile() -> None:
    versions = configured(mailbox("m"), queues=[{"name": "q"}])
    here = installation(versions)
    proposal = propose(Add("endpoints", {"name": "e", "queue": "q"}), here, principal=ADMIN)
    perform(Remove("queues", ("q",)), here, principal=ADMIN)
    with pytest.raises(Invalid, match="there is no queue `q`"):
        carry_out(proposal, here)
    assert versions.current().endpoints == ()


def test_a_publisher_that_dies_keeps_nobody_waiting_longer_than_its_turn() -> None:
    versions = configured(mailbox("m"))
    now = datetime.now(UTC)
    versions.take_turn("dead", now=now, until=now + timedelta(seconds=0.3))
    done = perform(Switch("mailboxes", ("m",), on=False), installation(versions), principal=ADMIN)
    assert not done.changed
    perform(Modify("mailboxes", ("m",), {"description": "x"}), installation(versions), principal=ADMIN)
    assert versions.current().mailboxes[0].description == "x"


def test_a_change_that_waited_too_long_is_taken_back_and_applied_by_nobody() -> None:
    versions = configured(mailbox("m"))
    moments = iter(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=9 * step) for step in range(20))
    versions.take_turn("other", now=datetime(2026, 1, 1, tzinfo=UTC), until=datetime(2027, 1, 1, tzinfo=UTC))
    here = installation(versions)
    here = type(here)(**{name: getattr(here, name) for name in here.__slots__} | {"clock": lambda: next(moments)})
    with pytest.raises(Transient, match="this one was not"):
        perform(Modify("mailboxes", ("m",), {"description": "x"}), here, principal=ADMIN)
    assert versions.entries == {}
    assert versions.version() == 0


def test_what_another_has_added_meanwhile_stays_when_a_file_is_applied() -> None:
    versions = configured(mailbox("a"))
    here = installation(versions)
    wanted = Configuration.model_validate({"mailboxes": [mailbox("a", description="new"), mailbox("b")]})
    proposal = propose(Apply(wanted, versions.current()), here, principal=ADMIN)
    perform(Add("mailboxes", mailbox("c")), here, principal=ADMIN)
    carry_out(proposal, here)
    assert {one.name: one.description for one in versions.current().mailboxes} == {"a": "new", "c": "", "b": ""}


def test_a_file_keeps_its_order() -> None:
    versions = configured(mailbox("a"), mailbox("b"))
    wanted = Configuration.model_validate({"mailboxes": [mailbox("c"), mailbox("b", description="x"), mailbox("a")]})
    perform(Apply(wanted, versions.current()), installation(versions), principal=ADMIN)
    assert [one.name for one in versions.current().mailboxes] == ["c", "b", "a"]


@pytest.mark.feature("X11", "O16")
def test_a_roll_back_returns_the_whole_or_one_object_and_names_what_is_to_be_disabled_first() -> None:
    versions = configured(mailbox("a"), mailbox("b"))
    here = installation(versions)
    perform(Modify("mailboxes", ("a", "b"), {"description": "x"}), here, principal=ADMIN)
    secret = {"password": {"secret": "s"}}
    perform(Add("mailboxes", mailbox("c", **secret)), here, principal=ADMIN)
    perform(Switch("mailboxes", ("c",), on=True), here, principal=ADMIN)
    back = RollBack(0, versions.load(0), ("mailboxes/a",))
    assert enabled_and_gone(versions.current(), back) == ()
    perform(back, here, principal=ADMIN)
    assert [(one.name, one.description) for one in versions.current().mailboxes] == [("a", ""), ("b", "x"), ("c", "")]
    whole = RollBack(0, versions.load(0))
    assert enabled_and_gone(versions.current(), whole) == ("c",)
    with pytest.raises(Invalid, match="it is enabled"):
        perform(whole, here, principal=ADMIN)
    perform(Switch("mailboxes", ("c",), on=False), here, principal=ADMIN)
    perform(whole, here, principal=ADMIN)
    assert versions.current() == versions.load(0)
    told = [(one.change.kind.value, one.who) for _version, one in history_of("mailboxes/c", store=versions)]
    assert told == [("removed", "anna"), ("changed", "anna"), ("changed", "anna"), ("added", "anna")]


@pytest.mark.feature("X11")
def test_the_list_of_changes_tells_who_what_before_after_and_why_and_no_secret() -> None:
    versions = configured(mailbox("a", description="old"))
    perform(
        Modify("mailboxes", ("a",), {"description": "new", "password": {"secret": "mailbox.a"}}),
        installation(versions),
        principal=ADMIN,
        why="asked for",
    )
    (one,) = versions.lists[1]
    assert (one.who, one.why, one.change.object) == ("anna", "asked for", "mailboxes/a")
    assert {field.field: (field.before, field.after) for field in one.change.fields} == {
        "description": ("old", "new"),
        "password": (None, {"secret": "mailbox.a"}),
    }


def test_a_plan_begins_with_what_is_added_changed_and_removed() -> None:
    versions = configured(mailbox("a"), mailbox("b"))
    wanted = Configuration.model_validate(
        {"mailboxes": [mailbox("b", description="x"), *(mailbox(f"n{number}") for number in range(3))]}
    )
    plan = propose(Apply(wanted, versions.current()), installation(versions), principal=ADMIN).plan
    assert plan.tally == "3 to add, 1 to change, 1 to remove"
