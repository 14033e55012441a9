"""A whole installation in this process: moto's AWS, real handlers, embedded mail servers, a clock that can be moved.

One scenario is one mailbox with one mail, acknowledged, answered by an agent, sent by one transport, and followed.
"""

from __future__ import annotations

import copy
import json
import logging
import os
import threading
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
from moto import mock_aws
from moto.backends import get_backend
from postroom.adapters import clock
from postroom.model.configuration.document import Configuration
from postroom_cli.demo.installation import Installation
from postroom_cli.local import example
from postroom_cli.local.aws_server import publish_events, verify_sender
from postroom_cli.local.environment import environment, local_environment
from postroom_cli.local.functions import Function, Invoker, read_functions, shared_environment
from postroom_cli.local.makers import MAKERS
from postroom_cli.local.queues import QueuePoller
from postroom_cli.local.runner import OVERRIDES, STACK
from postroom_cli.local.schedules import scheduled_event
from postroom_cli.local.ses_events import Accepted, accepted
from postroom_cli.local.stack import Aws, Stack
from postroom_cli.local.template import ACCOUNT, REGION, read_template
from postroom_cli.local.triggers import QueueTrigger, read_triggers
from postroom_cli.mailservers import ImapServer, SmtpSink
from postroom_cli.mailservers.smtp import ReceivedMail
from postroom_cli.mailservers.store import Message

from tests.faults.injector import Died, Injector
from tests.faults.points import Kind, Place
from tests.support import quick_moto

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
MAILBOXES = (example.SUPPORT, example.CLAIMS)
USERS = {f"{name}@example.com": f"sweep-{name}" for name in MAILBOXES}


