"""YAML files as people write them: nothing surprises, every trap is named with its line."""

from __future__ import annotations

import pytest

from tests.unit.services.configuration.files import MAILBOX, mailbox, only_problem, problems, read


@pytest.mark.parametrize("written", ["00:00:30", "'00:00:30'", '"00:00:30"', "30"])
def test_a_period_may_be_written_with_or_without_quotes(written: str) -> None:
    assert read(mailbox(f"cycle_time: {written}")).mailboxes[0].cycle_time.total_seconds() == 30


@pytest.mark.parametrize(
    ("written", "seconds"), [("01:30:00", 5400), ("0:01:00", 60), ("00:05:00", 300), ("100:00:00", 360_000)]
)
def test_a_period_is_hours_minutes_seconds_and_not_a_number_to_base_sixty(written: str, seconds: int) -> None:
    assert read(mailbox(f"connect_timeout: {written}")).mailboxes[0].connect_timeout.total_seconds() == seconds


@pytest.mark.parametrize(
    ("written", "value"), [("no", False), ("yes", True), ("off", False), ("on", True), ("true", True), ("False", False)]
)
def test_booleans_are_understood_where_an_option_is_a_boolean(written: str, *, value: bool) -> None:
    assert read(mailbox(f"leave_msg_on_server: {written}")).mailboxes[0].leave_msg_on_server is value


@pytest.mark.parametrize("name", ["no", "on", "y", "0123", "1e3", "2026-11-21", "null-1"])
def test_a_name_is_the_text_that_was_written(name: str) -> None:
    assert read(MAILBOX.replace("name: support", f"name: {name}")).mailboxes[0].name == name


def test_a_key_given_twice_is_a_problem_with_both_lines() -> None:
    problem = only_problem(mailbox("port: 993", "port: 994"))
    assert (problem.path, problem.line) == ("mailboxes[0].port", 6)
    assert "twice" in problem.problem
    assert "line 5" in problem.problem


def test_a_tab_is_named_with_its_line() -> None:
    problem = only_problem("mailboxes:\n\t- name: support\n")
    assert problem.line == 2
    assert "tab" in problem.problem
    assert "spaces" in problem.remedy


def test_anchors_and_merged_mappings_save_writing() -> None:
    configuration = read(
        "x-usual: &usual\n  server: imap.example.com\n  cycle_time: 00:01:00\n"
        "mailboxes:\n"
        "  - {<<: *usual, name: a, address: a@example.com}\n"
        "  - {<<: *usual, name: b, address: b@example.com, cycle_time: 00:02:00}\n"
    )
    assert [mailbox.cycle_time.total_seconds() for mailbox in configuration.mailboxes] == [60, 120]


def test_an_alias_bomb_is_refused_before_it_explodes() -> None:
    bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"a{level}: &a{level} [{','.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 12)
    )
    assert "expands" in problems(bomb)[0].problem


def test_an_alias_of_what_it_stands_in_is_refused() -> None:
    assert "not finished" in problems("mailboxes: &a\n  - *a\n")[0].problem


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("[" * 5000, "nested deeper", id="deep nesting"),
        pytest.param("settings: {}\n---\nsettings: {}\n", "more than one document", id="two documents"),
        pytest.param("settings: !!python/object:os.system {}\n", "tag", id="tag"),
        pytest.param("- a\n- b\n", "holds no options", id="a list"),
        pytest.param("hello", "holds no options", id="a word"),
        pytest.param("mailboxes: [\n", "cannot be read as YAML", id="unfinished"),
        pytest.param("mailboxes: {}\n", "is not a list", id="a mapping for a list"),
        pytest.param("mailboxes: [support]\n", "is not a mapping", id="a word for a mailbox"),
        pytest.param("mailboxs: []\n", "is no section", id="unknown section"),
        pytest.param("settings: \x00\n", "YAML", id="NUL"),
        pytest.param("? [a]\n: b\n", "as a key", id="a list as a key"),
    ],
)
def test_what_is_no_configuration_is_said_and_never_a_crash(text: str, words: str) -> None:
    assert words in problems(text)[0].problem


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}", "settings:\n", "mailboxes:\n", "null"])
def test_an_empty_file_is_the_default_configuration(text: str) -> None:
    assert read(text) == read("{}")


def test_json_is_read_too() -> None:
    text = '{"mailboxes": [{"name": "a", "address": "a@example.com", "server": "x.example.com", "port": 993}]}'
    assert read(text).mailboxes[0].port == 993
