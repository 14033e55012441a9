"""Mail servers beside the local runner: whoever writes to a mailbox finds the mail there, and its answer in a file."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path

import pytest
from postroom.adapters.aws.s3 import S3Contents
from postroom.adapters.dynamo.interactions import DynamoInteractions
from postroom_cli.local.mail_site import MailSite
from postroom_cli.local.mailboxes import OnServer
from postroom_cli.local.runner import LocalRunner

TEMPLATE = Path(__file__).parents[3] / "template.yaml"
NAMES = ("support", "orders", "claims", "billing")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[MailSite]:
    with MailSite(tmp_path / "sent") as made:
        yield made


def write(site: MailSite, *recipients: str, sender: str = "ann@example.net", number: int = 1) -> bytes:
    """Hand a mail in, as curl does."""
    content = (
        f"From: Ann <{sender}>\r\nTo: {recipients[0]}\r\nSubject: Two lamps\r\n"
        f"Message-ID: <{number}@example.net>\r\n\r\n.Please send two lamps.\r\n"
    ).encode()
    with smtplib.SMTP(site.exchanger.host, site.exchanger.port) as client:
        client.sendmail(sender, recipients, content)
    return content


@pytest.mark.parametrize("name", NAMES)
def test_a_mail_lies_in_the_mailbox_it_was_written_to(site: MailSite, name: str) -> None:
    write(site, f"{name}@example.com")
    assert {one: site.servers.on_server(one).there for one in NAMES} == {one: int(one == name) for one in NAMES}
    assert not site.outgoing.exists()


def test_a_receiving_server_notes_the_sender_and_delivers_once(site: MailSite) -> None:
    content = write(site, "Support@Example.com", "support+token@example.com", "other@example.org")
    assert site.servers.on_server("support") == OnServer(1, 0, 0)
    (message,) = site.servers.imap.folder("support@example.com", "INBOX").messages
    assert message.raw == b"Return-Path: <ann@example.net>\r\n" + content
    assert (site.outgoing / "0001.eml").read_bytes() == content


@pytest.mark.slow
@pytest.mark.feature("G24")
def test_mail_to_each_mailbox_becomes_an_interaction_and_is_acknowledged(site: MailSite) -> None:
    with LocalRunner(TEMPLATE, schedules=False) as runner:
        site.set_up(runner.aws, runner.environment)
        runner.invoke("schedule_polls")
        for number, name in enumerate(NAMES):
            write(site, f"{name}@example.com", sender=f"ann{number}@example.net", number=number)
        contents = S3Contents(runner.aws("s3"), runner.environment["CONTENT_BUCKET"])
        found = DynamoInteractions(runner.aws("dynamodb"), runner.environment["TABLE_NAME"], contents)
        assert runner.wait_until(lambda: all(len(list(found.list_queue(name))) == 1 for name in NAMES), seconds=40)
        assert runner.wait_until(lambda: len(list(site.outgoing.glob("*.eml"))) >= 3, seconds=20)
    assert site.servers.complaints() == []
    for path in site.outgoing.glob("*.eml"):
        assert message_from_bytes(path.read_bytes())["Auto-Submitted"] == "auto-replied"


def test_mail_that_an_earlier_run_kept_is_not_written_over(tmp_path: Path) -> None:
    for body in ("first run", "second run"):
        with MailSite(tmp_path / "sent") as made, smtplib.SMTP("127.0.0.1", made.exchanger.port) as client:
            client.sendmail("ann@example.net", ["bob@example.net"], f"Subject: x\r\n\r\n{body}\r\n")
    kept = {file.name: file.read_bytes() for file in (tmp_path / "sent").iterdir()}
    assert sorted(kept) == ["0001.eml", "0002.eml"]
    assert b"first run" in kept["0001.eml"]