# Every run takes place at the same time of the world, whatever the real time is, as the hour decides about some steps.
# It goes over a full hour in its second round, so that the sweeper's mark moves in each run, and never over midnight.
_BEGINNING = datetime.now(UTC).replace(hour=10, minute=20, second=0, microsecond=0) + timedelta(days=1)
_FIRST_RUN = _BEGINNING + timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One way through: which mailbox, hence which transport, and what is done on the mail server after storage."""

    name: str
    mailbox: str
    mail: bytes


class ProcessDied(Exception):
    """What the queue sees of a process that died: an invocation that never answered."""


class World:
    """Made once and put back to its beginning for each run: making it anew would take most of the time."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self._opened = ExitStack()
        self.injector = Injector()
        self.sent_by_ses: list[Accepted] = []
        self._checkpoints: list[Checkpoint] = []
        self._offset = timedelta(0)
        self.received = self._set_clock(_BEGINNING)

    def __enter__(self) -> World:
        opened = self._opened
        quick_moto.hurry()
        opened.enter_context(mock_aws())
        opened.enter_context(_shared_clients())
        opened.enter_context(patch.object(clock, "datetime", _MovableClock(self)))
        self.aws = Aws()
        base = local_environment({}, endpoint_url="")
        del base["AWS_ENDPOINT_URL"]
        opened.enter_context(environment(base))
        self.imap = opened.enter_context(ImapServer(USERS, tls="implicit"))
        self.smtp = opened.enter_context(SmtpSink(example.SMTP_USERS, tls="starttls"))
        template = read_template(TEMPLATE, stack=STACK, overrides=OVERRIDES)
        self.stack = Stack(template, self.aws, makers=MAKERS, api_url="http://127.0.0.1:0")
        self.stack.make()
        functions = read_functions(self.stack)
        self.functions = {function.verb_noun: function for function in reversed(functions)}
        self.variables = {**base, **shared_environment(functions)}
        os.environ.update({**self.variables, "POWERTOOLS_LOG_LEVEL": "CRITICAL"})
        logging.disable(logging.CRITICAL)  # thousands of failures are wanted here
        opened.callback(logging.disable, logging.NOTSET)
        self.queues = [
            QueuePoller(
                trigger,
                aws=self.aws,
                invoke=self._invoke,
                look=threading.Event(),
                worked=lambda: None,
                retry_after=0,
            )
            for trigger in read_triggers(self.stack, functions)
            if isinstance(trigger, QueueTrigger)
        ]
        self._invoker = Invoker()
        verify_sender("support@example.com")
        self.installation = Installation(self.aws, self.variables)
        secrets = {f"mailbox-{name}": USERS[f"{name}@example.com"] for name in MAILBOXES}
        self.installation.set_up(_configuration(self.imap, self.smtp, self.scenario.mailbox), secrets)
        self.installation.configurations.current()  # the agent's side is warm
        self.tick("sweep")  # leaves its mark: from then on it looks at the last hours only
        self.tick("schedule_polls")
        self.pass_time(timedelta(0))
        self.deliver()  # the first look: what comes now is newer than the mailbox's first connection
        self.received = self._set_clock(_FIRST_RUN)
        self.injector = Injector()  # what was done to come here is no part of the path
        self._beginning = self.checkpoint()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._opened.__exit__(*exception)

    @property
    def now(self) -> datetime:
        """Return the world's time."""
        return datetime.now(UTC) + self._offset

    @contextmanager
    def run(self, injector: Injector, since: Checkpoint | None = None) -> Iterator[None]:
        """Begin anew with this injector, or where a run without faults had come to."""
        checkpoint = since or self._beginning
        self._put_back(checkpoint)
        self.injector = injector
        injector.begin(checkpoint.places)
        injector.refuse = {"imap": self._refuse_imap, "smtp": self._refuse_smtp}
        injector.on_aws = [self._watch_ses]
        self.start_anew()
        with injector.installed():
            yield

    def checkpoint(self) -> Checkpoint:
        """Keep all that is outside of the functions' processes, and where the path is; no queue holds anything."""
        assert not any(queue._messages for queue in backend("sqs").queues.values())
        made = Checkpoint(
            now=self.now,
            storage=_Storage.copy(),
            folders=[
                (user, name, self.imap.folder(user, name).uidnext, _copies(self.imap.folder(user, name).messages))
                for user in USERS
                for name in self.imap.store.names(user)
            ],
            sent_by_smtp=list(self.smtp.mails),
            sent_by_ses=list(self.sent_by_ses),
            places=tuple(self.injector.places),
        )
        self._checkpoints.append(made)
        return made

    def _put_back(self, checkpoint: Checkpoint) -> None:
        kept = {id(one) for made in self._checkpoints for one in made.storage.versions()}
        checkpoint.storage.put_back(kept)
        self._set_clock(checkpoint.now)
        self.sent_by_ses = list(checkpoint.sent_by_ses)
        self.smtp.mails[:] = checkpoint.sent_by_smtp
        self.imap.faults = type(self.imap.faults)()
        names = {(user, name) for user, name, _uidnext, _messages in checkpoint.folders}
        for user in USERS:
            for name in self.imap.store.names(user):
                if (user, name) not in names:
                    self.imap.store.delete(user, name)
        for user, name, uidnext, messages in checkpoint.folders:
            folder = self.imap.store.create(user, name)
            folder.messages[:] = _copies(messages)
            folder.uidnext = uidnext

    def start_anew(self) -> None:
        """Lose what the functions' processes remember, as every new execution environment does."""
        from postroom import bootstrap

        bootstrap.forget()
        self.smtp.faults = type(self.smtp.faults)()

    def _set_clock(self, now: datetime) -> datetime:
        self._offset = now - datetime.now(UTC)
        return now

    # --- driving ---

    def tick(self, function: str) -> None:
        """Run a scheduled function once."""
        with suppress(Exception):  # a tick that fails is not repeated: the next one comes
            self._invoke(self.functions[function], scheduled_event(None))

    def deliver(self) -> None:
        """Deliver every message of every queue until no queue gives any more."""
        for _round in range(60):
            filled = [queue for queue in self.queues if _holds_messages(queue.trigger.queue_name)]
            gave = [queue.drain_once() for queue in filled]  # each of them, whatever the first gives
            if not any(gave):
                return
        raise AssertionError("the queues never get empty")

    def pass_time(self, period: timedelta) -> None:
        """Move the clock, and make every delayed or invisible message visible."""
        self._offset += period
        self.smtp.faults = type(self.smtp.faults)()  # what was refused for now is not refused for ever
        for queue in backend("sqs").queues.values():
            for message in queue._messages:
                message.delayed_until = 0
                message.visible_at = 0

    def as_person(self, act: Callable[[], Any]) -> None:
        """Do what an agent does: press again when it did not work, at most three times."""
        for _try in range(3):
            try:
                with self.injector.process():
                    act()
                return
            except Died:
                self.start_anew()
            except Exception:
                continue
        raise AssertionError("the agent could not answer in three tries")

    def _invoke(self, function: Function, event: Any) -> Any:
        kind = self.injector.event(function.verb_noun)
        if kind is Kind.EVENT_LOST:
            return None
        answer = self._call(function, event)
        if kind is Kind.EVENT_TWICE:
            answer = self._call(function, event)
        return answer

    def _call(self, function: Function, event: Any) -> Any:
        try:
            with self.injector.process():
                return self._invoker(function, event)
        except Died as death:
            self.start_anew()
            raise ProcessDied(str(death)) from None

    # --- the other side ---

    def _watch_ses(self, event_name: str, request: Any, answer: Any) -> None:
        if event_name != "before-send.sesv2.SendEmail" or answer.status_code != 200:
            return
        message_id = json.loads(answer.content)["MessageId"]
        mail = accepted(json.loads(request.body), message_id=message_id, at=self.now)
        self.sent_by_ses.append(mail)
        publish_events(mail)

    def _refuse_imap(self, command: str, kind: Kind) -> bool:
        # RFC 5530: UNAVAILABLE is temporary. A refused login without it would wait for a person, by design.
        temporary = kind is Kind.THROTTLED or command in ("LOGIN", "AUTHENTICATE")
        answer = "NO [UNAVAILABLE] Try again later" if temporary else "NO It does not work"
        self.imap.faults.answers.setdefault(command, []).insert(0, answer)
        return True

    def _refuse_smtp(self, command: str, kind: Kind) -> bool:
        stage = _SMTP_STAGES.get(command)
        if stage is None:
            return False
        self.smtp.faults.replies[stage] = "451 4.3.0 Try again later" if kind is Kind.THROTTLED else "554 5.7.0 No"
        return True


