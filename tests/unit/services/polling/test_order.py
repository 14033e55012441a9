"""In a poll of several sets, each act on the server follows the write that remembers what it is about."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import pytest
from postroom.model.server_mail import Action
from postroom.rules.polling import position as positions

from tests.unit.services.polling.fakes import Post, ServerSession, connected

MODES: dict[str, dict[str, Any]] = {
    "deleted": {},
    "left": {"leave_msg_on_server": True},
    "moved": {"processed_items_folder_name": "done"},
}


def remembered(post: Post) -> set[str]:
    """Name what the state holds of mails at this moment as stored, with the proof for an act."""
    position = post.state.position
    assert position is not None
    return set(position.records)


@pytest.mark.fault(37)
@pytest.mark.parametrize("options", MODES.values(), ids=MODES.keys())
def test_the_server_is_told_of_nothing_that_is_not_remembered(
    options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(positions, "SET_MESSAGES", 2)
    post = connected(**options)
    told: list[tuple[str, ...]] = []

    class Watched(ServerSession):
        def act(self, ids: Sequence[str], action: Action) -> Collection[str]:
            told.append(tuple(ids))
            assert set(ids) <= remembered(post)
            return super().act(ids, action)

    post.connector.session = Watched
    post.server.put(*range(1, 8))
    post.poll()
    assert told == [("1", "2"), ("3", "4"), ("5", "6"), ("7",)]


class Died(BaseException):
    """The process ends here."""


@pytest.mark.fault(36)
@pytest.mark.parametrize("options", MODES.values(), ids=MODES.keys())
@pytest.mark.parametrize("number", range(4))
def test_a_write_that_never_came_leaves_its_set_untold(
    options: dict[str, Any], number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(positions, "SET_MESSAGES", 2)
    post = connected(**options)
    post.server.put(*range(1, 8))
    save, saves = post.states.save, 0

    def dying(*args: Any, **more: Any) -> None:
        nonlocal saves
        saves += 1
        if saves > number:
            raise Died
        save(*args, **more)

    monkeypatch.setattr(post.states, "save", dying)
    with pytest.raises(Died):
        post.poll()
    acts = [command for command in post.server.commands if command.split()[0] in set(Action)]
    assert len(acts) == 2 * number
    monkeypatch.setattr(post.states, "save", save)
    post.wait(hours=1)
    for _ in range(2):
        post.poll()
    assert post.raw.subjects == sorted(post.raw.subjects)
    assert set(post.raw.subjects) == set(range(1, 8))
    assert set(post.server.mails) - post.server.seen == set()
