"""The text of strangers on its way to a terminal and into JSON (security: one exit for each)."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from postroom.errors import PostroomError
from postroom_cli import output
from postroom_cli.shown import json_text, visible

# What a terminal obeys, what turns the direction of a line, what nobody sees, what begins another line.
ATTACKS = {
    "erase-the-line": "\x1b[2K\x1b[1A",
    "set-the-title": "\x1b]0;x\x07",
    "a-link": "\x1b]8;;http://evil.example\x1b\\",
    "c1-csi": "\x9b2K",
    "c1-next-line": "\x85",
    "delete": "\x7f",
    "backspace": "\b\b",
    "carriage-return": "\rforged",
    "line-feed": "\nforged",
    "vertical-tab": "\v",
    "line-separator": "\u2028forged",
    "paragraph-separator": "\u2029",
    "right-to-left-override": "\u202egpj.exe",
    "isolates": "\u2066x\u2069",
    "arabic-letter-mark": "\u061c",
    "zero-width": "a\u200bb\u200dc\ufeff",
    "word-joiner": "\u2060",
    "soft-hyphen": "\xad",
    "tags": "\U000e0041",
    "half-a-pair": "\ud83d",
    "nul": "\0",
}

OBEYED = {chr(one) for one in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, *range(0x202A, 0x202F))}


def harmless(printed: str) -> bool:
    return all(letter.isprintable() for line in printed.split("\n") for letter in line)


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_every_way_to_print_makes_it_visible(attack: str, capsys: pytest.CaptureFixture[str]) -> None:
    output.say(f"From {attack} x")
    output.note(f"Error: {attack} x")
    output.pairs({"subject": f"a{attack}b"})
    output.table("", ("from", "subject"), [("ann", f"a{attack}b")], empty="")
    output.tell_error(PostroomError(f"refused: {attack}", on=attack), as_json=False)
    printed = capsys.readouterr()
    assert harmless(printed.out + printed.err)
    assert "\nforged" not in printed.out + printed.err


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_a_body_keeps_its_lines_and_nothing_else(attack: str, capsys: pytest.CaptureFixture[str]) -> None:
    output.text(f"first\n{attack}\nlast\n")
    printed = capsys.readouterr().out
    assert harmless(printed)
    assert printed.startswith("first\n")
    assert printed.endswith("\nlast\n")


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_json_says_the_same_without_a_character_that_is_obeyed(attack: str, capsys: pytest.CaptureFixture[str]) -> None:
    value = {f"k{attack}": [attack]}
    output.record(value)
    printed = capsys.readouterr().out
    assert OBEYED.isdisjoint(printed.removesuffix("\n"))
    assert harmless(printed)
    assert json.loads(printed) == value


@pytest.mark.parametrize("text", ["Grüße aus Köln", "日本語の件名", "👍🏽 ok", "مرحبا", "a\tb".replace("\t", " ")])
def test_ordinary_text_of_all_scripts_is_printed_as_it_is(text: str) -> None:
    assert visible(text) == text
    assert json.loads(json_text(json.dumps(text, ensure_ascii=False))) == text


def test_raw_bytes_reach_a_terminal_by_force_only(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[bytes] = []
    terminal: Any = SimpleNamespace(
        isatty=lambda: True, flush=lambda: None, buffer=SimpleNamespace(write=written.append, flush=lambda: None)
    )
    monkeypatch.setattr(sys, "stdout", terminal)
    with pytest.raises(PostroomError) as caught:
        output.octets(b"\x1b[2K", force=False)
    assert "--force" in caught.value.remedy
    assert written == []
    output.octets(b"\x1b[2K", force=True)
    terminal.isatty = lambda: False
    output.octets(b"x", force=False)
    assert written == [b"\x1b[2K", b"x"]
