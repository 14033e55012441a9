"""`postroom import`, `exceptions try` and `masking try` need no AWS."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from postroom.services.configuration.file import read_configuration
from postroom_cli.main import run

INI = "[pop-client a]\naddress = a@example.com\nserver = x.example.com\npassword = CANARY\nenable-client = true\n"


@pytest.mark.feature("G30", "X12")
def test_an_export_becomes_a_file_that_is_right_and_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "export.cfg").write_text(INI)
    target = tmp_path / "postroom.yaml"
    assert run(["import", "genesys", str(tmp_path / "export.cfg"), "-o", str(target), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {row["outcome"] for row in told["options"]} == {"mapped", "changed", "fill in"}
    assert run(["config", "check", str(target), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["objects"] == {"mailboxes": 1}
    assert "CANARY" not in target.read_text() + json.dumps(told)
    assert run(["import", "genesys", str(tmp_path / "export.cfg")]) == 0
    printed = capsys.readouterr()
    assert "enable-client" in printed.err
    assert "CANARY" not in printed.out + printed.err
    # What is printed can be sent to a file.
    assert read_configuration(printed.out) == read_configuration(target.read_text())


def test_a_list_becomes_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "list.csv").write_text("Name,Blocked file extension\nPrograms,.exe\n")
    assert run(["import", "ece", str(tmp_path / "list.csv"), "--json"]) == 0
    assert "extension: exe" in json.loads(capsys.readouterr().out)["configuration"]


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "export.cfg").write_text(INI)
    assert run(["import", "genesys", str(tmp_path / "export.cfg"), "-o", str(tmp_path / "no" / "x")]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_phrases_are_tried_on_mails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.eml").write_bytes(b"From: a@example.org\r\nSubject: Vacation plans\r\n\r\nHello\r\n")
    (tmp_path / "b.eml").write_bytes(b"From: b@example.org\r\nSubject: Hello\r\n\r\nHello\r\n")
    assert run(["exceptions", "try", str(tmp_path), "--phrase", "subject:vacation", "--json"]) == 0
    *hits, summary = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(hit["phrase"], hit["diverts"]) for hit in hits] == [("vacation", False)]
    assert summary == {"mails": 2, "matched": 1, "diverted": 0, "diverted_strict": 1}


@pytest.mark.parametrize(
    ("arguments", "masked"),
    [
        (["--kind", "card"], "card **** **** **** ****, K-123456"),
        (["--pattern", r"\bK-\d{6}\b"], "card 4111 1111 1111 1111, ********"),
    ],
)
def test_a_text_is_shown_as_it_would_be_stored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], masked: str
) -> None:
    (tmp_path / "text.txt").write_text("card 4111 1111 1111 1111, K-123456")
    assert run(["masking", "try", str(tmp_path / "text.txt"), *arguments, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["text"] == masked
    assert [hit["count"] for hit in told["hits"]] == [1]


def test_the_patterns_of_a_file_are_tried(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text.txt").write_text("K-123456")
    (tmp_path / "c.yaml").write_text("masking_patterns: [{name: k, pattern: 'K-\\d+', replacement: X}]")
    assert run(["masking", "try", str(tmp_path / "text.txt"), "--config", str(tmp_path / "c.yaml"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["text"] == "XXXXXXXX"
