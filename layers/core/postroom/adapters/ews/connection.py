"""One login at an Exchange server: exchangelib's requests and answers, over our own checked and bounded connections.

exchangelib by itself shares connections between accounts, waits and tries again by itself, guesses versions and
mechanisms, and looks servers up. None of that is wanted here: a poll has one deadline, and
`services/mailboxes/health.py` decides what is tried again.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from exchangelib.account import Identity
from exchangelib.configuration import Configuration
from exchangelib.credentials import DELEGATE, IMPERSONATION
from exchangelib.errors import EWSError
from exchangelib.protocol import BaseProtocol, FailFast
from exchangelib.transport import BASIC, DEFAULT_HEADERS, NOAUTH, get_auth_instance
from exchangelib.util import CONNECTION_ERRORS, is_xml
from exchangelib.version import (
    EXCHANGE_2010,
    EXCHANGE_2010_SP1,
    EXCHANGE_2010_SP2,
    EXCHANGE_2013,
    EXCHANGE_2013_SP1,
    EXCHANGE_2016,
    EXCHANGE_2019,
    EXCHANGE_O365,
    Version,
)

from postroom.adapters import utc_now
from postroom.adapters.ews.errors import refused, refused_by_status
from postroom.adapters.ews.ntlm import Ntlm
from postroom.adapters.ews.trace import Traced, what_came
from postroom.adapters.net import HttpClient, Network, retry_after, trace_of
from postroom.errors import LoginRefused, Permanent, PostroomError, ServerMisbehaved
from postroom.model.configuration import Grant, Mailbox, behaviour

BYTES_A_SECOND = 64 * 1024  # an exchange may take the protocol timeout, and a second more for each of these
ANSWER_LIMIT = 32 * 1024 * 1024  # of everything but messages; a page of a thousand items has 0.5 MB

# exchangelib's names of the builds, and what goes on the wire as RequestServerVersion (G12).
VERSIONS: dict[str, tuple[Any, str]] = {
    "Exchange2010": (EXCHANGE_2010, "Exchange2010"),
    "Exchange2010_SP1": (EXCHANGE_2010_SP1, "Exchange2010_SP1"),
    "Exchange2010_SP2": (EXCHANGE_2010_SP2, "Exchange2010_SP2"),
    "Exchange2013": (EXCHANGE_2013, "Exchange2013"),
    "Exchange2013_SP1": (EXCHANGE_2013_SP1, "Exchange2013_SP1"),
    "Exchange2016": (EXCHANGE_2016, "Exchange2016"),
    "Office365": (EXCHANGE_O365, "Exchange2016"),
    "": (EXCHANGE_2019, "Exchange2016"),  # the newest schema there is: 2019 and later brought no other
}

OLDER = [Version(build=build, api_version=schema) for build, schema in reversed([*VERSIONS.values()][:6])]
"""One for each schema, newest first."""

_RERAISED = re.compile(r"Reraised from (\w+)\((.*)\)", re.DOTALL)


class Link:
    """Speaks to one mailbox's server. `deadline` (`time.monotonic()`) bounds every exchange."""

    def __init__(
        self, mailbox: Mailbox, *, secret: str, deadline: float, allowed_networks: tuple[Network, ...] = ()
    ) -> None:
        self.mailbox = mailbox
        url = urlsplit(mailbox.server or "")
        if url.scheme != "https" or not url.hostname:
            raise Permanent(
                "The server is no https URL",
                on=mailbox.name,
                step="dns",
                code="not_ews",
                remedy="Write `server` like https://mail.example.com/EWS/Exchange.asmx.",
            )
        self.on = url.netloc
        # It logs whole requests as errors before it raises; what went wrong is in our own error.
        logging.getLogger("exchangelib").setLevel(logging.CRITICAL)
        self._timeout = mailbox.protocol_timeout.total_seconds()
        self._http = HttpClient(
            deadline=deadline,
            connect_timeout=mailbox.connect_timeout.total_seconds(),
            timeout=self._timeout,
            allowed_networks=allowed_networks,
            ca_pem=mailbox.ca_certificate,
        )
        self._trace = trace_of(mailbox)
        self.step = "login"
        build, schema = VERSIONS.get(mailbox.exchange_version, VERSIONS[""])
        configuration = Configuration(
            service_endpoint=mailbox.server,
            auth_type=NOAUTH,
            version=Version(build=build, api_version=schema),
            retry_policy=Answers(self),
        )
        self._endpoint = Endpoint(configuration, http=self._http, secret=secret, link=self)
        self.account = Account(mailbox, self._endpoint)

    @property
    def deadline(self) -> float:
        return self._http.deadline

    @deadline.setter
    def deadline(self, deadline: float) -> None:
        self._http.deadline = deadline

    @contextmanager
    def exchange(self, step: str, *, size: int = 0) -> Iterator[None]:
        """Name the step of what follows, set its time limit (more for `size` bytes), and translate its errors."""
        self.step = self._http.asking.step = step
        self._http.timeout = self._timeout + size / BYTES_A_SECOND
        try:
            yield
        except PostroomError as error:
            error.step = error.step or step
            error.on = error.on or self.on
            raise
        except EWSError as error:
            raise self.refused(type(error).__name__, str(error), back_off=getattr(error, "back_off", None)) from error
        except CONNECTION_ERRORS as error:
            raise self._broken(type(error).__name__) from error
        except (
            AttributeError,
            LookupError,
            TypeError,
            ValueError,
        ) as error:  # exchangelib takes much of an answer for granted
            raise ServerMisbehaved(
                f"The server's answer cannot be understood ({type(error).__name__})", on=self.on, step=step
            ) from error

    def refused(self, code: str, text: str, *, back_off: float | None = None) -> PostroomError:
        """Say what a response code means at the current step."""
        if again := _RERAISED.match(text):  # it gives several errors one name, and this is the one behind it
            if not again[1].startswith("Error"):
                return self._broken(again[1])
            code, text = again[1], again[2]
        return refused(code, text, step=self.step, on=self.on, back_off=back_off)

    @property
    def is_traced(self) -> bool:
        """Tell whether somebody wants to see the requests (`enable_debug`)."""
        return self._trace is not None

    def note(self, direction: str, line: str) -> None:
        """Tell the trace, if there is one; a line holds our own words, numbers and names of the protocol only."""
        if self._trace is not None:
            self._trace(self.step, direction, line.encode("utf-8"))

    def close(self) -> None:
        """Drop the connection; never raises."""
        self._endpoint.close()
        self._http.close()

    def _broken(self, kind: str) -> ServerMisbehaved:
        return ServerMisbehaved(f"The connection broke ({kind})", on=self.on, step=self.step, code="connection_lost")


