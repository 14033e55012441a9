"""What the command refuses: a sentence that says what to do, the right status, and never a traceback."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from postroom_cli.local.state import LocalState, write_state
from postroom_cli.local.template import REGION

from tests.functional.cli.conftest import Command
from tests.support.aws_stack import AwsStack, aws_stack

ADD = ("mailbox", "add", "support", "--address", "support@example.com", "--server", "imap.example.com")
UNKNOWN = "a" * 26


@pytest.fixture(scope="module")
def untouched() -> Iterator[AwsStack]:
    """One stack for all of them: what is refused changes nothing."""
    with aws_stack() as made:
        yield made


@pytest.fixture
def refusing(
    untouched: AwsStack, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Command:
    """The command, pointed at that stack."""
    write_state(tmp_path, LocalState("", REGION, dict(untouched.environment), "", os.getpid()))
    return Command(tmp_path, capsys, monkeypatch, untouched)


@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        ((*ADD, "--set", "cycle_time=0"), 2, "cycle_time"),
        ((*ADD, "--set", "mode=x"), 2, "mode"),
        ((*ADD, "--set", "mode"), 2, "has no value"),
        ((*ADD, "--set", "cycle_time=1", "--set", "cycle-time=2"), 2, "is given twice"),
        (("mailbox", "change", UNKNOWN, "name=other"), 2, f"Rename it: `postroom mailbox rename {UNKNOWN} other`"),
        ((*ADD, "--set", "password=CANARY"), 2, "takes no secret"),
        ((*ADD, "--type", "FTP"), 2, "FTP"),
        (("mailbox", "enable", UNKNOWN), 3, "no such mailbox"),
        (("mailbox", "change", UNKNOWN, "port=1"), 3, "no such mailbox"),
        (("mailbox", "show", UNKNOWN), 3, "no such mailbox"),
        (("mailbox", "remove", UNKNOWN), 3, "no such mailbox"),
        (("mailbox", "poll", UNKNOWN), 3, "no such mailbox"),
        (("mailbox", "test", UNKNOWN), 3, "no such mailbox"),
        (("mailbox", "preview", UNKNOWN), 3, "no such mailbox"),
        (("secret", "set", "a b"), 2, "no name"),
        (("secret", "set", "a", "--valid-until", "soon"), 2, "no date"),
        (("secret", "set", "a"), 2, "0 bytes"),
        (("secret", "remove", UNKNOWN), 3, "no such secret"),
        (("why", "<nobody@example.org>"), 3, "No mail is known"),
        (("why", UNKNOWN), 3, "No mail is known"),
        (("why", "raw/nothing"), 3, "No mail is known"),
        (("interaction", "list", "--queue", "nowhere"), 3, "no such queue"),
        (("exceptions", "try", "--queue", "nowhere"), 3, "no such queue"),
        (("replay", "--queue", "nowhere"), 3, "no such queue"),
        (("raw", UNKNOWN), 3, "no such interaction"),
        (("raw", "raw/nothing"), 3, "no raw message"),
        (("interaction", "show", UNKNOWN), 3, "no such interaction"),
        (("interaction", "history", UNKNOWN), 3, "no such interaction"),
        (("reply", UNKNOWN, "--file", "/nowhere/x.txt"), 2, "cannot be read"),
        (("outbox", "show", UNKNOWN), 3, "no such outbound mail"),
        (("outbox", "resend", UNKNOWN), 3, "no such outbound mail"),
        (("outbox", "mark-sent", UNKNOWN), 3, "no such outbound mail"),
        (("outbox", "list", "--state", "LOST"), 2, "UNCERTAIN"),
        (("dlq", "redrive", "nowhere"), 3, "no such queue"),
        (("exceptions", "try"), 2, "--queue"),
        (("exceptions", "try", "--phrase", "subject:a@b", "/nowhere"), 2, "@"),
        (("masking", "try", "--pattern", "(?=x)"), 2, "look-ahead"),
        (("masking", "try", "--department", "nowhere"), 2, "--config"),
        (("masking", "try", "--config", "docs/examples/full.yaml", "--department", "nowhere"), 2, "no department"),
        (("import", "genesys", "-"), 2, "no section"),
        (("import", "ece", "-"), 2, "no list"),
        (("config", "rollback", "7", "--yes"), 3, "no configuration 7"),
    ],
    ids=lambda value: " ".join(value[:3])[:40] if isinstance(value, tuple) else None,
)
def test_it_says_what_to_do_and_ends_with_its_status(
    refusing: Command, arguments: tuple[str, ...], status: int, words: str, *, as_json: bool
) -> None:
    ran = refusing(*arguments, *(["--json"] if as_json else []))
    assert ran.status == status
    told = ran.out if as_json else ran.err
    assert words in told
    assert "CANARY" not in ran.out + ran.err
    assert "Traceback" not in ran.err
    if as_json:
        error = ran.json["error"]
        assert error["code"]
        assert error["remedy"]


@pytest.mark.parametrize("arguments", [("mailbox", "add"), ("config", "nonsense"), ("explain", "--nonsense"), ("why",)])
def test_wrong_usage_ends_with_status_two(refusing: Command, arguments: tuple[str, ...]) -> None:
    assert refusing(*arguments).status == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("mailbox", "add"), "name"),
        (("config", "nonsense"), "nonsense"),
        (("explain", "--nonsense"), "--nonsense"),
        (("interaction", "list", "--limit", "0"), "--limit"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_wrong_usage_is_a_document_too_where_json_is_asked_for(
    refusing: Command, arguments: tuple[str, ...], words: str
) -> None:
    ran = refusing(*arguments, "--json")
    assert ran.status == 2
    error = ran.json["error"]
    assert error["code"] == "usage"
    assert words in error["message"]
    assert "--help" in error["remedy"]
    assert ran.err == ""


def test_every_command_has_json_and_help() -> None:
    import typer
    from postroom_cli.main import app

    def commands(group: typer.core.TyperGroup, path: str) -> Iterator[tuple[str, typer.core.TyperCommand]]:
        for name, command in group.commands.items():
            if isinstance(command, typer.core.TyperGroup):
                yield from commands(command, f"{path} {name}")
            else:
                yield f"{path} {name}", command  # type: ignore[misc]  # every leaf is a TyperCommand

    root = typer.main.get_command(app)
    assert isinstance(root, typer.core.TyperGroup)
    listed = dict(commands(root, "postroom"))
    assert len(listed) > 25
    for path, command in listed.items():
        assert command.help, path
        assert any("--json" in option.opts for option in command.params), path
