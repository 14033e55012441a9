"""What is exported is the file again: stable, only what differs from the defaults, secrets as references."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from postroom.model.configuration.document import Configuration
from postroom.model.configuration.mailbox import Grant, Mailbox, Security, Type
from postroom.model.configuration.policies import Template
from postroom.services.configuration.file import export_configuration, read_configuration

from tests.unit.services.configuration.files import mailbox, read

EXAMPLES = sorted((Path(__file__).parents[4] / "docs" / "examples").glob("*.yaml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_of_the_docs_is_right_and_comes_back_as_the_same_configuration(path: Path) -> None:
    configuration = read(path.read_text("utf-8"))
    text = export_configuration(configuration)
    assert read(text) == configuration
    assert export_configuration(read(text)) == text


def test_there_are_examples() -> None:
    assert EXAMPLES


def test_only_what_differs_from_the_defaults_is_written() -> None:
    assert export_configuration(read(mailbox("cycle_time: 00:00:30", "enabled: false"))) == (
        "mailboxes:\n  - name: support\n    address: support@example.com\n    server: imap.example.com\n"
    )


def test_the_empty_configuration_is_an_empty_mapping() -> None:
    assert export_configuration(Configuration()) == "{}\n"


_TEXT = st.text(max_size=60).filter(lambda text: "\r" not in text and "\x00" not in text)


@settings(max_examples=60, deadline=None)
@example(subject="", text="\x85")
@example(subject="", text="a\u2028b\n\u2029")
@given(subject=st.text("abc :#-'\"{}[]&*!|>%@`é😀", max_size=20), text=_TEXT)
def test_any_text_of_a_template_survives_the_file(subject: str, text: str) -> None:
    configuration = Configuration(templates=(Template(name="t", subject=subject, text=text),))
    exported = export_configuration(configuration)
    assert read_configuration(exported).configuration == configuration


@settings(max_examples=60, deadline=None)
@given(
    name=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", fullmatch=True),
    seconds=st.integers(1, 86_400),
    type_=st.sampled_from([Type.IMAP, Type.POP3]),
    leave=st.booleans(),
)
def test_any_mailbox_survives_the_file(name: str, seconds: int, type_: Type, *, leave: bool) -> None:
    made = Mailbox(
        name=name,
        address="a@example.com",
        server="no.example.com",
        type=type_,
        cycle_time=timedelta(seconds=seconds),
        leave_msg_on_server=leave,
        security=Security.START_TLS_REQUIRED,
        client_id="on",
        directory_id="0123",
        grant=Grant.CLIENT_CREDENTIALS,
    )
    configuration = Configuration(mailboxes=(made,))
    assert read_configuration(export_configuration(configuration)).configuration == configuration


def test_the_schema_is_one_that_editors_read_and_names_every_section() -> None:
    schema = json.loads(json.dumps(Configuration.model_json_schema()))
    assert set(schema["properties"]) == set(Configuration.model_fields)
    assert schema["$defs"]["Mailbox"]["properties"]["cycle_time"]["reference"] == "cycle-time"