class Account:
    """What exchangelib's services ask of an account; its own class would share connections between accounts."""

    def __init__(self, mailbox: Mailbox, endpoint: Endpoint) -> None:
        self.protocol = endpoint
        self._version = endpoint.version
        self.shared = bool(mailbox.service_account)
        # An application has no mailbox of its own: with a token of its own it acts for the mailbox (G23).
        impersonates = bool(mailbox.client_id) and mailbox.grant == Grant.CLIENT_CREDENTIALS
        self.access_type = IMPERSONATION if impersonates else DELEGATE
        named = mailbox.user if "@" in mailbox.user and self.shared else mailbox.bare_address
        self.primary_smtp_address = named
        self.identity = Identity(primary_smtp_address=named)
        self.default_timezone = None  # all times are UTC then
        self.affinity_cookie = None

    @property
    def version(self) -> Any:
        """Return the schema that is spoken, with the oldest build that has it.

        A newer server understands an older schema, but refuses in it what came later: its own build must not matter.
        """
        return self._version

    @version.setter
    def version(self, said: Any) -> None:
        self._version = next((known for known in OLDER if known.api_version == said.api_version), self._version)


class Endpoint(BaseProtocol):  # type: ignore[misc]  # exchangelib has no types
    """The connections to one server, with one login."""

    RETRY_WAIT = 0  # it would be told as the pause that the server asks for

    def __init__(self, configuration: Any, *, http: HttpClient, secret: str, link: Link) -> None:
        self._http, self._secret, self._link = http, secret, link
        self._auth: Callable[[Any], Any] | None = None
        super().__init__(configuration)

    @property
    def version(self) -> Any:
        """Return the version asked for, or what the server said of itself."""
        return self.config.version

    def get_auth_type(self) -> str:
        """Leave it to `_choose`."""
        return str(NOAUTH)

    def create_session(self) -> Any:
        """Make a requests session over our connections, with the login on it."""
        session = self.raw_session(self.service_endpoint)
        session.trust_env = False  # neither proxies nor ~/.netrc, which would replace the password
        session.adapters.clear()
        adapter: Any = self._http._session.get_adapter("https://")
        session.mount("https://", Traced(adapter, self._link.note) if self._link.is_traced else adapter)
        session.headers.clear()
        session.headers.update({**DEFAULT_HEADERS, "Accept-Encoding": "identity", "User-Agent": "postroom"})
        session.hooks["response"].append(self._bounded)
        session.session_id, session.usage_count = 0, 0
        if self._auth is None:
            self._auth = self._choose(session)
        session.auth = self._auth
        return session

    def _bounded(self, response: Any, *_args: Any, **options: Any) -> None:
        """Read an answer that is not streamed, as far as it may be long; requests itself would read on for ever."""
        if not options.get("stream"):
            _read(response, self._link)

    def _choose(self, session: Any) -> Callable[[Any], Any]:
        """Choose the mechanism: that of the configuration, else the best that the server offers."""
        mailbox, secret = self._link.mailbox, self._secret
        user = mailbox.service_account or mailbox.user
        if mailbox.client_id:  # a token is never tried as a password, nor a password as a token
            return _bearer(secret)
        named = [{"PLAIN": "BASIC", "LOGIN": "BASIC"}.get(name, name) for name in behaviour(mailbox).mechanisms]
        # NTLM proves the password without sending it, so it comes first.
        mechanisms = [name for name in dict.fromkeys(named or ("NTLM", "BASIC")) if name in ("NTLM", "BASIC")]
        if len(mechanisms) > 1:
            offered = self._offered(session)
            mechanisms = [name for name in mechanisms if name in offered]
        if not mechanisms:
            raise LoginRefused(
                "The server takes none of the mechanisms that the mailbox may use",
                step="login",
                code="no_mechanism",
                remedy="Enable NTLM or Basic on the EWS virtual directory, or use OAuth 2.0 (`client_id`).",
            )
        if mechanisms[0] == "NTLM":
            return Ntlm(user, secret)
        auth: Callable[[Any], Any] = get_auth_instance(
            auth_type=BASIC, username=user.encode("utf-8"), password=secret.encode("utf-8")
        )
        return auth

    def _offered(self, session: Any) -> frozenset[str]:
        """Ask without credentials what the server takes."""
        answer = session.post(self.service_endpoint, data=b"", allow_redirects=False)
        if answer.status_code not in (200, 401):
            self.retry_policy.raise_response_errors(answer)
        offers = answer.headers.get("WWW-Authenticate", "").lower()
        found = {name for name, word in (("NTLM", "ntlm"), ("NTLM", "negotiate"), ("BASIC", "basic")) if word in offers}
        return frozenset(found)


