"""An agent's hour by the command line, on stored mail."""

from __future__ import annotations

from pathlib import Path

import pytest

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


def _lines(text: str) -> list[dict[str, str]]:
    import json

    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]
