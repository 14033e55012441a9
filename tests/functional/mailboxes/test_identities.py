"""A mailbox is the same by its identity, not by its name or by how its place is spelled.

The family: something that people write in another way (name, server, login) is taken for another mailbox, and all mail
that was left on the server comes, and is answered, a second time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest
from postroom import bootstrap
from postroom.model.messages import stored_event
from postroom.model.outbound import OutboxState
from postroom_cli.mailservers.ews import EwsServer
from postroom_cli.mailservers.tokens import CLIENT, TENANT

from tests.functional.cli.conftest import Command
from tests.functional.oauth.conftest import Site
from tests.functional.oauth.conftest import site as handler_site  # noqa: F401 - the fixture of whole stacks
from tests.support import certificates
from tests.support.aws_stack import sqs_event
from tests.support.mails import mail

pytestmark = [pytest.mark.fault(116), pytest.mark.usefixtures("hasty")]

ADDRESS = "box0@example.com"
PROTOCOLS = ("IMAP", "POP3", "GRAPH", "EWS")
every_protocol = pytest.mark.parametrize("type_", PROTOCOLS)


def letters(*numbers: int) -> list[bytes]:
    """Mails of so many persons, each of whom an acknowledgement would go to."""
    return [
        mail(
            sender=f"p{number}@example{number}.org",
            return_path=f"<p{number}@example{number}.org>",
            message_id=f"<{number}@example.org>",
            subject=str(number),
        ).replace(b"Fri, 20 Nov 2026 10:00:00 +0000", format_datetime(datetime.now(UTC)).encode())
        for number in numbers
    ]


@dataclass
class House:
    """One mailbox that mail stays in, on a server that is known by two names, and the command line beside it."""

    site: Site
    ews: EwsServer
    postroom: Command
    type_: str
    log: list[str] = field(default_factory=list)

    def mailbox(self, **options: Any) -> dict[str, Any]:
        """Write the mailbox as in a file."""
        token = {
            "client_id": CLIENT,
            "directory_id": TENANT,
            "tenant_authority": self.site.authority,
            "client_secret": {"secret": "app"},
            "grant": "client_credentials",
        }
        site, own = self.site, certificates.authority().pem
        servers: dict[str, dict[str, Any]] = {
            "IMAP": {"server": "127.0.0.1", "port": site.imap.port, "ca_certificate": site.imap.ca_pem, **token},
            "POP3": {"server": "127.0.0.1", "port": site.pop3.port, "ca_certificate": site.pop3.ca_pem, **token},
            "GRAPH": {"server": site.graph.base, "ca_certificate": own, **token},
            "EWS": {"server": self.ews.url, "ca_certificate": self.ews.ca_pem, "password": {"secret": "ews"}},
        }
        given = {"name": "box0", "address": ADDRESS, "enabled": True, "type": self.type_, "leave_msg_on_server": True}
        return {**given, "endpoint": "desk", **servers[self.type_], **options}

    def configuration(self, **options: Any) -> dict[str, Any]:
        return {
            "settings": {
                "default_inbound_queue": "general",
                "default_domain": "example.com",
            },
            "departments": [{"name": "default"}],
            "queues": [{"name": "general"}, {"name": "exceptions"}],
            "endpoints": [{"name": "desk", "queue": "general", "acknowledgement": "received"}],
            "templates": [{"name": "received", "subject": "We have it", "text": "Thank you."}],
            "outbound_servers": [{"name": "smtp-client", "type": "ses"}],
            "mailboxes": [self.mailbox(**options)],
        }

    def begin(self, **options: Any) -> None:
        self.site.stack.configure(**self.configuration(**options))
        self.poll()

    def elsewhere(self) -> str:
        """Spell the server in another way."""
        server = str(self.mailbox()["server"])
        here, there = ("127.0.0.1", "localhost") if "127.0.0.1" in server else ("localhost", "127.0.0.1")
        return server.replace(here, there)

    def deliver(self, *contents: bytes) -> None:
        for content in contents:
            if self.type_ == "EWS":
                self.ews.mailboxes[ADDRESS].deliver(content, received=datetime.now(UTC))
            elif self.type_ == "GRAPH":
                self.site.graph.deliver(content, received=datetime.now(UTC))
            else:
                self.site.deliver(self.type_, content)

    def poll(self, name: str = "box0", *, seconds: float = 120) -> None:
        """Poll by the real handler, in a process that knows nothing yet, and process what is stored."""
        bootstrap.forget()
        function = "FetchEws" if self.type_ == "EWS" else "FetchMailboxes"
        event = sqs_event({"v": 1, "mailboxes": [name], "backlog": False})
        assert self.site.stack.invoke(function, event, seconds=seconds) == {"batchItemFailures": []}
        bucket = self.site.stack.environment["RAW_BUCKET"]
        rows = self.site.stack.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])
        for row in rows:
            if row["Key"] not in self.log:
                self.log.append(row["Key"])
                event = sqs_event(stored_event(bucket, row["Key"]))
                assert self.site.stack.invoke("ProcessInbound", event) == {"batchItemFailures": []}

    def counts(self) -> tuple[int, int, int]:
        """Count raw messages, interactions and acknowledgements."""
        interactions = self.site.stack.interactions
        sent = sum(len(list(interactions.list_outbox(state))) for state in OutboxState)
        return len(self.log), len(list(interactions.list_queue("general"))), sent

    def apply(self, *arguments: str, **options: Any) -> dict[str, Any]:
        """Apply the configuration as a file does."""
        text = json.dumps(self.configuration(**options))
        ran = self.postroom("config", "apply", "-", "--yes", "--json", *arguments, stdin=text)
        assert ran.status == 0, ran.out + ran.err
        told: dict[str, Any] = ran.json
        return told

    def shown(self, name: str) -> dict[str, Any]:
        """Show the mailbox as `postroom mailbox show` does."""
        told: dict[str, Any] = self.postroom("mailbox", "show", name, "--json").json
        return told


Make = Callable[[str], House]


@pytest.fixture
def house(handler_site: Site, postroom: Command) -> Iterator[Make]:  # noqa: F811 - a fixture's name is its argument
    with EwsServer({ADDRESS: "correct horse"}, offers=("Basic",)) as ews:
        ews.mailboxes[ADDRESS]
        handler_site.enter("ews", "correct horse")
        yield lambda type_: House(handler_site, ews, postroom, type_)
    assert ews.violations == []


@every_protocol
def test_after_a_rename_twenty_mails_left_on_the_server_come_once(house: Make, type_: str) -> None:
    box = house(type_)
    box.begin()
    box.deliver(*letters(*range(20)))
    box.poll()
    assert box.counts() == (20, 20, 20)
    ran = box.postroom("mailbox", "rename", "box0", "help", "--json")
    assert (ran.status, ran.json["mailbox"], ran.json["renamed_from"]) == (0, "help", "box0")
    box.deliver(*letters(20))
    box.poll("help")
    box.poll("help")
    assert box.counts() == (21, 21, 21)
    shown = box.shown("help")
    assert shown["looked_at"]
    assert [sum(one["stored"] for one in shown["balances"])] == [21]
    box.postroom("mailbox", "rename", "help", "desk")
    box.postroom("mailbox", "rename", "desk", "box0")
    assert "renamed_from" not in json.dumps(box.site.stack.configurations.load(4).model_dump(exclude_defaults=True))
    box.poll()
    assert box.counts() == (21, 21, 21)


@every_protocol
def test_renamed_and_spelled_otherwise_in_the_middle_of_a_backlog(house: Make, type_: str) -> None:
    box = house(type_)
    box.begin(maximum_msg_number=4)
    box.deliver(*letters(*range(10)))
    box.poll(seconds=50)  # too few for all of it
    assert box.counts() == (4, 4, 4)
    told = box.apply(name="help", renamed_from="box0", server=box.elsewhere(), maximum_msg_number=4)
    (change,) = told["changes"]
    assert (change["kind"], change["name"]) == ("changed", "help")
    assert {one["field"] for one in change["fields"]} == {"name", "renamed_from", "server"}
    (taken,) = [one for one in told["warnings"] if one["path"] == "mailboxes[name=help].server"]
    assert taken["problem"].startswith("changes: the mailbox is taken for the same if its server shows mail there")
    for _cycle in range(4):
        box.poll("help")
    assert box.counts() == (10, 10, 10)
    assert sum(one["stored"] for one in box.shown("help")["balances"]) == 10  # none was fetched a second time
    assert "compared-anew" not in [one["rule"] for one in box.shown("help")["warnings"]]


@every_protocol
def test_another_mailbox_under_the_new_spelling_is_not_taken_for_the_same(house: Make, type_: str) -> None:
    box = house(type_)
    box.begin()
    box.deliver(*letters(*range(3)))
    box.poll()
    if type_ == "EWS":
        box.ews.mailboxes[ADDRESS].folder("").items.clear()
    elif type_ == "GRAPH":
        box.site.graph.messages.clear()
    else:
        folder = (box.site.imap if type_ == "IMAP" else box.site.pop3).store.create(ADDRESS, "INBOX")
        folder.remove(list(folder.messages))
        folder.uidnext = 1  # other mails under the same ids, and in the same epoch
    box.deliver(*letters(7, 8))
    box.apply(server=box.elsewhere())
    box.poll()
    box.poll()
    # POP3 tells no dates: what lies in a mailbox that is looked at for the first time counts as old.
    assert box.counts() == (5, 5, 3 if type_ == "POP3" else 5)
    assert "compared-anew" in [one["rule"] for one in box.shown("box0")["warnings"]]


def test_a_file_that_would_lose_an_identity_says_so(house: Make) -> None:
    box = house("IMAP")
    box.begin()

    def refused(**options: Any) -> list[tuple[str, str]]:
        text = json.dumps(box.configuration(**options))
        ran = box.postroom("config", "apply", "-", "--yes", "--json", stdin=text)
        assert ran.status != 0
        return [(one["path"], one["remedy"]) for one in json.loads(ran.err or ran.out)["error"]["problems"]]

    enabled = "Disable it first, and remove it afterwards. If `help` is its new name, write `renamed_from: box0` there."
    assert refused(name="help") == [("mailboxes[name=box0]", enabled)]
    box.apply(enabled=False)
    told = box.apply("--dry-run", name="help")
    assert [one["remedy"] for one in told["warnings"] if one["path"] == "mailboxes[name=help]"] == [
        "If it is the same, write `renamed_from: box0`."
    ]
    box.apply(name="help", renamed_from="box0")
    assert refused(name="help") == [("mailboxes[name=help].renamed_from", "Write `renamed_from: box0`.")]
    assert refused(name="desk", renamed_from="help") == [
        ("mailboxes[name=desk].renamed_from", "Write `renamed_from: box0`.")
    ]
    again = box.postroom("mailbox", "rename", "help", "desk", "--json").json
    assert again["renamed_from"] == "box0"
    taken = box.postroom("mailbox", "add", "box0", "--address", "new@example.com", "--server", "mail.example.com")
    assert "`box0` is what the stored mail of the mailbox `desk` is kept under" in taken.out + taken.err


def test_what_is_stored_answers_under_the_new_name(house: Make) -> None:
    box = house("IMAP")
    box.begin()
    box.deliver(*letters(1))
    box.poll()
    box.postroom("mailbox", "rename", "box0", "help")
    assert box.postroom("why", "<1@example.org>", "--json").json["mailbox"] == "help"
    (row,) = box.site.stack.interactions.list_queue("general")
    replied = box.postroom("reply", row["id"], "--file", "-", stdin="Hello")
    assert replied.status == 0, replied.out + replied.err
    assert box.postroom("mailbox", "problems", "help").status == 0
    assert box.postroom("mailbox", "change", "help", "name=desk").status != 0