class Answers(FailFast):  # type: ignore[misc]  # exchangelib has no types
    """Nothing is tried again here; says what HTTP statuses mean."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def raise_response_errors(self, response: Any) -> None:
        """Raise for everything but an answer, which Exchange sends with status 500 too."""
        status = response.status_code
        if status == 200:
            return
        content = _read(response, self._link) if status in (401, 500) else b""
        if status == 500 and is_xml(content):
            return
        raise refused_by_status(
            status,
            step=self._link.step,
            on=self._link.on,
            said=content[:10_000].decode("utf-8", "replace"),
            location=response.headers.get("Location", ""),
            pause=retry_after({"retry-after": response.headers.get("Retry-After", "")}, now=utc_now()),
        )


def _bearer(token: str) -> Callable[[Any], Any]:
    def sign(request: Any) -> Any:
        request.headers["Authorization"] = f"Bearer {token}"
        return request

    return sign


def _read(response: Any, link: Link) -> bytes:
    """Read an answer to its end and keep it where requests looks for it."""
    content = bytearray()
    for piece in response.iter_content(64 * 1024):
        content += piece
        if len(content) > ANSWER_LIMIT:
            response.close()
            raise ServerMisbehaved(f"The server sent more than {ANSWER_LIMIT:,} bytes", code="answer_too_long")
    if content and link.is_traced:
        link.note("<", what_came(bytes(content)))
    response._content = bytes(content)
    return bytes(content)
