"""What is remembered of the mails on a server is lost, or cannot be read: it concerns its mailbox, and is seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from postroom import bootstrap
from postroom.adapters.dynamo import mailbox_states
from postroom_cli.mailservers.imap_faults import FetchFault

from tests.functional.cli.conftest import Command
from tests.functional.fetching.conftest import Site
from tests.functional.mailboxes.conftest import Clock
from tests.support.mails import mail

Connect = Callable[..., Site]


@pytest.fixture
def shelved(connected: Connect, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Two mailboxes with three mails each that stay there; of one, what is remembered lies in S3."""
    monkeypatch.setattr(mailbox_states, "INLINE", 0)
    site = connected(count=2, leave_msg_on_server=True, move_failed_ews_item=False)
    site.poll("box1")
    for number in range(3):
        site.deliver(mail(subject=str(number), message_id=f"<{number}@example.org>"))
    site.server.faults.fetch[2] = FetchFault.NIL
    site.poll("box0", "box1")
    del site.server.faults.fetch[2]
    bootstrap.forget()  # a function that starts anew: a warm one remembers what it has read
    assert site.state().lost == ""
    assert len(shelf(site)) == 1
    return site


def shelf(site: Site) -> list[str]:
    client = site.stack.client("s3")
    found = client.list_objects_v2(Bucket=site.stack.environment["CONTENT_BUCKET"], Prefix="positions/")
    return [row["Key"] for row in found.get("Contents", [])]


def warnings(postroom: Command) -> dict[str, str]:
    shown: dict[str, Any] = postroom("mailbox", "show", "box0", "--json").json
    return {one["rule"]: one["text"] for one in shown["warnings"]}


@pytest.mark.fault(36)
@pytest.mark.parametrize("how", ["missing", "damaged"])
def test_memory_that_is_lost_heals_by_a_full_comparison_and_is_seen(shelved: Site, postroom: Command, how: str) -> None:
    site = shelved
    (key,) = shelf(site)
    if how == "missing":
        site.stack.contents.delete(key)
    else:
        site.stack.contents.put(key, b"nonsense", content_type="application/zlib")
    assert "is lost" in warnings(postroom)["memory-lost"]
    assert f"is {how}" in postroom("why", "box0/1", "--json").lines[0]["summary"]
    before = len(site.raw())
    site.deliver(mail(subject="new", message_id="<new@example.org>"))
    site.server.append("box1@example.com", "INBOX", mail(subject="other", message_id="<other@example.org>"))
    site.poll("box0", "box1")
    # The one that failed, the new one, and that of the other mailbox; what was stored is the same bytes as before.
    assert len({raw.content for raw in site.raw()}) == before + 3
    state = site.state()
    assert (state.health.state, state.lost) == ("active", "")
    assert "compared anew" in warnings(postroom)["compared-anew"]
    assert f"{key} is {how}" in warnings(postroom)["compared-anew"]
    assert postroom("why", "box0/1", "--json").lines[0]["state"] == "stored"


@pytest.mark.fault(5)
def test_memory_that_cannot_be_read_for_a_while_costs_its_mailbox_a_while(
    clock: Clock, shelved: Site, postroom: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    from postroom.adapters.aws.s3 import S3Contents
    from postroom.errors import Transient

    real = S3Contents.get

    def denied(self: S3Contents, key: str) -> bytes:
        if key.startswith("positions/"):
            raise Transient("AWS refused while reading content: AccessDenied", on=key, code="aws_denied")
        return real(self, key)

    site = shelved
    before = site.state().position
    site.deliver(mail(subject="new", message_id="<new@example.org>"))
    site.server.append("box1@example.com", "INBOX", mail(subject="other", message_id="<other@example.org>"))
    stored = len(site.raw())
    monkeypatch.setattr(S3Contents, "get", denied)
    site.poll("box0", "box1")
    assert len(site.raw()) == stored + 1
    shown = postroom("mailbox", "show", "box0", "--json").json
    assert (shown["health"]["state"], shown["health"]["step"], shown["health"]["code"]) == (
        "retrying",
        "state",
        "aws_denied",
    )
    assert "cannot be read: AWS refused" in postroom("why", "box0/1", "--json").lines[0]["summary"]
    monkeypatch.setattr(S3Contents, "get", real)
    assert site.state().position == before
    clock.wait(minutes=1)  # what failed is due again
    site.poll("box0")
    assert len(site.raw()) == stored + 3
    assert site.state().health.state == "active"
