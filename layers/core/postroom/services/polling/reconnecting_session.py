"""A session that lasts a poll: given time for each piece of work, and opened anew after a connection that was lost."""

from __future__ import annotations

from collections.abc import Collection, Container, Sequence

from postroom.errors import DeadlineExceeded, PostroomError, Transient
from postroom.model import Action, Listing, Position
from postroom.model.configuration import Mailbox
from postroom.ports import Compares, Extendable, Recognizes, Session
from postroom.services.mailboxes import at_step, health, in_session, open_mailbox
from postroom.services.polling.outcome import Polling

LAST_SAVING = 4.0  # seconds left for the last write, after the server was told
COMPARING = 3  # the part of the time that is left which a comparison may take: the rest is for mail
REOPENINGS = 3  # new connections in one poll, after messages that broke the old one


class LastingSession:
    """The session of one poll. `until` is when fetching ends, `deadline` when the function does (`time.monotonic()`).

    `noted` is the position that a new connection lists against.
    """

    def __init__(
        self,
        mailbox: Mailbox,
        session: Session,
        *,
        polling: Polling,
        noted: Position | None,
        until: float,
        deadline: float,
    ) -> None:
        self.noted = noted
        self.until = until
        self._mailbox = mailbox
        self._polling = polling
        self._deadline = deadline
        self._session: Session | None = session
        self._epoch = ""
        self._reopened = 0
        self.strangers: Collection[str] = ()

    @property
    def is_worn_out(self) -> bool:
        """Tell whether the connection was lost so often that this poll had better end."""
        return self._reopened > REOPENINGS

    def list(self, position: Position | None) -> Listing:
        """List the mailbox; from now on, its ids are those of this listing's epoch."""
        with at_step("list"):
            listing = self.open().list(position)
        self._epoch = listing.position.epoch
        return listing

    def recognizes(self, position: Position) -> bool:
        """Tell whether what lies there shows that it is what a position of another place speaks of."""
        with at_step("list"):
            session = self.open()
            return isinstance(session, Recognizes) and session.recognizes(position)

    def compare(self, position: Position, stored: Container[str]) -> tuple[Listing, Collection[str]] | None:
        """Compare all that lies there with what is stored; None where the listing has done so already."""
        with at_step("list"):
            session = self.open((self.until - self._polling.monotonic()) / COMPARING)
            if not isinstance(session, Compares):
                return None
            listing, known = session.compare(position, stored)
        self._epoch = listing.position.epoch
        return listing, known

    def open(self, budget: float | None = None) -> Session:
        """Return the session, with a new deadline where a budget is given; opens a new one when it was lost."""
        until = self.until if budget is None else min(self.until, self._polling.monotonic() + budget)
        if self._session is None:
            return self._reopen(until)
        if budget is not None and isinstance(self._session, Extendable):
            self._session.extend(until)
        return self._session

    def _reopen(self, until: float) -> Session:
        self._reopened += 1
        # Kept at once, so that it is closed whatever comes of its listing.
        session = self._session = open_mailbox(
            self._mailbox,
            connectors=self._polling.connectors,
            secrets=self._polling.secrets,
            tokens=self._polling.tokens,
            deadline=until,
        )
        with at_step("list"):
            # POP3 numbers messages anew in every session: the listing is what ids are found by.
            listing = session.list(self.noted)
            if listing.position.epoch != self._epoch:
                # What we noted by id is not what has these ids now: nothing may be told to the server any more.
                raise Transient("The folder was replaced while it was read", on=self._mailbox.name, code="resync")
        return session

    def tell(self, ids: Sequence[str], action: Action) -> PostroomError | None:
        """Have something done on the server; returns what went wrong.

        `strangers` says afterwards which of the ids stand for other mails; nothing was done to those.
        """
        self.strangers = ()
        try:
            session = self.open()
            if isinstance(session, Extendable):
                session.extend(self._deadline - LAST_SAVING)
            with in_session(health.TELLING):
                self.strangers = session.act(ids, action)
        except PostroomError as error:
            self.drop()
            return error
        return None

    def is_cut_short(self, error: PostroomError) -> bool:
        """Tell whether it was the end of the function, and not the server, that ended something."""
        return isinstance(error, DeadlineExceeded) and self._polling.monotonic() >= self.until

    def drop(self) -> None:
        """Close the connection if there is one."""
        session, self._session = self._session, None
        if session is not None:
            session.close()
