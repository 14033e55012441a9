"""An SMTP sink in this process (RFC 5321, STARTTLS, AUTH PLAIN and LOGIN, XOAUTH2): records envelopes and content."""

from __future__ import annotations

import base64
import binascii
import re
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from postroom_cli.mailservers.certificates import Certificate
from postroom_cli.mailservers.listener import Closed, Connection, Listener

_ADDRESS = re.compile(r"(?:FROM|TO):\s*<([^>]*)>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ReceivedMail:
    """A mail as it came in; `content` is what was sent, dots unstuffed, without the final dot."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    user: str  # who logged in; empty: nobody
    encrypted: bool
    received: datetime


@dataclass
class SmtpFaults:
    """What goes wrong, by stage: connect, ehlo, auth, mail, rcpt, data, dot, quit.

    `replies`: stage → full reply instead of ours, such as "451 4.3.0 Try later" (every time).
    `drop`: stages at which the connection is closed instead of the reply; `drop_after_storing`: the content is kept,
    the connection closed (the lost answer). `hang`: stages at which nothing is said any more.
    `recipients`: recipient → reply, such as "550 5.1.1 Unknown". `most_recipients`: of a transaction, the next ones are
    answered with `too_many`. `drop_at_mail`: the content of the how-manyth mail of a connection is lost.
    `pipelining`: is offered (RFC 2920); not by default, so that each command is a step at which something can go wrong.
    """

    replies: dict[str, str] = field(default_factory=dict)
    drop: set[str] = field(default_factory=set)
    hang: set[str] = field(default_factory=set)
    recipients: dict[str, str] = field(default_factory=dict)
    pipelining: bool = False
    most_recipients: int = 0  # 0: no limit
    too_many: str = "452 4.5.3 Too many recipients"
    drop_at_mail: int = 0
    drop_after_storing: bool = False
    no_starttls: bool = False
    inject_after_starttls: bool = False


class SmtpSink(Listener):
    """Takes every mail while it is entered: `mails` holds them, `wait` waits for them."""

    def __init__(
        self,
        users: Mapping[str, str] | None = None,
        *,
        tokens: Iterable[str] = (),
        tls: str = "starttls",
        certificate: Certificate | None = None,
        port: int = 0,
        require_login: bool = False,
        size_limit: int = 200 * 1024 * 1024,
    ) -> None:
        super().__init__(self._talk_to, tls=tls, certificate=certificate, port=port)
        self.users = dict(users or {})
        self.tokens = frozenset(tokens)
        self.require_login = require_login
        self.size_limit = size_limit
        self.faults = SmtpFaults()
        self.mails: list[ReceivedMail] = []
        self.commands: list[str] = []  # verbs in the order they came
        self.parameters: list[str] = []  # of MAIL and RCPT, behind the address
        self._arrived = threading.Condition()

    def wait(self, count: int, *, timeout: float = 10.0) -> list[ReceivedMail]:
        """Wait until so many mails are there; returns all, even when they are fewer after the time-out (seconds)."""
        end = time.monotonic() + timeout
        with self._arrived:
            while len(self.mails) < count and (left := end - time.monotonic()) > 0:
                self._arrived.wait(left)
            return list(self.mails)

    def store(self, mail: ReceivedMail) -> None:
        """Keep a mail."""
        with self._arrived:
            self.mails.append(mail)
            self._arrived.notify_all()

    def _talk_to(self, connection: Connection) -> None:
        _Session(self, connection).run()


class _Session:
    def __init__(self, sink: SmtpSink, connection: Connection) -> None:
        self._sink = sink
        self._connection = connection
        self._user = ""
        self._sender: str | None = None
        self._recipients: list[str] = []
        self._contents = 0

    def run(self) -> None:
        self._reply("connect", "220 sink.invalid ESMTP Postroom simulator ready")
        while True:
            line = self._connection.line(limit=4096).decode("utf-8", "replace")
            verb, _, rest = line.partition(" ")
            verb = verb.upper()
            self._sink.commands.append(verb)
            self._command(verb, rest)

    def _command(self, verb: str, rest: str) -> None:
        if verb in ("EHLO", "HELO"):
            self._greet(verb)
        elif verb == "STARTTLS":
            self._start_tls()
        elif verb == "AUTH":
            self._authenticate(rest)
        elif verb == "MAIL":
            self._mail(rest)
        elif verb == "RCPT":
            self._recipient(rest)
        elif verb == "DATA":
            self._data()
        elif verb == "RSET":
            self._sender, self._recipients = None, []
            self._send("250 2.0.0 Reset")
        elif verb == "NOOP":
            self._send("250 2.0.0 OK")
        elif verb == "QUIT":
            self._reply("quit", "221 2.0.0 Bye")
            raise Closed
        else:
            self._send("502 5.5.2 Unknown command")

    def _send(self, text: str) -> None:
        self._connection.send(text.encode("utf-8") + b"\r\n")

    def _reply(self, stage: str, text: str) -> bool:
        """Reply, or do what the faults say; True when our own reply went out."""
        faults = self._sink.faults
        if stage in faults.drop:
            raise Closed
        if stage in faults.hang:
            self._connection.hang()
        if stage in faults.replies:
            self._send(faults.replies[stage])
            if faults.replies[stage].startswith("421"):
                raise Closed
            return False
        self._send(text)
        return True

    def _greet(self, verb: str) -> None:
        if verb == "HELO":
            self._reply("ehlo", "250 sink.invalid")
            return
        words = ["sink.invalid", f"SIZE {self._sink.size_limit}", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "DSN"]
        words += ["PIPELINING"] if self._sink.faults.pipelining else []
        if self._sink.tls == "starttls" and not self._connection.encrypted and not self._sink.faults.no_starttls:
            words.append("STARTTLS")
        if self._sink.users and (self._connection.encrypted or self._sink.tls == "none"):
            words.append("AUTH PLAIN LOGIN" + (" XOAUTH2" if self._sink.tokens else ""))
        lines = [f"250-{word}" for word in words[:-1]] + [f"250 {words[-1]}"]
        self._reply("ehlo", "\r\n".join(lines))

    def _start_tls(self) -> None:
        if self._sink.context is None or self._connection.encrypted or self._sink.faults.no_starttls:
            self._send("502 5.5.1 TLS is not available")
            return
        if self._sink.faults.inject_after_starttls:
            self._send("220 2.0.0 Ready\r\n250 2.0.0 injected")
        else:
            self._send("220 2.0.0 Ready to start TLS")
        self._connection.start_tls(self._sink.context)
        self._user, self._sender, self._recipients = "", None, []

    def _authenticate(self, rest: str) -> None:
        if "auth" in self._sink.faults.replies or "auth" in self._sink.faults.drop:
            self._reply("auth", "")
            return
        mechanism, _, initial = rest.partition(" ")
        try:
            user = self._check_login(mechanism.upper(), initial)
        except (binascii.Error, UnicodeDecodeError, ValueError):
            self._send("501 5.5.2 Cannot decode")
            return
        if user:
            self._user = user
            self._send("235 2.7.0 Authentication successful")
        else:
            self._send("535 5.7.8 Authentication failed")

    def _check_login(self, mechanism: str, initial: str) -> str:
        if mechanism == "LOGIN":
            user = _decode(initial) if initial else self._ask("Username:")
            return user if self._sink.users.get(user) == self._ask("Password:") else ""
        answer = _decode(initial) if initial else self._ask("")
        if mechanism == "PLAIN":
            _identity, user, password = answer.split("\0")
            return user if self._sink.users.get(user) == password else ""
        if mechanism == "XOAUTH2":
            fields = dict(part.partition("=")[::2] for part in answer.split("\x01") if part)
            if fields.get("auth", "").removeprefix("Bearer ") in self._sink.tokens:
                return fields.get("user", "")
            self._ask('{"status":"401"}')  # the client answers the error with an empty line
        return ""

    def _ask(self, prompt: str) -> str:
        self._send("334 " + base64.b64encode(prompt.encode()).decode())
        return _decode(self._connection.line(limit=65_536).decode("ascii"))

    def _mail(self, rest: str) -> None:
        match = _ADDRESS.match(rest)
        self._sink.parameters.append(rest.partition(">")[2].strip())
        if self._sink.require_login and not self._user:
            self._send("530 5.7.0 Authentication required")
        elif not match:
            self._send("501 5.5.4 Bad sender")
        elif self._reply("mail", "250 2.1.0 OK"):
            self._sender, self._recipients = match[1], []

    def _recipient(self, rest: str) -> None:
        match = _ADDRESS.match(rest)
        self._sink.parameters.append(rest.partition(">")[2].strip())
        if self._sender is None:
            self._send("503 5.5.1 MAIL first")
        elif not match:
            self._send("501 5.5.4 Bad recipient")
        elif refusal := self._sink.faults.recipients.get(match[1]):
            self._send(refusal)
            if refusal.startswith("421"):
                raise Closed
        elif 0 < self._sink.faults.most_recipients <= len(self._recipients):
            self._send(self._sink.faults.too_many)
        elif self._reply("rcpt", "250 2.1.5 OK"):
            self._recipients.append(match[1])

    def _data(self) -> None:
        if not self._recipients or self._sender is None:
            self._send("503 5.5.1 RCPT first")
            return
        if not self._reply("data", "354 End with a dot"):
            return
        lines = []
        size = 0
        while (line := self._connection.line(limit=10_000_000)) != b".":
            lines.append(line.removeprefix(b".") if line.startswith(b".") else line)
            size += len(line) + 2
            if size > self._sink.size_limit:
                raise Closed
        mail = ReceivedMail(
            sender=self._sender,
            recipients=tuple(self._recipients),
            content=b"".join(line + b"\r\n" for line in lines),
            user=self._user,
            encrypted=self._connection.encrypted,
            received=datetime.now(UTC),
        )
        faults = self._sink.faults
        self._sender, self._recipients = None, []
        self._contents += 1
        if self._contents == faults.drop_at_mail:
            raise Closed
        if faults.drop_after_storing:
            self._sink.store(mail)
            raise Closed
        if self._reply("dot", f"250 2.0.0 Taken as {len(self._sink.mails) + 1}"):
            self._sink.store(mail)


def _decode(text: str) -> str:
    return base64.b64decode(text, validate=True).decode("utf-8")