_SMTP_STAGES = {"EHLO": "ehlo", "AUTH": "auth", "MAIL": "mail", "RCPT": "rcpt", "DATA": "data", "END OF DATA": "dot"}


def _configuration(imap: ImapServer, smtp: SmtpSink, enabled: str) -> Configuration:
    """One mailbox whose mail is deleted, and one whose mail is moved; one is enabled."""
    mailboxes = [
        {
            "name": name,
            "address": f"{name}@example.com",
            "enabled": name == enabled,
            "server": imap.host,
            "port": imap.port,
            "ca_certificate": imap.ca_pem,
            "password": {"secret": f"mailbox-{name}"},
            "processed_items_folder_name": "Processed" if name == example.CLAIMS else "",
        }
        for name in MAILBOXES
    ]
    return example.configuration(
        mailboxes,
        smtp,
        cycle_time="00:01:00",
        sent_by_ses=(example.CLAIMS,),
        trusted_authserv_ids=("mx.example.com",),
    )


class _MovableClock:
    """`datetime` for postroom.adapters.clock."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now(self, _zone: Any = None) -> datetime:
        return self._world.now


@contextmanager
def _shared_clients() -> Iterator[None]:
    """Keep boto3's clients: they hold nothing of a run, and making them takes longer than the run."""
    made: dict[tuple[str, str], Any] = {}
    make = boto3.client

    def client(service: str, **settings: Any) -> Any:
        key = (service, repr(vars(settings["config"]).get("_user_provided_options")) if "config" in settings else "")
        if key not in made:
            made[key] = make(service, **settings)  # type: ignore[call-overload]
        return made[key]

    with patch.object(boto3, "client", client):
        yield


def _holds_messages(queue_name: str) -> bool:
    # Asking moto by SQS takes ten times as long, and most queues are empty most of the time.
    return bool(backend("sqs").queues[queue_name]._messages)


def stored_items(table: str) -> list[dict[str, Any]]:
    """Return every item of a table in DynamoDB's JSON, without a request."""
    rows = backend("dynamodb").tables[table].items.values()
    return [item.to_json()["Attributes"] for row in rows for item in (row.values() if isinstance(row, dict) else [row])]


def backend(service: str) -> Any:
    return get_backend(service)[ACCOUNT][REGION]  # type: ignore[call-overload]


def buckets() -> dict[str, Any]:
    found: dict[str, Any] = get_backend("s3")[ACCOUNT]["aws"].buckets
    return found


@dataclass(frozen=True, slots=True)
class _Storage:
    """What moto holds, to be put back."""

    items: dict[str, Any]  # table → its items
    objects: dict[str, dict[str, list[Any]]]  # bucket → key → versions

    @classmethod
    def copy(cls) -> _Storage:
        return cls(
            items={name: copy.deepcopy(table.items) for name, table in backend("dynamodb").tables.items()},
            objects={
                name: {key: list(bucket.keys.getlist(key)) for key in bucket.keys} for name, bucket in buckets().items()
            },
        )

    def versions(self) -> Iterator[Any]:
        """List the objects of all buckets."""
        return (version for keys in self.objects.values() for versions in keys.values() for version in versions)

    def put_back(self, kept: Container[int]) -> None:
        """Put it back; objects that no checkpoint needs (`kept`: the ids of the others) are thrown away."""
        for name, table in backend("dynamodb").tables.items():
            table.items = copy.deepcopy(self.items[name])
        for name, bucket in buckets().items():
            for key in list(bucket.keys):
                for version in bucket.keys.getlist(key):
                    if id(version) not in kept:
                        version.dispose()
            dict.clear(bucket.keys)  # its own ways of removing throw away what is in a checkpoint too
            for key, versions in self.objects[name].items():
                dict.__setitem__(bucket.keys, key, list(versions))
        for queue in backend("sqs").queues.values():
            queue._messages.clear()
            queue.pending_messages.clear()
            queue.deleted_messages.clear()
        backend("ses").sent_messages.clear()


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where a run without faults has come to: all that is outside of the functions' processes."""

    now: datetime
    storage: _Storage
    folders: list[tuple[str, str, int, list[Message]]]  # user, name, next UID, messages
    sent_by_smtp: list[ReceivedMail]
    sent_by_ses: list[Accepted]
    places: tuple[Place, ...]  # that the path has come by


def _copies(messages: Iterable[Message]) -> list[Message]:
    return [replace(message, flags=set(message.flags)) for message in messages]
