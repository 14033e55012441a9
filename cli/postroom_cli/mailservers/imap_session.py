"""One client of the IMAP server: reads commands, changes the store, answers."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from postroom_cli.mailservers.imap_faults import Fault
from postroom_cli.mailservers.imap_selection import No, Selection
from postroom_cli.mailservers.imap_syntax import (
    BadCommand,
    Token,
    flags_of,
    literal_at_end,
    parse,
    parse_internaldate,
    text_of,
)
from postroom_cli.mailservers.listener import Closed, Connection
from postroom_cli.mailservers.store import Folder, normalise

if TYPE_CHECKING:
    from postroom_cli.mailservers.imap import ImapServer

_LITERAL_LIMIT = 200 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Command:
    """A command that a client sent, without its secrets; `connection` counts from 1."""

    connection: int
    name: str  # "UID FETCH"
    text: str  # the arguments as they came; empty where they hold a secret


T = TypeVar("T")


class Session:
    """The state of one connection."""

    def __init__(self, server: ImapServer, connection: Connection, *, number: int) -> None:
        self._server = server
        self._connection = connection
        self._number = number
        self._user = ""
        self._selection: Selection | None = None
        self._anonymous: dict[str, Callable[[list[Token]], str]] = {
            "CAPABILITY": self._capability,
            "NOOP": lambda _tokens: "OK NOOP completed",
            "LOGOUT": self._logout,
            "STARTTLS": self._starttls,
            "LOGIN": self._login,
            "AUTHENTICATE": self._authenticate,
            "ID": self._id,
        }
        self._authenticated: dict[str, Callable[[list[Token]], str]] = {
            "SELECT": lambda tokens: self._select(tokens, read_only=self._server.faults.read_only),
            "EXAMINE": lambda tokens: self._select(tokens, read_only=True),
            "CREATE": self._create,
            "DELETE": self._delete,
            "LIST": self._list,
            "LSUB": self._list,
            "NAMESPACE": self._namespace,
            "STATUS": self._status,
            "APPEND": self._append,
            "SUBSCRIBE": lambda _tokens: "OK SUBSCRIBE completed",
            "CHECK": lambda _tokens: "OK CHECK completed",
            "CLOSE": self._close,
            "UNSELECT": self._unselect,
        }

    def run(self) -> None:
        """Greet, then answer commands until the client goes."""
        faults = self._server.faults
        if faults.silent_greeting:
            self._connection.hang()
        greeting = faults.greeting or f"* OK [{self._capabilities()}] {self._server.greeting}\r\n".encode()
        if faults.drip_greeting:
            self._connection.drip(greeting, faults.drip_greeting)
        self._connection.send(greeting)
        while True:
            self._command()

    def _command(self) -> None:
        pieces = [self._connection.line()]
        while literal := literal_at_end(pieces[-1]):
            size, waits = literal
            if size > _LITERAL_LIMIT:
                raise Closed
            if waits:
                self._connection.send(b"+ OK\r\n")
            pieces += [self._connection.exactly(size), self._connection.line()]
        tag, _, rest = pieces[0].partition(b" ")
        word, _, arguments = rest.partition(b" ")
        name = word.decode("ascii", "replace").upper()
        pieces[0] = arguments
        if name == "UID":
            word, _, arguments = arguments.partition(b" ")
            name = "UID " + word.decode("ascii", "replace").upper()
            pieces[0] = arguments
        secret = name in ("LOGIN", "AUTHENTICATE")
        self._server.log.append(Command(self._number, name, "" if secret else arguments.decode("utf-8", "replace")))
        fault = _take(self._server.faults.commands, name)
        if fault is Fault.DROP:
            raise Closed
        if fault is Fault.HANG:
            self._connection.hang()
        answer = _take(self._server.faults.answers, name) or self._carry_out(name, pieces)
        if fault is Fault.DROP_AFTER:
            raise Closed
        if self._selection is not None:
            self._selection.sync(expunged=name not in ("FETCH", "STORE", "SEARCH"))
        self._connection.send(tag + b" " + answer.encode("utf-8") + b"\r\n")
        if name == "LOGOUT":
            raise Closed
        if name == "STARTTLS" and answer.startswith("OK"):
            self._go_over_to_tls()

    def _carry_out(self, name: str, pieces: Sequence[bytes]) -> str:
        try:
            tokens = parse(pieces)
            if name in self._anonymous:
                return self._anonymous[name](tokens)
            if not self._user:
                return f"BAD {name} not allowed before login"
            if name in self._authenticated:
                return self._authenticated[name](tokens)
            by_uid = name.startswith("UID ")
            word = name.removeprefix("UID ")
            if word in ("SEARCH", "FETCH", "STORE", "COPY", "MOVE", "EXPUNGE"):
                return self._with_messages(word, tokens, by_uid)
            return f"BAD Unknown command {name}"
        except BadCommand as error:
            return f"BAD {error}"
        except No as error:
            return f"NO {error}"

    def _with_messages(self, word: str, tokens: list[Token], by_uid: bool) -> str:
        selection = self._selection
        if selection is None:
            return "BAD No mailbox selected"
        if word == "EXPUNGE":
            return selection.expunge(text_of(tokens, 0) if by_uid else None)
        commands = {
            "SEARCH": selection.search,
            "FETCH": selection.fetch,
            "STORE": selection.store,
            "COPY": selection.copy,
            "MOVE": selection.move,
        }
        return commands[word](tokens, by_uid)

    # --- before login

    def _capabilities(self) -> str:
        words = list(self._server.capabilities)
        if not self._user:
            words = [word for word in words if word not in ("UIDPLUS", "MOVE", "UNSELECT", "NAMESPACE")]
            if self._server.tls == "starttls" and not self._connection.encrypted:
                words += ["STARTTLS", "LOGINDISABLED"]
            else:
                words += ["AUTH=PLAIN"] + (["AUTH=XOAUTH2"] if self._server.tokens else [])
        return "CAPABILITY " + " ".join(words)

    def _capability(self, _tokens: list[Token]) -> str:
        self._connection.send(f"* {self._capabilities()}\r\n".encode())
        return "OK CAPABILITY completed"

    def _id(self, _tokens: list[Token]) -> str:
        self._connection.send(b'* ID ("name" "Postroom simulator")\r\n')
        return "OK ID completed"

    def _logout(self, _tokens: list[Token]) -> str:
        self._connection.send(b"* BYE Logging out\r\n")
        return "OK LOGOUT completed"

    def _starttls(self, _tokens: list[Token]) -> str:
        if self._server.tls != "starttls" or self._connection.encrypted:
            return "BAD STARTTLS not available"
        if self._server.faults.starttls == "refuse":
            return "NO TLS is not available now"
        if self._server.faults.starttls == "inject":
            return "OK Begin TLS now\r\n* CAPABILITY IMAP4rev1 INJECTED"
        return "OK Begin TLS now"

    def _go_over_to_tls(self) -> None:
        if self._server.context is not None:
            self._connection.start_tls(self._server.context)

    def _login(self, tokens: list[Token]) -> str:
        return self._check(text_of(tokens, 0).decode("utf-8", "replace"), text_of(tokens, 1).decode("utf-8", "replace"))

    def _check(self, user: str, password: str) -> str:
        if self._server.faults.login_refusal:
            return f"NO {self._server.faults.login_refusal}"
        if self._server.tls == "starttls" and not self._connection.encrypted:
            return "NO [PRIVACYREQUIRED] Encryption is required"
        if self._server.store.users.get(user) != password:
            return "NO [AUTHENTICATIONFAILED] Authentication failed"
        self._user = user
        return f"OK [{self._capabilities()}] Logged in"

    def _authenticate(self, tokens: list[Token]) -> str:
        mechanism = text_of(tokens, 0).upper()
        if mechanism not in (b"PLAIN", b"XOAUTH2"):
            return "NO Unsupported mechanism"
        if len(tokens) > 1:
            response = text_of(tokens, 1)
        else:
            self._connection.send(b"+ \r\n")
            response = self._connection.line()
        try:
            answer = base64.b64decode(response, validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            return "BAD Invalid base64"
        if mechanism == b"XOAUTH2":
            return self._check_token(answer)
        parts = answer.split("\0")
        return self._check(parts[1], parts[2]) if len(parts) == 3 else "BAD Invalid PLAIN response"

    def _check_token(self, answer: str) -> str:
        fields = dict(part.partition("=")[::2] for part in answer.split("\x01") if part)
        user = fields.get("user", "")
        scheme, _, token = fields.get("auth", "").partition(" ")
        if self._server.faults.login_refusal:
            return f"NO {self._server.faults.login_refusal}"
        if scheme == "Bearer" and token in self._server.tokens and user in self._server.store.users:
            self._user = user
            return f"OK [{self._capabilities()}] Logged in"
        # The client must answer the error with an empty line before it hears NO (Google's XOAUTH2 protocol).
        self._connection.send(b"+ " + base64.b64encode(b'{"status":"401","schemes":"bearer"}') + b"\r\n")
        self._connection.line()
        return "NO [AUTHENTICATIONFAILED] Invalid token"

    # --- folders

    def _folder_name(self, token: bytes) -> str:
        name = token.decode("utf-8", "replace")
        if self._server.prefix and name != "INBOX" and not name.startswith(self._server.prefix):
            raise No(f'[CANNOT] Names must begin with "{self._server.prefix}"')
        return name

    def _existing(self, token: bytes) -> Folder:
        folder = self._server.store.folder(self._user, self._folder_name(token))
        if folder is None:
            raise No("[TRYCREATE] Mailbox does not exist")
        return folder

    def _select(self, tokens: list[Token], *, read_only: bool) -> str:
        self._selection = None
        folder = self._server.store.folder(self._user, text_of(tokens, 0).decode("utf-8", "replace"))
        if folder is None:
            raise No("[NONEXISTENT] Mailbox does not exist")
        with folder.lock:
            self._selection = Selection(
                folder,
                read_only=read_only,
                connection=self._connection,
                faults=self._server.faults,
                capabilities=self._server.capabilities,
                find=self._existing,
                behind=self._server.faults.behind.get(self._number, set()),
            )
            lines = [
                "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)",
                "* OK [PERMANENTFLAGS (" + ("" if read_only else "\\Answered \\Flagged \\Deleted \\Seen \\*") + ")] .",
                f"* {self._selection.exists} EXISTS",
                "* 0 RECENT",
                f"* OK [UIDVALIDITY {self._server.faults.validities.get(self._number, folder.uidvalidity)}] .",
                f"* OK [UIDNEXT {self._server.faults.uidnext or folder.uidnext}] .",
            ]
        self._connection.send("\r\n".join(lines).encode() + b"\r\n")
        return f"OK [{'READ-ONLY' if read_only else 'READ-WRITE'}] Selected"

    def _create(self, tokens: list[Token]) -> str:
        name = self._folder_name(text_of(tokens, 0)).rstrip(self._server.separator)
        if self._server.store.folder(self._user, name) is not None:
            return "NO [ALREADYEXISTS] Mailbox exists"
        self._server.store.create(self._user, name)
        return "OK CREATE completed"

    def _delete(self, tokens: list[Token]) -> str:
        folder = self._existing(text_of(tokens, 0))
        self._server.store.delete(self._user, folder.name)
        return "OK DELETE completed"

    def _list(self, tokens: list[Token]) -> str:
        pattern = text_of(tokens, 1).decode("utf-8", "replace")
        separator = self._server.separator
        if not pattern:
            self._connection.send(f'* LIST (\\Noselect) "{separator}" ""\r\n'.encode())
            return "OK LIST completed"
        for name in self._server.store.names(self._user):
            if _matches(pattern, name, separator):
                self._connection.send(f'* LIST () "{separator}" {_quote(name)}\r\n'.encode())
        return "OK LIST completed"

    def _namespace(self, _tokens: list[Token]) -> str:
        self._connection.send(
            f'* NAMESPACE (({_quote(self._server.prefix)} "{self._server.separator}")) NIL NIL\r\n'.encode()
        )
        return "OK NAMESPACE completed"

    def _status(self, tokens: list[Token]) -> str:
        folder = self._existing(text_of(tokens, 0))
        with folder.lock:
            unseen = sum("\\Seen" not in message.flags for message in folder.messages)
            self._connection.send(
                f"* STATUS {_quote(folder.name)} (MESSAGES {len(folder.messages)} UIDNEXT {folder.uidnext} "
                f"UIDVALIDITY {folder.uidvalidity} UNSEEN {unseen})\r\n".encode()
            )
        return "OK STATUS completed"

    def _append(self, tokens: list[Token]) -> str:
        folder = self._existing(text_of(tokens, 0))
        flags: list[str] = []
        moment = datetime.now(UTC).replace(microsecond=0)
        for token in tokens[1:-1]:
            if isinstance(token, list):
                flags = flags_of(token)
            else:
                moment = parse_internaldate(token)
        message = folder.add(normalise(text_of(tokens, -1)), internaldate=moment, flags=flags)
        return f"OK [APPENDUID {folder.uidvalidity} {message.uid}] APPEND completed"

    def _close(self, _tokens: list[Token]) -> str:
        if self._selection is not None:
            self._selection.close()
        return self._unselect(_tokens)

    def _unselect(self, _tokens: list[Token]) -> str:
        self._selection = None
        return "OK Closed"


def _take(waiting: dict[str, list[T]], name: str) -> T | None:
    queue = waiting.get(name)
    return queue.pop(0) if queue else None


def _quote(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _matches(pattern: str, name: str, separator: str) -> bool:
    """Match a LIST pattern: `*` is anything, `%` anything within one level."""
    if not pattern:
        return not name
    head, rest = pattern[0], pattern[1:]
    if head in "*%":
        for end in range(len(name) + 1):
            if _matches(rest, name[end:], separator):
                return True
            if end < len(name) and head == "%" and name[end] == separator:
                return False
        return False
    return bool(name) and name[0].casefold() == head.casefold() and _matches(rest, name[1:], separator)
