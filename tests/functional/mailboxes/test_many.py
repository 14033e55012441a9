"""Ten thousand mailboxes, and one that hangs, through the real handlers (X15)."""

from __future__ import annotations

import threading
import time

import pytest
from postroom_cli.mailservers.imap import ImapServer

from tests.functional.fetching.conftest import PASSWORD, Site
from tests.support.mails import mail


@pytest.mark.feature("X15")
def test_ten_thousand_mailboxes_are_scheduled_into_full_messages_each_mailbox_twice_a_minute(site: Site) -> None:
    names = site.configure(10_000, cycle_time="00:00:30")
    site.stack.invoke("SchedulePolls", {})
    sqs = site.stack.client("sqs")
    url = site.stack.environment["POLL_QUEUE_URL"]
    waiting = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    total = sum(int(waiting[name]) for name in ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed"))
    assert total == 200
    messages = site.stack.queued("POLL_QUEUE_URL")  # those without delay
    assert messages
    assert {len(message["mailboxes"]) for message in messages} == {100}
    assert {name for message in messages for name in message["mailboxes"]} <= set(names)


@pytest.mark.slow
@pytest.mark.feature("X15")
@pytest.mark.fault(13)
def test_a_mailbox_whose_server_hangs_delays_none_of_the_others_in_its_message(site: Site) -> None:
    patience = 6
    with ImapServer({"box3@example.com": PASSWORD}) as hanging:
        hanging.faults.silent_greeting = True
        names = site.configure(10, protocol_timeout=f"00:00:0{patience}")
        boxes = [
            {
                **box.model_dump(mode="json", exclude_defaults=True),
                **({"port": hanging.port} if box.name == "box3" else {}),
            }
            for box in site.stack.configurations.current().mailboxes
        ]
        site.stack.configure(
            settings={"default_inbound_queue": "general", "default_domain": "example.com"},
            departments=[{"name": "default"}],
            queues=[{"name": "general"}, {"name": "exceptions"}],
            outbound_servers=[{"name": "smtp-client", "type": "ses"}],
            mailboxes=boxes,
        )
        for name in names:
            site.server.append(f"{name}@example.com", "INBOX", mail(subject=name))
        polling = threading.Thread(target=site.poll, args=names)
        started = time.monotonic()
        polling.start()
        while len(site.raw()) < 9 and time.monotonic() - started < patience:
            time.sleep(0.1)
        assert len(site.raw()) == 9
        assert polling.is_alive()  # the tenth is still being waited for
        polling.join()
    assert time.monotonic() - started >= patience
    assert (site.state("box3").health.step, site.state("box3").health.code) == ("greeting", "deadline_exceeded")
    assert all(site.state(name).health.code == "" for name in names if name != "box3")
