"""How tables are shown to a person whose terminal is narrower than they are."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from postroom_cli import output
from postroom_cli.main import run

ID = "7i4mwxvqcyidbl5hkclelapidh"
COLUMNS = ("id", "queue", "created", "from", "subject", "kind", "status")
ROW = (ID, "support", "2026-11-21 14:36:49", "ann@sales.example.net", "Where is my order?", "InboundNew", "queued")


def in_terminal(monkeypatch: pytest.MonkeyPatch, *, width: int) -> None:
    """Let standard output be a terminal without colours."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    for name, value in {"TERM": "xterm", "NO_COLOR": "1", "COLUMNS": str(width)}.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("width", [60, 80, 100, 120, 160, 240])
def test_no_word_is_cut_and_no_line_is_wider_than_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], width: int
) -> None:
    in_terminal(monkeypatch, width=width)
    output.table("", COLUMNS, [ROW, ROW])
    told = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)  # bold headings
    assert max(map(len, told.splitlines())) <= width
    for word in " ".join(ROW).split():
        assert told.count(word) >= 2, word


def test_what_does_not_fit_in_columns_is_told_row_by_row_without_what_is_empty(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    in_terminal(monkeypatch, width=80)
    output.table("", COLUMNS, [(*ROW[:3], "", *ROW[4:])])
    assert capsys.readouterr().out.splitlines() == [
        "",
        ID,
        "  queue    support",
        "  created  2026-11-21 14:36:49",
        "  subject  Where is my order?",
        "  kind     InboundNew",
        "  status   queued",
        "",
    ]


@pytest.mark.parametrize(("number", "told"), [(0, "0 mails"), (1, "1 mail"), (2000, "2,000 mails")])
def test_a_number_has_the_noun_that_goes_with_it(number: int, told: str) -> None:
    assert output.counted(number, "mail") == told


def test_one_object_of_a_section_is_told_in_the_singular(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "postroom.yaml"
    file.write_text("queues: [{name: a}, {name: b}]\naliases: [{name: s, address: s@example.com}]\n", "utf-8")
    assert run(["config", "check", str(file)]) == 0
    assert capsys.readouterr().out == "The file is right: 2 queues, 1 alias.\n"
