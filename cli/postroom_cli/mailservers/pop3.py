"""A POP3 server in this process (RFC 1939, CAPA 2449, STLS 2595, SASL 5034): shows the INBOX of a store."""

from __future__ import annotations

import base64
import binascii
import itertools
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from postroom_cli.mailservers.certificates import Certificate
from postroom_cli.mailservers.listener import Closed, Connection, Listener
from postroom_cli.mailservers.store import Folder, Message, Store

CAPABILITIES = ("TOP", "UIDL", "PIPELINING", "RESP-CODES", "USER")

LOCK_WAIT_SECONDS = 2.0


@dataclass
class Pop3Faults:
    """Switches; all off means a well-behaved server."""

    silent_greeting: bool = False
    greeting: bytes | None = None
    drip_greeting: float = 0.0
    login_refusal: str = ""  # text of the -ERR, such as "[IN-USE] locked"
    starttls: str = ""  # "refuse" or "inject"
    no_uidl: bool = False
    same_uidl: bool = False  # all messages have the same
    number_uidl: bool = False  # the message's number, which moves up when others are deleted
    reused_uidl: bool = False  # like number_uidl, and not to be seen for a number
    keep_all: bool = False  # DELE says -ERR
    drop_in_message: int = 0  # number of the message in which the connection is closed
    hang_in_message: int = 0
    drip_in_message: int = 0
    refuse_message: int = 0  # RETR of it says -ERR
    endless_message: int = 0  # RETR of it never comes to its end
    drop_at_quit: bool = False  # closed instead of carrying out what was marked
    bare_lines: bool = False  # messages are sent with the line ends they have, as some servers do
    wrong_size: dict[int, int] = field(default_factory=dict)  # number → size that LIST says
    # What follows is well-formed, and wrong all the same.
    refusals: dict[str, int] = field(default_factory=dict)  # command → how often it says -ERR
    expires: bool = False  # QUIT deletes what was retrieved (RFC 2449 §6.7, EXPIRE 0)
    no_stuffing: bool = False  # a line that begins with a dot is sent as it is
    new_uidl: bool = False  # other ones in every session
    cut: dict[int, int] = field(default_factory=dict)  # number → bytes after which RETR of it ends
    instead: dict[int, int] = field(default_factory=dict)  # number → the message that RETR of it sends
    once: bool = False  # `cut` and `instead` hold for one RETR each
    wraps: bool = False  # mail with raw 8-bit headers comes in a notice made anew, unless UTF8 is spoken (Courier)
    unlisted: set[int] = field(default_factory=set)  # numbers that UIDL leaves out
    marks: bytes = b""  # header lines that RETR shows and TOP does not, nor LIST count: of a scanner, or a status
    estimates: bool = False  # LIST says a tenth less than there is (Exchange)


class Pop3Server(Listener):
    """Serves INBOXes by POP3 while it is entered; one session a mailbox at a time, as RFC 1939 wants it."""

    def __init__(
        self,
        users: Mapping[str, str] | None = None,
        *,
        store: Store | None = None,
        tls: str = "implicit",
        certificate: Certificate | None = None,
        port: int = 0,
        capabilities: Iterable[str] = CAPABILITIES,
        tokens: Iterable[str] = (),
        has_capa: bool = True,
        login_delay: float = 0.0,
    ) -> None:
        super().__init__(self._talk_to, tls=tls, certificate=certificate, port=port)
        self.store = store or Store(users or {})
        self.capabilities = tuple(capabilities)
        self.tokens = frozenset(tokens)
        self.has_capa = has_capa
        self.faults = Pop3Faults()
        self.log: list[str] = []  # commands, without secrets
        self.login_delay = login_delay  # seconds between two logins to a mailbox
        self.logins: dict[str, float] = {}  # user → when the last one was
        self.notices = itertools.count(1)
        self.locked: set[str] = set()  # users whose mailbox a session holds
        self.lock = threading.Condition()  # told when one is let go

    def append(self, user: str, raw: bytes, *, internaldate: datetime | None = None, as_it_is: bool = False) -> Message:
        """Put a message into the INBOX; `as_it_is` keeps bare line ends."""
        if not as_it_is:
            return self.store.append(user, "INBOX", raw, internaldate=internaldate)
        message = self.store.append(user, "INBOX", b"", internaldate=internaldate)
        message.raw = raw
        return message

    def folder(self, user: str) -> Folder:
        """Return a user's INBOX."""
        return self.store.create(user, "INBOX")

    def _talk_to(self, connection: Connection) -> None:
        session = _Session(self, connection)
        try:
            session.run()
        finally:
            session.release()


