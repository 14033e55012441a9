"""Five-line fakes of what polling needs, and a mail server in memory that can misbehave."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Collection, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from postroom.errors import LeaseLost, LoginRefused, NotFound, ServerMisbehaved, Transient
from postroom.model.configuration.document import Configuration
from postroom.model.configuration.mailbox import Mailbox, SecretReference, Type
from postroom.model.mailbox_state import Health, Lease, Likeness, MailboxState, Position, Record
from postroom.model.raw_message import RawMessage
from postroom.model.server_mail import Action, Fetched, FetchFailed, Item, Listing
from postroom.ports import Connector, RawMessages
from postroom.services.polling.look import Summary, poll
from postroom.services.polling.outcome import Polling

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def mail(number: int, *, size: int = 0) -> bytes:
    """Write a mail; `size` fills it up."""
    text = f"From: a@example.com\r\nMessage-ID: <{number}@example.com>\r\nSubject: {number}\r\n\r\nHello {number}\r\n"
    return text.encode() + b"x" * max(0, size - len(text))


def a_mailbox(name: str = "support", **options: Any) -> Mailbox:
    """Make an enabled mailbox."""
    settings = {
        "name": name,
        "address": f"{name}@example.com",
        "enabled": True,
        "server": "mail.example.com",
        "password": {"secret": f"{name}-password"},
        **options,
    }
    return Mailbox.model_validate(settings)


@dataclass
class Server:
    """One folder of an IMAP server, in memory."""

    mails: dict[int, bytes] = field(default_factory=dict)
    dates: dict[int, datetime] = field(default_factory=dict)
    sizes: dict[int, int | None] = field(default_factory=dict)  # where it lies about them
    seen: set[int] = field(default_factory=set)
    moved: dict[int, Action] = field(default_factory=dict)
    validity: str = "1"
    password: str = "secret"
    unfetchable: set[int] = field(default_factory=set)  # answers that these cannot be had
    breaking: set[int] = field(default_factory=set)  # drops the connection in the middle of these
    silent: set[int] = field(default_factory=set)  # no answer for these, as if they had not been asked for
    vanishing: set[int] = field(default_factory=set)  # another client removes these before they are fetched
    act_error: Exception | None = None
    commands: list[str] = field(default_factory=list)
    open_sessions: int = 0

    def put(self, *numbers: int, date: datetime = NOON, size: int = 0) -> None:
        """Deliver mails with these UIDs."""
        for number in numbers:
            self.mails[number] = mail(number, size=size)
            self.dates[number] = date

    def item(self, uid: int) -> Item:
        """Say of a mail what it tells."""
        return Item(str(uid), self.sizes.get(uid, len(self.mails[uid])), self.dates.get(uid))


class ServerSession:
    """Implements ports.Session over a Server, as the contract of ports says."""

    def __init__(self, server: Server, mailbox: Mailbox) -> None:
        self.server = server
        self.mailbox = mailbox
        server.open_sessions += 1

    def look(self, position: Position | None) -> bool:
        listing = self._listing(position)
        return bool(listing.news or listing.unfinished)

    def list(self, position: Position | None) -> Listing:
        self.server.commands.append("list")
        return self._listing(position)

    def _listing(self, position: Position | None) -> Listing:
        server = self.server
        resynced = position is not None and position.epoch != server.validity
        position = Position(epoch=server.validity) if position is None or resynced else position
        stays = self.mailbox.stays
        done, kept = int(position.cursor or position.floor or 0), int(position.kept or 0)
        news, unfinished, known = [], [], 0
        for uid in sorted(server.mails):
            one, item = str(uid), server.item(uid)
            again = one in position.problems
            over = (uid <= done or one in position.known) and (stays or uid <= max(kept, int(position.floor or 0)))
            alone = position.leaves_alone(one) or uid <= int(position.floor or 0)
            if alone or (not again and over and (uid in server.seen or not stays)):
                known += 1
            elif not again and one in position.records:
                same = position.records[one].likeness(Record.of(item.size, item.date)) is Likeness.SAME
                unfinished.append(one) if same else news.append(item)
            else:
                news.append(item)
        return Listing(tuple(news), tuple(unfinished), known, position, resynced=resynced)

    def fetch(self, items: Sequence[Item]) -> Iterator[Fetched | FetchFailed]:
        server = self.server
        for item in items:
            uid = int(item.id)
            server.commands.append(f"fetch {uid}")
            if uid in server.vanishing:
                server.mails.pop(uid, None)
            if uid not in server.mails:
                yield FetchFailed(item, "it is gone", gone=True)
            elif uid in server.breaking:
                raise ServerMisbehaved("the connection was lost")
            elif uid in server.unfetchable:
                yield FetchFailed(item, "the server has lost it")
            elif uid not in server.silent:
                yield spooled(item, server.mails[uid])

    def headers(self, item: Item) -> bytes:
        self.server.commands.append(f"headers {item.id}")
        return self.server.mails[int(item.id)].partition(b"\r\n\r\n")[0] + b"\r\n\r\n"

    def act(self, ids: Sequence[str], action: Action) -> Collection[str]:
        if self.server.act_error is not None:
            raise self.server.act_error
        for one in ids:
            self.server.commands.append(f"{action.value} {one}")
            if action is Action.MARK_READ:
                self.server.seen.add(int(one))
            elif self.server.mails.pop(int(one), None) is not None and action is not Action.DELETE:
                self.server.moved[int(one)] = action
        return ()

    def close(self) -> None:
        self.server.open_sessions -= 1


class ExtendableSession(ServerSession):
    """Implements ports.Extendable too."""

    deadlines: list[float]

    def extend(self, deadline: float) -> None:
        self.deadlines = [*getattr(self, "deadlines", []), deadline]


def spooled(item: Item, content: bytes) -> Fetched:
    """Write a message to a file of its own, as connectors do."""
    with tempfile.NamedTemporaryFile(prefix="postroom-test-", delete=False) as file:
        file.write(content)
    return Fetched(item, Path(file.name), len(content), hashlib.sha256(content).hexdigest())


@dataclass
class ServerConnector:
    """Implements ports.Connector over servers by mailbox name; `errors` are raised instead of opening."""

    servers: dict[str, Server] = field(default_factory=dict)
    errors: dict[str, Exception] = field(default_factory=dict)
    session: type[ServerSession] = ServerSession
    opened: list[str] = field(default_factory=list)

    def open(self, mailbox: Mailbox, *, secret: str, deadline: float, ask: Position | None = None) -> ServerSession:
        self.opened.append(mailbox.name)
        if mailbox.name in self.errors:
            raise self.errors[mailbox.name]
        server = self.servers[mailbox.name]
        if secret != server.password:
            raise LoginRefused("The server refused the password", step="login")
        return self.session(server, mailbox)


class States:
    """Implements ports.MailboxStates."""

    def __init__(self) -> None:
        self.items: dict[str, MailboxState] = {}
        self.kept: dict[tuple[str, str], set[str]] = {}
        self.writes: list[str] = []
        self.loads = 0
        self.stale: Mapping[str, MailboxState] | None = None  # what a reader sees that was late

    def load(self, names: Sequence[str], *, consistent: bool = False) -> Mapping[str, MailboxState]:
        self.loads += 1
        if self.stale is not None:
            return self.stale
        return {name: self.items.get(name, MailboxState(name)) for name in names}

    def take_lease(self, state: MailboxState, *, owner: str, now: datetime, expires: datetime) -> Lease | None:
        there = self.items.get(state.mailbox, MailboxState(state.mailbox))
        if (there.lease and there.lease.token) != (state.lease and state.lease.token):
            return None
        if there.lease is not None and there.lease.expires >= now:
            return None
        lease = Lease(state.mailbox, (there.lease.token if there.lease else 0) + 1, owner, expires)
        self.items[state.mailbox] = replace(there, lease=lease)
        self.writes.append("lease")
        return lease

    def save(self, lease: Lease, state: MailboxState, *, release: bool) -> None:
        there = self.items[state.mailbox]
        if there.lease is None or (there.lease.token, there.lease.owner) != (lease.token, lease.owner):
            raise LeaseLost("taken over", on=state.mailbox)
        expires = datetime.fromtimestamp(0, UTC) if release else there.lease.expires
        self.items[state.mailbox] = replace(state, lease=replace(there.lease, expires=expires))
        self.writes.append("release" if release else "save")

    def stored(self, mailbox: str, series: str) -> Container[str]:
        return self.kept.get((mailbox, series), set())

    def add_stored(self, mailbox: str, series: str, ids: Collection[str]) -> None:
        self.kept.setdefault((mailbox, series), set()).update(ids)

    def save_health(self, mailbox: str, health: Health, *, config_digest: str) -> None:
        there = self.items.get(mailbox, MailboxState(mailbox))
        self.items[mailbox] = replace(there, health=health, config_digest=config_digest)
        self.writes.append("health")


class Raw:
    """Implements ports.RawMessages; the keys in `failing` cannot be stored, all of them while it is None."""

    def __init__(self) -> None:
        self.objects: dict[str, RawMessage] = {}
        self.down = False
        self.puts = 0

    def put_if_absent(self, key: str, path: Path, *, sha256: str, metadata: Mapping[str, str]) -> bool:
        self.puts += 1
        if self.down:
            raise Transient("S3 is busy", code="aws_busy")
        content = path.read_bytes()
        assert hashlib.sha256(content).hexdigest() == sha256
        if key in self.objects:
            return False
        self.objects[key] = RawMessage(key, content, dict(metadata))
        return True

    def get(self, key: str) -> RawMessage:
        return self.objects[key]

    def keys_of_hour(self, hour: datetime) -> Iterator[tuple[str, datetime]]:
        yield from ()

    def keys(self, prefix: str) -> Iterator[tuple[str, datetime]]:
        yield from ()

    @property
    def subjects(self) -> list[int]:
        """Return the numbers of the stored mails."""
        return sorted(
            int(stored.content.partition(b"Subject: ")[2].split(b"\r")[0]) for stored in self.objects.values()
        )


class Secrets:
    """Implements ports.Secrets: a cache over values that may be rotated behind it."""

    def __init__(self, **values: str) -> None:
        self.values = values
        self.cache: dict[str, str] = {}
        self.reads = 0

    def reveal(self, reference: SecretReference, *, fresh: bool = False) -> str:
        name = str(reference.secret)
        if fresh or name not in self.cache:
            self.reads += 1
            value = self.values.get(name, "secret")
            if not value:
                raise NotFound("This secret has not been entered", code="secret_missing")
            self.cache[name] = value
        return self.cache[name]


@dataclass
class Configurations:
    """Implements ports.Configurations; `after` replaces the answer from that reading on."""

    configuration: Configuration
    readings: int = 0
    later: dict[int, Configuration] = field(default_factory=dict)

    def current(self) -> Configuration:
        self.readings += 1
        self.configuration = self.later.get(self.readings, self.configuration)
        return self.configuration


@dataclass
class Messages:
    """Implements ports.Queue and ports.BatchQueue."""

    sent: list[Mapping[str, Any]] = field(default_factory=list)
    delays: list[int] = field(default_factory=list)

    def send(self, message: Mapping[str, Any], *, delay: int = 0) -> None:
        self.sent.append(message)
        self.delays.append(delay)

    def send_many(self, messages: Sequence[tuple[Mapping[str, Any], int]]) -> None:
        for message, delay in messages:
            self.send(message, delay=delay)


class Post:
    """Everything together: a poller over fakes, with a clock that tests turn."""

    def __init__(
        self,
        *mailboxes: Mailbox,
        connector: Connector | None = None,
        config_check: float = 1.0,
        monotonic: Callable[[], float] | None = None,
        raw: RawMessages | None = None,
    ) -> None:
        self.now = NOON
        self.seconds = 1_000.0
        self.servers = {mailbox.name: Server() for mailbox in mailboxes}
        self.connector = ServerConnector(self.servers)
        self.states = States()
        self.raw = Raw()
        self.secrets = Secrets()
        self.queue = Messages()
        self.configurations = Configurations(Configuration(mailboxes=mailboxes))
        self.polling = Polling(
            configurations=self.configurations,
            states=self.states,
            secrets=self.secrets,
            connectors=dict.fromkeys(Type, connector or self.connector),
            raw=raw or self.raw,
            queue=self.queue,
            clock=lambda: self.now,
            monotonic=monotonic or (lambda: self.seconds),
            config_check=config_check,
        )

    @property
    def server(self) -> Server:
        """The server of the first mailbox."""
        return next(iter(self.servers.values()))

    @property
    def state(self) -> MailboxState:
        """What is remembered of the first mailbox."""
        return self.states.items[next(iter(self.servers))]

    def poll(self, *names: str, backlog: bool = False, time_left: float = 300.0) -> Summary:
        """Serve a poll request for the named mailboxes, or all."""
        message = {"v": 1, "mailboxes": list(names or self.servers), "backlog": backlog}
        return poll(message, polling=self.polling, deadline=self.polling.monotonic() + time_left)

    def wait(self, **period: float) -> None:
        """Turn the clock."""
        self.now += timedelta(**period)


def connected(**options: Any) -> Post:
    """Make a mailbox that has been looked at once, so that what comes now is new."""
    post = Post(a_mailbox(**options))
    post.poll()
    post.states.writes.clear()
    post.server.commands.clear()
    post.wait(minutes=5)
    return post
