"""Objects of every section by one group of commands, with the rules of all other ways to change them."""

from __future__ import annotations

from tests.functional.cli.conftest import Command


def test_objects_are_added_changed_switched_listed_and_removed(postroom: Command) -> None:
    assert postroom("object", "add", "queues", "a", "description=x").status == 0
    assert postroom("object", "add", "queues", "b", "description=y").status == 0
    ran = postroom("object", "change", "queues", "a", "b", "description=z", "--note", "asked for")
    assert "0 to add, 2 to change, 0 to remove" in ran.out
    assert postroom("object", "disable", "queues", "a", "--json").json["changed"] is True
    assert "so already" in postroom("object", "disable", "queues", "a").out
    assert postroom("object", "list", "queues", "--json").lines == [
        {"name": "a", "description": "z", "active": False},
        {"name": "b", "description": "z"},
    ]
    assert postroom("object", "change", "settings", "default_domain=x.example").status == 0
    assert postroom("object", "enable", "endpoints", "a").status == 3
    gone = postroom("object", "remove", "queues", "a", "nowhere")
    assert (gone.status, "postroom object list queues" in gone.err) == (3, True)
    assert postroom("object", "remove", "queues", "a", "b").status == 0
    told = postroom("config", "history", "--object", "queues/a", "--json").json
    assert [(one["kind"], one["why"]) for one in told] == [
        ("removed", "queue a removed; queue b removed"),
        ("changed", "queue a deactivated"),
        ("changed", "asked for"),
        ("added", "queue a added"),
    ]
    assert postroom("object", "list", "things").status == 3


def test_another_order_alone_is_a_change(postroom: Command) -> None:
    """Workflows run in the order in which they are written."""
    queues = ["{name: a}", "{name: b}"]
    for order in (queues, queues[::-1]):
        file = "queues:\n" + "".join(f"  - {one}\n" for one in order)
        assert postroom("config", "apply", "-", "--yes", stdin=file).status == 0
    assert [one["name"] for one in postroom("object", "list", "queues", "--json").lines] == ["b", "a"]
    assert "Nothing to change" in postroom("config", "apply", "-", "--yes", stdin=file).out
