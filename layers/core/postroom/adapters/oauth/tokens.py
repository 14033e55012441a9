"""Access tokens by OAuth 2.0: one request serves many mailboxes, and a rotated refresh token is kept before it is used.

A token request is one POST of a form: Microsoft's by msal, Google's by a few lines (ADR 0021).
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from postroom.adapters.net import Network, Trace, trace_of
from postroom.adapters.oauth.endpoint import TokenEndpoint
from postroom.adapters.oauth.requests import Held, Wanted, google_form, wanted
from postroom.errors import LoginRefused, PostroomError
from postroom.model.configuration import Grant, Mailbox, SecretReference
from postroom.ports import Clock, Secrets, SecretStore

MARGIN = timedelta(minutes=5)  # before its end, a token is no longer given out
REMEMBERED = timedelta(minutes=1)  # a refusal answers for all mailboxes that wait for the same token
PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(hours=1)  # whatever the service asks for: another try costs one request


@dataclass(slots=True)
class _Entry:
    """What is known of one token; `lock` lets one mailbox ask while the others wait for the answer."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    token: str = ""
    usable_until: datetime | None = None
    error: PostroomError | None = None
    error_until: datetime | None = None
    digest: str = ""  # of the secrets that were refused: others may be tried at once


class OAuthTokens:
    """Implements ports.Tokens; what it holds lives as long as the process and is written nowhere."""

    def __init__(
        self,
        *,
        secrets: Secrets,
        store: SecretStore,
        clock: Clock,
        allowed_networks: Sequence[Network] = (),
        google_endpoint: str = "",
    ) -> None:
        self._secrets = secrets
        self._store = store
        self._clock = clock
        self._allowed = tuple(allowed_networks)
        self._google_endpoint = google_endpoint
        self._entries: dict[Wanted, _Entry] = {}
        self._lock = threading.Lock()

    def access_token(self, mailbox: Mailbox, *, deadline: float, refused: str = "") -> str:
        """Return a token (ports.Tokens)."""
        asked = wanted(mailbox)
        trace = trace_of(mailbox)
        with self._lock:
            entry = self._entries.setdefault(asked, _Entry())
        with entry.lock:
            now = self._clock()
            if entry.usable_until is not None and now < entry.usable_until and entry.token != refused:
                _note(trace, f"an access token from before, until {entry.usable_until:%H:%M:%S} UTC")
                return entry.token
            held = self._reveal(asked)
            if entry.error and entry.error_until and now < entry.error_until and entry.digest == held.digest:
                raise _as_of(entry.error, left=(entry.error_until - now).total_seconds())
            try:
                try:
                    token, life = self._obtain(asked, held, deadline=deadline, trace=trace)
                except LoginRefused:
                    before, held = held, self._reveal(asked)
                    if held.digest == before.digest:
                        raise
                    # Consent was given anew, or another function was given the next refresh token, meanwhile.
                    token, life = self._obtain(asked, held, deadline=deadline, trace=trace)
            except PostroomError as error:
                _note(trace, f"no access token: {error.code}")
                entry.error, entry.error_until, entry.digest = error, self._clock() + _pause(error), held.digest
                raise
            entry.token, entry.usable_until = token, now + life - min(MARGIN, life / 2)
            entry.error = None
            _note(trace, f"an access token, until {entry.usable_until:%H:%M:%S} UTC")
            return token

    def _reveal(self, asked: Wanted) -> Held:
        # Read anew each time a token is asked for, once an hour: another function may have rotated it meanwhile.
        return Held(credential=self._secret(asked.credential), application=self._secret(asked.application))

    def _secret(self, reference: SecretReference | None) -> str:
        if reference is None:
            return ""
        try:
            return self._secrets.reveal(reference, fresh=True)
        except PostroomError as error:
            error.step = "login"
            raise

    def _obtain(self, asked: Wanted, held: Held, *, deadline: float, trace: Trace | None) -> tuple[str, timedelta]:
        """Ask for a token; return it with its life."""
        endpoint = TokenEndpoint(
            self._google_endpoint if asked.google and self._google_endpoint else asked.endpoint,
            deadline=deadline,
            now=self._clock(),
            allowed_networks=self._allowed,
            ca_pem=asked.ca_pem or None,
            trace=trace,
        )
        if asked.google:
            fields = endpoint.ask(google_form(asked, held, assertion=_google_assertion(asked, held, endpoint)))
        else:
            from postroom.adapters.oauth import microsoft  # msal takes longer to import than requests does

            fields = microsoft.ask(asked, held, endpoint)
        self._keep_rotated(asked, held, fields.get("refresh_token"))
        return fields["access_token"], timedelta(seconds=_seconds(fields.get("expires_in")))

    def _keep_rotated(self, asked: Wanted, held: Held, rotated: object) -> None:
        """Keep the next refresh token before its access token is used, since the old one may be void already."""
        own = asked.credential.secret if asked.credential else None
        # One in Secrets Manager belongs to somebody else's rotation; Microsoft's old ones stay valid.
        sent = asked.grant is Grant.REFRESH_TOKEN and not (asked.google and held.google_key)
        if sent and own and isinstance(rotated, str) and rotated not in ("", held.credential):
            self._keep(own, rotated, instead_of=held.credential)

    def _keep(self, name: str, rotated: str, *, instead_of: str) -> None:
        """Keep a rotated refresh token, unless the one that it follows was replaced while it was asked for."""
        if self._secret(SecretReference(secret=name)) != instead_of:
            return  # by a person's new consent, which must not be undone, or by another function's newer token
        try:
            self._store.put(name, rotated, now=self._clock())
        except PostroomError as error:
            error.step = "login"
            raise

    def __repr__(self) -> str:
        return f"OAuthTokens({len(self._entries)} held)"


def _google_assertion(asked: Wanted, held: Held, endpoint: TokenEndpoint) -> str:
    """Sign for a service account; empty where a person has consented."""
    if not held.google_key:
        return ""
    from postroom.adapters.oauth.assertions import google_assertion

    return google_assertion(
        held.google_key, scope=asked.scope, account=asked.account, endpoint=endpoint.url, now=endpoint.now
    )


def _note(trace: Trace | None, line: str) -> None:
    if trace is not None:
        trace("login", "<", line.encode("ascii"))


def _pause(error: PostroomError) -> timedelta:
    """Say how long an error answers for everybody: as long as the service has asked to be left alone."""
    if error.retry_after is not None:
        return min(max(timedelta(seconds=error.retry_after), PAUSE), LONGEST_PAUSE)
    return REMEMBERED if isinstance(error, LoginRefused) else PAUSE


def _as_of(error: PostroomError, *, left: float) -> PostroomError:
    """Return a remembered error for another mailbox, which waits for what is left."""
    again = copy.copy(error)
    if again.retry_after is not None:
        again.retry_after = min(again.retry_after, left)
    return again


def _seconds(value: object) -> float:
    """Read expires_in (RFC 6749 §5.1, recommended only); some send it as text."""
    text = str(value)
    return float(text) if text.isdecimal() and len(text) < 8 else 3600.0
