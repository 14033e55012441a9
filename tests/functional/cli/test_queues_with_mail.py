"""Mail stays in sight: a queue in which some waits is neither removed nor renamed, by whatever way, and one that is
gone is listed as long as it holds any."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.functional.cli.conftest import Command, Ran
from tests.support.mails import mail

Write = Callable[[str], str]

FILE = """\
settings: {default_inbound_queue: general}
queues:
  - {name: general}
  - {name: promo}
  - {name: exceptions}
endpoints:
  - {name: autumn, queue: promo}
mailboxes:
  - {name: support, address: support@example.com, server: imap.example.com, endpoint: autumn}
"""
WITHOUT = FILE.replace("  - {name: promo}\n", "").replace(
    "{name: autumn, queue: promo}", "{name: autumn, queue: general}"
)


def apply(postroom: Command, path: str, *options: str) -> Ran:
    return postroom("config", "apply", path, "--yes", "--json", *options)


def version(postroom: Command) -> int:
    return len(postroom("config", "history", "--json").json)


@pytest.mark.parametrize(
    ("changed", "queue"),
    [
        pytest.param(WITHOUT, "promo", id="removed"),
        pytest.param(FILE.replace("promo", "offers"), "promo", id="renamed"),
        pytest.param(FILE.replace("promo", "Promo"), "promo", id="renamed by its case alone"),
        pytest.param("{}", "promo", id="everything removed"),
    ],
)
@pytest.mark.parametrize("options", [(), ("--dry-run",)], ids=["applied", "dry run"])
def test_a_queue_in_which_mail_waits_stays_and_the_error_counts_it(
    postroom: Command, write: Write, changed: str, queue: str, options: tuple[str, ...]
) -> None:
    assert apply(postroom, write(FILE)).status == 0
    postroom.stack.process(mail(subject="One"))
    postroom.stack.process(mail(subject="Two"))
    ran = apply(postroom, write(changed), *options)
    assert ran.status == 2
    (problem,) = ran.json["error"]["problems"]
    assert problem["path"] == f"queues[name={queue}]"
    assert problem["problem"] == "cannot be removed or renamed: 2 mails wait in it."
    assert f"postroom replay --queue {queue} --apply" in problem["remedy"]
    assert version(postroom) == 1


def test_a_queue_that_exists_by_the_settings_alone_is_guarded_as_well(postroom: Command, write: Write) -> None:
    box = "mailboxes: [{name: support, address: support@example.com, server: imap.example.com}]\n"
    assert apply(postroom, write(box)).status == 0
    postroom.stack.process(mail())
    (row,) = postroom("interaction", "list", "--json").lines
    ran = apply(postroom, write(box + "queues: [{name: other}]\nsettings: {default_inbound_queue: other}\n"))
    (problem,) = ran.json["error"]["problems"]
    assert (problem["path"], problem["problem"]) == (
        f"queues[name={row['queue']}]",
        "cannot be removed or renamed: 1 mail waits in it.",
    )


def test_going_back_to_a_version_without_the_queue_is_refused_and_an_empty_one_goes(
    postroom: Command, write: Write
) -> None:
    assert apply(postroom, write(WITHOUT)).status == 0
    assert apply(postroom, write(FILE)).status == 0
    assert apply(postroom, write(WITHOUT)).status == 0
    assert apply(postroom, write(FILE)).status == 0
    postroom.stack.process(mail())
    assert postroom("config", "rollback", "1", "--yes", "--json").status == 2
    assert version(postroom) == 4


def test_what_the_remedy_says_lets_the_queue_go(postroom: Command, write: Write) -> None:
    assert apply(postroom, write(FILE)).status == 0
    interaction = postroom.stack.process(mail())
    assert (
        apply(postroom, write(FILE.replace("{name: autumn, queue: promo}", "{name: autumn, queue: general}"))).status
        == 0
    )
    assert postroom("replay", "--queue", "promo", "--apply", "--json").status == 0
    assert apply(postroom, write(WITHOUT)).status == 0
    rows = postroom("interaction", "list", "--json").lines
    assert [(row["id"], row["queue"]) for row in rows] == [(interaction, "general")]


@pytest.mark.parametrize("earlier", [True, False], ids=["removed before names were noted", "removed since"])
def test_a_queue_that_is_gone_is_listed_as_long_as_it_holds_mail(
    postroom: Command, write: Write, earlier: bool
) -> None:
    assert apply(postroom, write(FILE)).status == 0
    first = postroom.stack.process(mail(subject="One"))
    store = postroom.stack.configurations
    kept = store.load(1).model_copy(update={"queues": store.load(1).queues[::2], "endpoints": (), "mailboxes": ()})
    if earlier:  # as a version of Postroom did it that noted nothing
        postroom.stack.client("dynamodb").delete_item(
            TableName=postroom.stack.table, Key={"pk": {"S": "CONFIG"}, "sk": {"S": "queues"}}
        )
    else:  # mail that was on its way when the queue went
        store.note_queues(["promo"])
    postroom.stack.configure(**kept.model_dump(mode="json", exclude_defaults=True))
    listed = postroom("interaction", "list")
    assert first in listed.out.replace("\n", "")
    assert "the queue promo is not configured any more, and holds mail" in listed.err
    assert [row["queue"] for row in postroom("interaction", "list", "--json").lines] == ["promo"]
    assert "promo" in (store.past_queues() or ())
