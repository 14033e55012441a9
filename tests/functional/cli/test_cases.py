"""The work on cases by the command line, on stored mail."""

from __future__ import annotations

from pathlib import Path

import pytest
from postroom_cli.author import author

from tests.functional.cli.conftest import Command
from tests.functional.processing.conftest import CONFIGURATION
from tests.support.mails import mail


@pytest.mark.feature("Q01")
def test_an_agents_hour(postroom: Command, tmp_path: Path) -> None:
    postroom.stack.configure(**CONFIGURATION)
    case_id = postroom.stack.process(mail("Auto-Submitted: auto-generated", message_id="<1@x>"))
    support = next(row for row in _lines(postroom("queue", "list", "--json").out) if row["queue"] == "support")
    assert (support["waiting"], support["pending"]) == ("1", "0")
    number = postroom("case", "next", "--queue", "support", "--as", "ann", "--json").json["number"]
    assert "Nothing waits" in postroom("case", "next", "--queue", "support", "--as", "bob").out
    postroom("case", "tag", number, "--add", "vip", "--as", "ann")
    postroom("case", "note", number, "She called", "--as", "ann")
    shown = postroom("case", "show", number, "--json").json
    assert (shown["id"], shown["agent"], shown["tags"], len(shown["notes"])) == (case_id, "ann", ["vip"], 1)
    text = tmp_path / "answer.txt"
    text.write_text("It is on its way.", "utf-8")
    answer = ("case", "reply", number, "--against", str(shown["mails_version"]), "--file", str(text), "--as", "ann")
    assert postroom(*answer, "--close", "--json").json["state"] == "answering"
    assert postroom("case", "undo", number, "--as", "ann", "--json").json["state"] == "claimed"
    closed = postroom("case", "close", number, "--code", "solved", "--as", "ann", "--json").json
    assert (closed["state"], closed["close_code"]) == ("closed", "solved")
    assert postroom("case", "reopen", number, "--as", "bob", "--json").json["agent"] == "bob"
    told = [row["what"] for row in _lines(postroom("case", "history", number, "--json").out)]
    assert told == ["queued", "claimed", "changed", "noted", "answered", "undone", "closed", "reopened"]


@pytest.fixture
def case(postroom: Command) -> str:
    """Return the id of the case of one mail."""
    postroom.stack.configure(**CONFIGURATION)
    return postroom.stack.process(mail())


def test_a_note_is_told_as_it_was_written_and_shown_with_its_case(postroom: Command, case: str) -> None:
    note = postroom("case", "note", case, "Call her.", "--mention", "bob", "--json").json
    assert (note["case"], note["text"], note["mentions"], note["who"]) == (case, "Call her.", ["bob"], author())
    assert [one["id"] for one in postroom("case", "show", case, "--json").json["notes"]] == [note["id"]]
    assert postroom("case", "note", case, "Done.").out == "Noted.\n"


def test_who_leaves_gives_back_the_cases_that_are_shown_before(postroom: Command, case: str) -> None:
    number = postroom("case", "claim", case, "--as", "bob", "--json").json["number"]
    assert postroom("case", "leave", "bob", "--json").json == {"would_release": [number]}
    assert postroom("case", "leave", "bob", "--apply", "--json").json == {"released": 1}
    assert postroom("case", "leave", "bob", "--json").json == {"would_release": []}
    assert postroom("case", "show", case, "--json").json["state"] == "queued"


def test_mail_that_has_its_case_is_given_none_by_adopting(postroom: Command, case: str) -> None:
    assert postroom("case", "adopt", "--json").json == {"made": 0}
    assert postroom("case", "show", case, "--json").status == 0


def _lines(text: str) -> list[dict[str, str]]:
    import json

    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]