class _Session:
    def __init__(self, server: Pop3Server, connection: Connection) -> None:
        self._server = server
        self._connection = connection
        self._user = ""
        self._claimed = ""
        self._messages: list[Message] = []
        self._deleted: set[int] = set()
        self._retrieved: set[int] = set()
        self._speaks_utf8 = False
        self._session = next(server.notices)
        self._commands: dict[str, Callable[[str], None]] = {
            "CAPA": self._capa,
            "STLS": self._stls,
            "USER": self._name,
            "PASS": self._password,
            "AUTH": self._authenticate,
            "UTF8": self._utf8,
            "NOOP": lambda _rest: self._ok(),
        }
        self._transaction: dict[str, Callable[[str], None]] = {
            "STAT": lambda _rest: self._ok(f"{len(self._there())} {sum(len(m.raw) for _n, m in self._there())}"),
            "LIST": lambda rest: self._list(rest, lambda number, message: str(self._size(number, message))),
            "UIDL": self._uidl,
            "RETR": self._retrieve,
            "TOP": self._top,
            "DELE": self._delete,
            "RSET": self._reset,
        }

    def run(self) -> None:
        faults = self._server.faults
        if faults.silent_greeting:
            self._connection.hang()
        greeting = faults.greeting or b"+OK Postroom POP3 simulator ready\r\n"
        if faults.drip_greeting:
            self._connection.drip(greeting, faults.drip_greeting)
        self._connection.send(greeting)
        while True:
            line = self._connection.line(limit=16_384).decode("utf-8", "replace")
            verb, _, rest = line.partition(" ")
            verb = verb.upper()
            self._server.log.append(verb if verb in ("PASS", "AUTH", "USER") else line)
            if self._server.faults.refusals.get(verb, 0) > 0:
                self._server.faults.refusals[verb] -= 1
                self._error("[SYS/TEMP] Not now" if verb in ("PASS", "AUTH") else "Not now")
            elif verb == "QUIT":
                self._quit()
            elif verb in self._commands:
                self._commands[verb](rest)
            elif verb in self._transaction and self._user:
                self._transaction[verb](rest)
            else:
                self._error("Unknown command")

    def release(self) -> None:
        """Let the mailbox go, without carrying out what was marked (RFC 1939 §3)."""
        if self._user:
            with self._server.lock:
                self._server.locked.discard(self._user)
                self._server.lock.notify_all()
            self._user = ""

    def _ok(self, text: str = "") -> None:
        self._connection.send(f"+OK {text}".rstrip().encode() + b"\r\n")

    def _error(self, text: str) -> None:
        self._connection.send(f"-ERR {text}".encode() + b"\r\n")

    def _capa(self, _rest: str) -> None:
        if not self._server.has_capa:
            self._error("Unknown command")
            return
        words = [word for word in self._server.capabilities if not (word == "UIDL" and self._server.faults.no_uidl)]
        if self._server.tls == "starttls" and not self._connection.encrypted:
            words.append("STLS")
        if self._server.faults.wraps:
            words.append("UTF8")
        if self._server.login_delay:
            words.append(f"LOGIN-DELAY {self._server.login_delay:.0f}")
        words.append("SASL PLAIN" + (" XOAUTH2" if self._server.tokens else ""))
        self._ok()
        self._connection.send("".join(f"{word}\r\n" for word in words).encode() + b".\r\n")

    def _utf8(self, _rest: str) -> None:
        self._speaks_utf8 = True
        self._ok("UTF8 enabled")

    def _stls(self, _rest: str) -> None:
        if self._server.context is None or self._connection.encrypted or self._server.faults.starttls == "refuse":
            self._error("TLS is not available")
            return
        if self._server.faults.starttls == "inject":
            self._connection.send(b"+OK Begin TLS\r\n+OK injected\r\n")
        else:
            self._ok("Begin TLS")
        self._connection.start_tls(self._server.context)

    def _name(self, rest: str) -> None:
        self._claimed = rest
        self._ok()

    def _password(self, rest: str) -> None:
        self._log_in(self._claimed, good=self._server.store.users.get(self._claimed) == rest)

    def _log_in(self, user: str, *, good: bool) -> None:
        if self._server.faults.login_refusal:
            self._error(self._server.faults.login_refusal)
            return
        if not good or (self._server.tls == "starttls" and not self._connection.encrypted):
            self._error("[AUTH] Authentication failed")
            return
        with self._server.lock:
            last = self._server.logins.get(user)
            if last is not None and time.monotonic() - last < self._server.login_delay:
                self._error("[LOGIN-DELAY] minimum time between mail checks violation")
                return
            self._server.logins[user] = time.monotonic()
            # The session before may be at its QUIT still, whose answer nobody waits for; Dovecot waits 12 seconds.
            busy = not self._server.lock.wait_for(lambda: user not in self._server.locked, timeout=LOCK_WAIT_SECONDS)
            if not busy:
                self._server.locked.add(user)
        if busy:
            self._error("[IN-USE] Mailbox is locked")
            return
        self._user = user
        self._messages = list(self._server.folder(user).messages)
        self._ok("Logged in")

    def _authenticate(self, rest: str) -> None:
        mechanism, _, initial = rest.partition(" ")
        if not initial:
            self._connection.send(b"+ \r\n")
            initial = self._connection.line().decode("ascii", "replace")
        try:
            answer = base64.b64decode(initial, validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            self._error("Cannot decode")
            return
        if mechanism.upper() == "PLAIN":
            _identity, user, password = [*answer.split("\0"), "", "", ""][:3]
            self._log_in(user, good=self._server.store.users.get(user) == password)
            return
        fields = dict(part.partition("=")[::2] for part in answer.split("\x01") if part)
        if fields.get("auth", "").removeprefix("Bearer ") in self._server.tokens:
            self._log_in(fields.get("user", ""), good=fields.get("user") in self._server.store.users)
            return
        self._connection.send(b"+ " + base64.b64encode(b'{"status":"401"}') + b"\r\n")
        self._connection.line()
        self._error("[AUTH] Invalid token")

    def _there(self) -> list[tuple[int, Message]]:
        return [(n, message) for n, message in enumerate(self._messages, 1) if n not in self._deleted]

    def _chosen(self, rest: str) -> tuple[int, Message] | None:
        word = rest.split(" ")[0]
        number = int(word) if word.isdigit() else 0
        found = next(((n, message) for n, message in self._there() if n == number), None)
        if found is None:
            self._error("No such message")
        return found

    def _size(self, number: int, message: Message) -> int:
        faults = self._server.faults
        size = len(message.raw) * 9 // 10 if faults.estimates else len(message.raw)
        return faults.wrong_size.get(number, size)

    def _shown(self, message: Message) -> bytes:
        """Return the message, or the notice that comes instead of it."""
        if not self._server.faults.wraps or self._speaks_utf8 or message.header.isascii():
            return message.raw
        number = next(self._server.notices)
        return (
            f"From: postmaster@example.com\r\nMessage-ID: <n{number}@local>\r\n"
            f"Content-Type: multipart/mixed; boundary=b{number}\r\n\r\n--b{number}\r\n\r\nNot plain.\r\n"
            f"--b{number}\r\nContent-Type: message/rfc822\r\n\r\n"
        ).encode() + message.raw

    def _list(self, rest: str, value: Callable[[int, Message], str], *, without: Collection[int] = ()) -> None:
        if rest:
            if chosen := self._chosen(rest):
                self._ok(f"{chosen[0]} {value(*chosen)}")
            return
        self._ok()
        self._connection.send(
            "".join(f"{n} {value(n, message)}\r\n" for n, message in self._there() if n not in without).encode()
            + b".\r\n"
        )

    def _uidl(self, rest: str) -> None:
        if self._server.faults.no_uidl or "UIDL" not in self._server.capabilities:
            self._error("Unknown command")
            return
        validity = self._server.folder(self._user).uidvalidity
        faults = self._server.faults

        def name(number: int, message: Message) -> str:
            if faults.new_uidl:
                return f"{self._session}-{message.uid}"
            if faults.same_uidl:
                return "same"
            if faults.reused_uidl:
                return f"msg{number}"
            return str(number) if faults.number_uidl else f"{validity:08x}{message.uid:08x}"

        self._list(rest, name, without=faults.unlisted)

    def _retrieve(self, rest: str) -> None:
        if not (chosen := self._chosen(rest)):
            return
        number, _message = chosen
        faults = self._server.faults
        if number == faults.refuse_message:
            self._error("[SYS/TEMP] Cannot read the message")
            return
        self._retrieved.add(number)
        other = (faults.instead.pop if faults.once else faults.instead.get)(number, number)
        raw = self._shown(self._messages[other - 1])
        raw = faults.marks + raw
        raw = raw[: (faults.cut.pop if faults.once else faults.cut.get)(number, len(raw))]
        self._ok(f"{len(raw)} octets")
        data = raw if faults.no_stuffing else stuffed(raw, bare_lines=faults.bare_lines)
        data += b"" if data.endswith(b"\n") else b"\r\n"
        if number == faults.drop_in_message:
            self._connection.send(data[: len(data) // 2])
            raise Closed
        if number == faults.hang_in_message:
            self._connection.send(data[: len(data) // 2])
            self._connection.hang()
        if number == faults.drip_in_message:
            self._connection.drip(data, 0.05)
        elif number == faults.endless_message:
            while not self._connection.stopping.is_set():
                self._connection.send(b"more and more of it\r\n" * 1000)
        else:
            self._connection.send(data + b".\r\n")

    def _top(self, rest: str) -> None:
        if "TOP" not in self._server.capabilities:
            self._error("Unknown command")
        elif chosen := self._chosen(rest):
            _number, message = chosen
            words = rest.split(" ")
            count = int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
            raw = self._shown(message)
            header, _, body = raw.partition(b"\r\n\r\n") if raw is not message.raw else (b"", b"", b"")
            header = header + b"\r\n\r\n" if header else message.header
            lines = (body or message.raw[len(message.header) :]).split(b"\r\n")[:count]
            self._ok()
            self._connection.send(stuffed(header + b"".join(line + b"\r\n" for line in lines)) + b".\r\n")

    def _delete(self, rest: str) -> None:
        if self._server.faults.keep_all:
            self._error("Permission denied")
        elif chosen := self._chosen(rest):
            self._deleted.add(chosen[0])
            self._ok("Marked")

    def _reset(self, _rest: str) -> None:
        self._deleted.clear()
        self._ok()

    def _quit(self) -> None:
        if self._server.faults.drop_at_quit:
            raise Closed
        if self._user:
            gone = self._deleted | (self._retrieved if self._server.faults.expires else set())
            self._server.folder(self._user).remove(self._messages[number - 1] for number in gone)
        self.release()
        self._ok("Bye")
        raise Closed


def stuffed(raw: bytes, *, bare_lines: bool = False) -> bytes:
    """Write a message as POP3 sends it: dots stuffed, ending with a line end (RFC 1939 §3)."""
    if not bare_lines and b"\n" in raw.replace(b"\r\n", b""):
        bare_lines = True  # a message kept as it is
    data = raw.replace(b"\n.", b"\n..")
    if data.startswith(b"."):
        data = b"." + data
    if not data.endswith(b"\n"):
        data += b"\r\n"
    return data
