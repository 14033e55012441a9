"""`postroom forward`, `new` and `settings explain` on a stack."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.functional.cli.conftest import Command
from tests.functional.processing.conftest import CONFIGURATION
from tests.support.mails import mail

ALIAS = {"name": "support", "address": "Us <support@example.com>", "default": True, "sending": {"quote": "below"}}


@pytest.mark.feature("A09")
@pytest.mark.feature("C20")
def test_a_mail_is_passed_on_and_written_with_a_file(postroom: Command, tmp_path: Path) -> None:
    postroom.stack.configure(**{**CONFIGURATION, "aliases": [ALIAS]})
    interaction_id = postroom.stack.process(mail())
    text, file = tmp_path / "text.txt", tmp_path / "plan.pdf"
    text.write_text("Please see below.", "utf-8")
    file.write_bytes(b"%PDF-1.4\n")
    passed = postroom("forward", interaction_id, "--to", "p@example.net", "--file", str(text), "--json").json
    outbound = postroom.stack.outbox.get(passed["id"])
    assert outbound is not None
    assert (outbound.subject, outbound.to) == ("Fwd: Where is my parcel?", ("p@example.net",))
    assert "I ordered it two weeks ago." in outbound.text
    given = ["--to", "Ann <ann@example.org>", "--subject", "Plan", "--file", str(text), "--attach", str(file)]
    written = postroom.stack.outbox.get(postroom("new", *given, "--json").json["id"])
    assert written is not None
    assert (written.from_address, [one.name for one in written.files]) == ("Us <support@example.com>", ["plan.pdf"])
    refused = postroom("new", "--to", "ann@exa mple.org", "--subject", "x", "--file", str(text))
    assert refused.status != 0
    assert "a space in it" in " ".join(refused.out.split()) + " ".join(refused.err.split())


@pytest.mark.feature("S09")
def test_settings_explain_says_where_a_value_came_from(postroom: Command) -> None:
    postroom.stack.configure(**{**CONFIGURATION, "aliases": [ALIAS]})
    (row,) = postroom("settings", "explain", "sending.quote", "--alias", "support", "--json").lines
    assert (row["value"], row["source"]) == ("below", "aliases[name=support].sending.quote")
    (row,) = postroom("settings", "explain", "sending.quote", "--json").lines
    assert (row["value"], row["source"]) == ("none", "default")
    assert postroom("settings", "explain", "sending.nothing").status != 0
