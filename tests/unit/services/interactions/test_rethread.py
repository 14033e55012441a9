"""Split and merge move whole conversations, can be asked for again, and are taken back exactly."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from postroom.errors import Conflict
from postroom.model.interaction import Event
from postroom.services.interactions import split_merge

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


class Lost(Exception):
    """The process ends here."""


@dataclass
class Store:
    """Mails in the order they came: thread and parent of each, and their histories."""

    threads: dict[str, str]
    parents: dict[str, str | None] = field(default_factory=dict)
    events: dict[str, list[Event]] = field(default_factory=dict)
    moves_left: int = 1_000

    def thread(self, thread_id: str) -> list[str]:
        return [thread_id, *(one for one, where in self.threads.items() if where == thread_id and one != thread_id)]

    def history(self, interaction_id: str) -> list[Event]:
        return self.events.get(interaction_id, [])

    def thread_of(self, interaction_id: str) -> tuple[str, str | None, datetime]:
        return self.threads[interaction_id], self.parents.get(interaction_id), NOW

    def move(self, interaction_id: str, *, was: str, thread_id: str, event: Event) -> None:
        if self.threads[interaction_id] == thread_id:
            return
        if self.threads[interaction_id] != was:
            raise Conflict("it is in neither", on=interaction_id)
        if not self.moves_left:
            raise Lost
        self.moves_left -= 1
        self.threads[interaction_id] = thread_id
        self.events.setdefault(interaction_id, []).append(event)


def split(store: Store, interaction_id: str) -> split_merge.Rethreaded:
    return split_merge.split(interaction_id, threads=store, moves=store, who="ann", clock=lambda: NOW)


def merge(store: Store, source: str, into: str) -> split_merge.Rethreaded:
    return split_merge.merge(source, into, threads=store, moves=store, who="ann", clock=lambda: NOW)


def undo(store: Store, change: str) -> split_merge.Rethreaded:
    return split_merge.undo(change, threads=store, moves=store, who="ann", clock=lambda: NOW)


def chain(*names: str) -> Store:
    """A conversation in which each mail answers the one before."""
    parents = dict(zip(names, (None, *names), strict=False))
    return Store(dict.fromkeys(names, names[0]), parents)


@pytest.mark.feature("X06")
@pytest.mark.parametrize(
    "order", ["abcdefgh", "ahgfedcb", "aebfcgdh"], ids=["as-they-answer", "each-before-its-parent", "mixed"]
)
def test_a_split_takes_along_every_mail_of_a_long_conversation_in_whatever_order_it_came(order: str) -> None:
    store = chain(*"abcdefgh")
    store.threads = dict.fromkeys(order, "a")
    moved = split(store, "c").moved
    assert set(moved) == set("cdefgh")
    assert {one for one, where in store.threads.items() if where == "a"} == set("ab")


def test_a_merge_that_died_in_the_middle_is_completed_by_asking_for_it_again() -> None:
    store = Store({"a": "a", "b": "a", "c": "a", "x": "x"}, moves_left=2)
    with pytest.raises(Lost):
        merge(store, "a", "x")
    store.moves_left = 10
    merge(store, "a", "x")
    assert set(store.threads.values()) == {"x"}


@pytest.mark.feature("X06")
def test_a_change_is_taken_back_once_however_often_that_is_asked_for() -> None:
    store = chain("a", "b", "c")
    change = split(store, "b").change
    for _ in range(3):
        undo(store, change)
        assert store.threads == {"a": "a", "b": "a", "c": "a"}


def test_an_earlier_merge_is_not_taken_for_a_later_one_of_the_same_mails() -> None:
    store = Store({"a": "a", "b": "b", "c": "c"})
    first = merge(store, "a", "b").change
    second = merge(store, "b", "c").change
    with pytest.raises(Conflict, match="moved elsewhere since"):
        undo(store, first)
    assert store.threads == {"a": "c", "b": "c", "c": "c"}
    undo(store, second)
    undo(store, first)
    assert store.threads == {"a": "a", "b": "b", "c": "c"}


class Late(Store):
    """A store in which a reply comes in between the listing of a thread and the moves of its members."""

    def thread(self, thread_id: str) -> list[str]:
        found = super().thread(thread_id)
        if "late" not in self.threads:
            self.threads["late"], self.parents["late"] = thread_id, "b"
        return found


@pytest.mark.fault(124)
@pytest.mark.parametrize("change", ["merge", "split"])
def test_a_reply_that_comes_in_during_a_change_joins_the_target_and_goes_back_with_the_others(change: str) -> None:
    store = Late(**vars(chain("a", "b", "c")))
    store.threads["z"] = "z"
    done = merge(store, "a", "z") if change == "merge" else split(store, "b")
    target = "z" if change == "merge" else "b"
    assert store.threads["late"] == store.threads["b"] == target
    undo(store, done.change)
    assert {store.threads[one] for one in ("a", "b", "c", "late")} == {"a"}


def test_what_stood_in_the_target_before_a_merge_stays_there_when_it_is_undone() -> None:
    store = chain("a", "b", "c")
    split(store, "c")  # it answers b still
    done = merge(store, "a", "c")
    assert set(store.threads.values()) == {"c"}
    undo(store, done.change)
    assert store.threads == {"a": "a", "b": "a", "c": "c"}
