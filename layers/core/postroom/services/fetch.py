"""Fetch what is new in one mailbox: lease, sizes, sets of messages to S3, remember, and only then tell the server.

The order is what keeps mail (design, 'Identities and order'): a message is on the server until its bytes are stored,
and stored bytes are found again by their key. Whatever dies in between is done again and comes to the same.
"""

from __future__ import annotations

import contextlib
import logging
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

from postroom.errors import (
    ConnectFailed,
    DeadlineExceeded,
    LoginRefused,
    MailboxLocked,
    PostroomError,
    ServerMisbehaved,
    Transient,
)
from postroom.model.mailbox import Mailbox, Type
from postroom.model.polling import GIVEN_UP, OVERSIZE_LEFT, Health, Lease, MailboxState
from postroom.model.traffic import count
from postroom.ports import Action, Extendable, Fetched, FetchFailed, Item, Session
from postroom.services import asides, health, positions
from postroom.services.connecting import at_step, in_session, open_mailbox
from postroom.services.polling import Outcome, Polling, Result, after_storage
from postroom.services.storing import UPLOADS, StoreFailed, Uploads

logger = logging.getLogger(__name__)

LEASE_GRACE = timedelta(seconds=30)  # beyond what the function has left: nobody is fetching any more by then
SAVING = 12.0  # seconds kept free at the end to remember what is stored and to tell the server
LAST_SAVING = 4.0  # of which so many are left for the last write
LEAST = 5.0  # seconds below which no set is begun
REOPENINGS = 3  # new connections in one poll, after messages that broke the old one
KEPT_BALANCES = 8
SLOWEST = 128 * 1024  # bytes a second that a server must manage
BASE_BUDGET = 30.0  # seconds for a set beyond that
NOTHING_FETCHED = "nothing_fetched"
RENUMBERED = "The server has numbered the folder anew"
_NOT_OF_ONE = (LoginRefused, MailboxLocked, ConnectFailed)
OUTAGE = timedelta(hours=24)  # for which a server that gives out nothing is believed to have trouble of its own


def fetch(
    mailbox: Mailbox, state: MailboxState, session: Session, *, polling: Polling, deadline: float, backlog: bool = False
) -> Outcome:
    """Fetch from an open mailbox; `deadline` is when the function ends (`time.monotonic()`).

    Closes the session. Raises LeaseLost when another poller has taken over, and what the state's storage raises;
    other faults of the mail server or the storage end in the mailbox's health and in the outcome.
    """
    run = _Run(mailbox, state, session, polling=polling, deadline=deadline)
    try:
        return run.poll(backlog=backlog)
    finally:
        run.drop_session()


class _Run:
    """One poll of one mailbox with news, and the books it keeps."""

    def __init__(
        self, mailbox: Mailbox, state: MailboxState, session: Session, *, polling: Polling, deadline: float
    ) -> None:
        self.mailbox = mailbox
        self.polling = polling
        self._state = state
        self._session: Session | None = session
        self._deadline = deadline
        self._until = deadline - SAVING
        self._problems: dict[str, int] = {}  # changes of the problem list in this poll
        self._prints: dict[str, str] = {}
        self._given_up: list[str] = []
        self._entered: set[str] = set()  # what stands in the position's asides since this poll
        self._error: PostroomError | None = None  # what ended fetching
        self._act_error: PostroomError | None = None  # what the server refused afterwards
        self._stopped = False
        self._reopened = 0
        self._checked = polling.monotonic()
        self._size = 0

    # --- the order of things ---

    def poll(self, *, backlog: bool) -> Outcome:
        """List, decide, and, where something is new, take the lease and fetch."""
        first = self._state.position is None
        self._started = self.polling.clock()
        asked = asides.reconsidered(self._state.position, self.mailbox, now=self._started)
        with at_step("list"):
            listing = self._open().list(asked)
        self._news = listing.news
        self._resynced = listing.resynced
        if not first and (
            why := self._state.lost or (RENUMBERED if listing.resynced and asked and asked.epoch else "")
        ):
            self._state = replace(self._state, begun_anew=(self._started, why), lost="")
        position = positions.begin(asked, listing, self._started)
        self._position = asides.listed(position, self.mailbox, now=self._started)
        plan = positions.sort_listing(listing, self.mailbox, self._position, first=first, backlog=backlog)
        self._books = positions.Books(listed=len(listing.news) + len(listing.unfinished) + listing.known, plan=plan)
        # What waited at the last poll and is gone by now is noted once: else it would be shown as waiting for ever.
        waits = self._waiting() != self._state.waiting
        begins = first or listing.resynced or not positions.is_settled(self._state.position)
        begins = begins or self._position.asides != position.asides or bool(self._due())
        if not (begins or waits or listing.renewed or plan.take or plan.again or plan.aside):
            self._act(plan.unfinished, after_storage(self.mailbox))
            self._note_health()
            return self._outcome(Result.ACTED if plan.unfinished else Result.IDLE)
        left = timedelta(seconds=max(0.0, self._deadline - self.polling.monotonic()))
        until = self.polling.clock() + left + LEASE_GRACE  # not since the start: to list a large folder takes its time
        lease = self.polling.states.take_lease(
            self._state, owner=uuid.uuid4().hex[:16], now=self._started, expires=until
        )
        if lease is None:
            return Outcome(self.mailbox.name, Result.BUSY)
        self._problems = dict(plan.aside)
        with ThreadPoolExecutor(UPLOADS, thread_name_prefix="upload") as pool:
            untold = self._fetch_sets(lease, plan, pool)
        self._finish(lease, untold)
        return self._outcome(Result.STOPPED if self._stopped else Result.FETCHED)

    def _fetch_sets(self, lease: Lease, plan: positions.Plan, pool: ThreadPoolExecutor) -> list[str]:
        """Fetch set after set, each remembered before the server is told; returns the ids it was not told of yet."""
        todo = [(one, False) for one in positions.sets(plan.take, self.mailbox)]
        todo += [((item,), True) for item in plan.again]
        untold = list(plan.unfinished)
        while todo and self._may_go_on():
            if self._books.stored:
                self._remember(lease, release=False)
                self._act(untold, after_storage(self.mailbox))
                untold = []
            items, alone = todo.pop(0)
            before = set(self._books.stored)
            if rest := self._fetch_set(items, alone=alone, pool=pool):
                todo.insert(0, (rest, False))
            untold += sorted(self._books.stored - before)
        self._books.left = {item.id for items, _alone in todo for item in items}
        return untold

    def _finish(self, lease: Lease, untold: Sequence[str]) -> None:
        """Write position, books and health together with the release of the lease; then tell the server."""
        self._absolve()
        balance = self._books.balance()
        if balance.listed:
            balances = (*self._state.balances, (self._started, balance))
            self._state = replace(self._state, balances=balances[-KEPT_BALANCES:])
        self._position = replace(self._position, catching_up=self._position.catching_up and balance.left > 0)
        self._state = replace(
            self._state,
            waiting=self._waiting(),
            traffic=count(
                self._state.traffic, now=self._started, mails=balance.stored + balance.oversize, size=self._size
            ),
        )
        self._enter_asides()
        now = [] if self._stopped else untold  # if stopped, what is wanted may have changed too: the next poll knows
        if self._error is None and not self._stopped and self._due():
            self._remember(lease, release=False)
            self._act(now, after_storage(self.mailbox))
            now = []
            self._ask_for_asides()
        act_error = self._act_error
        self._remember(lease, release=True)
        self._act(now, after_storage(self.mailbox))
        if self._act_error is not act_error or (self._state.health.step == health.TELLING and not self._stopped):
            self._note_health()

    def _enter_asides(self) -> None:
        """Note what was set aside since the last time, so that the server is asked for it whoever comes to it."""
        new = [one for one in (*sorted(self._books.oversize), *self._given_up) if one not in self._entered]
        self._entered.update(new)
        entered = asides.entered(
            self._position.asides,
            oversize=[one for one in new if one in self._books.oversize],
            given_up=[one for one in new if one not in self._books.oversize],
            stored=self._books.stored,
            now=self._started,
        )
        self._position = replace(self._position, asides=entered)

    def _due(self) -> Mapping[Action, list[str]]:
        position = replace(self._position, problems={**self._position.problems, **self._problems})
        return asides.due(position, self.mailbox, now=self._started)

    def _ask_for_asides(self) -> None:
        """Have done on the server what is wanted with mail that was set aside, and note what it says to that."""
        for action, ids in self._due().items():
            error = self._tell(ids, action)
            if error is not None and (error.step != health.TELLING or self._is_cut_short(error)):
                self._act_error = self._act_error or (None if self._is_cut_short(error) else error)
                return  # nothing was refused: they are due still
            refusal = None if error is None else error.what
            answered = asides.answered(self._position.asides, ids, action, refusal=refusal, now=self._started)
            self._position = replace(self._position, asides=answered)
            self._act_error = self._act_error or error

    def _waiting(self) -> datetime | None:
        return positions.waiting_since(
            self._news, self._position, self._books, self._problems, before=self._state.waiting, now=self._started
        )

    # --- one set ---

    def _fetch_set(self, items: Sequence[Item], *, alone: bool, pool: ThreadPoolExecutor) -> tuple[Item, ...]:
        """Fetch and store one set; returns what a broken connection, or a changed mailbox, left of it."""
        started = self.polling.monotonic()
        budget = BASE_BUDGET + sum(item.size or 0 for item in items) / SLOWEST
        if alone:  # G22: what failed before gets a connection of its own and more time with every try
            budget *= 2 ** self._position.problems.get(items[0].id, 0)
            self.drop_session()
        uploads = Uploads(
            pool,
            self.polling.raw,
            mailbox=self.mailbox.name,
            position=self._position,
            clock=self.polling.clock,
            stored=self._enter_stored,
        )
        try:
            session = self._open(budget)
            with in_session("fetch"):
                try:
                    self._read_set(session, items, uploads)
                finally:
                    uploads.settle()
        except StoreFailed as error:
            self._error = error.cause
            self.drop_session()
        except _Blamed:
            self.drop_session()
            return self._unanswered(items)
        except PostroomError as error:
            self.drop_session()
            rest = self._unanswered(items)
            if not rest or not self._is_the_messages_fault(error, started + budget):
                self._error = error
                return rest
            # Answers come in order, or nearly: the connection broke at the first one missing, or soon after.
            self._fail(rest[0], error.what)
            return rest[1:]
        return self._unanswered(items) if self._stopped or self._error else ()

    def _is_the_messages_fault(self, error: PostroomError, enough: float) -> bool:
        """Tell whether a message, and not the server or our own end, is to blame: it broke a connection that worked.

        `enough`: until when it was given time; a message that the function's end cut short is not to blame.
        """
        if isinstance(error, DeadlineExceeded):
            return error.step == "fetch" and enough <= self._until
        return error.step == "fetch" and isinstance(error, ServerMisbehaved)

    def _read_set(self, session: Session, items: Sequence[Item], uploads: Uploads) -> None:
        large = [item for item in items if positions.is_oversize(item, self.mailbox)]
        whole = [item for item in items if item not in large]
        for item in large:
            if not self.mailbox.enable_big_msg_stripping:
                self._enter_stored(item, True)
                continue
            try:
                headers = session.headers(item)
            except PostroomError as error:
                if error.code == "gone":  # taken away by another client
                    self._note_gone(item)
                    continue
                if error.retry_after is not None or isinstance(error, _NOT_OF_ONE) or error.code == "token_ended":
                    raise
                self._fail(item, error.what)
                raise _Blamed from error
            uploads.headers(item, headers)
        if not whole:
            return
        for result in session.fetch(whole):
            self._take(result, whole, uploads)
            if not self._still_wanted():
                self.drop_session()  # answers are still on their way; nobody will read them
                return

    def _take(self, result: Fetched | FetchFailed, asked: Sequence[Item], uploads: Uploads) -> None:
        if isinstance(result, Fetched):
            if result.item in asked:
                if result.print:
                    self._prints[result.item.id] = result.print
                uploads.message(result)
            else:  # a connector that confuses ids must not move the books
                result.path.unlink(missing_ok=True)
        elif result.gone:
            self._note_gone(result.item)
        elif result.item in asked:
            self._fail(result.item, result.reason)

    def _enter_stored(self, item: Item, headers_only: bool) -> None:
        if not headers_only:
            self._books.stored.add(item.id)
            self._size += item.size or 0
            return
        self._books.oversize.add(item.id)
        self._problems[item.id] = OVERSIZE_LEFT

    def _note_gone(self, item: Item) -> None:
        """Take a message that the server does not find for gone; one that it lists all the same ends as a problem."""
        if self.mailbox.type is Type.IMAP or self._position.problems.get(item.id, 0) + 1 < GIVEN_UP:
            self._books.gone.add(item.id)
        else:
            self._fail(item, "the server lists it, and says that it is not there")

    def _fail(self, item: Item, reason: str) -> None:
        """Count a failed try; the third puts a message on the problem list, and the next ones proceed."""
        tries = min(GIVEN_UP, self._position.problems.get(item.id, 0) + 1)
        self._problems[item.id] = tries
        self._books.failed[item.id] = reason
        if tries == GIVEN_UP:
            self._given_up.append(item.id)
        logger.warning(
            "message_not_fetched",
            extra={"mailbox": self.mailbox.name, "server_id": item.id, "tries": tries, "reason": reason},
        )

    def _absolve(self) -> None:
        """Blame the server, not its messages, when it gave out none of several; for a day, so that it comes to an end.

        Else a minute's trouble of its storage would put everything that is new on the problem list, or delete it.
        """
        books, known = self._books, self._state.health
        since = known.since if known.code == NOTHING_FETCHED and known.since else self._started
        if self._error is not None or self._started - since > OUTAGE or not books.came_to_nothing(self._position):
            return
        why = f"None of {len(books.failed)} messages could be fetched: {next(iter(books.failed.values()))}"
        self._error = ServerMisbehaved(why, on=self.mailbox.name, step="fetch", code=NOTHING_FETCHED)
        for one in books.failed:
            self._problems.pop(one, None)
        books.take_back()
        self._given_up = []

    def _unanswered(self, items: Sequence[Item]) -> tuple[Item, ...]:
        return tuple(item for item in items if not self._books.answered(item.id))

    # --- whether to go on ---

    def _may_go_on(self) -> bool:
        if self._error is not None or self.polling.monotonic() + LEAST > self._until:
            return False
        return self._reopened <= REOPENINGS and self._still_wanted()

    def _still_wanted(self) -> bool:
        """Look whether the mailbox is still configured as it was when this poll began (fault 4)."""
        now = self.polling.monotonic()
        if self._stopped or now - self._checked < self.polling.config_check:
            return not self._stopped
        self._checked = now
        with contextlib.suppress(Transient):  # not knowing is no reason to stop
            configuration = self.polling.configurations.current()
            there = configuration.mailbox(self.mailbox.name)
            self._stopped = there is None or configuration.effective(there) != self.mailbox
        return not self._stopped

    # --- the session ---

    def _open(self, budget: float | None = None) -> Session:
        """Return the session, with a new deadline where a budget is given; opens a new one when it was lost."""
        until = self._until if budget is None else min(self._until, self.polling.monotonic() + budget)
        if self._session is None:
            self._reopened += 1
            self._session = open_mailbox(
                self.mailbox,
                connectors=self.polling.connectors,
                secrets=self.polling.secrets,
                tokens=self.polling.tokens,
                deadline=until,
            )
            with at_step("list"):
                # POP3 numbers messages anew in every session: the listing is what ids are found by.
                listing = self._session.list(self._state.position)
                if listing.position.epoch != self._position.epoch:
                    # What we noted by id is not what has these ids now: nothing may be told to the server any more.
                    raise Transient("The folder was replaced while it was read", on=self.mailbox.name, code="resync")
        elif budget is not None and isinstance(self._session, Extendable):
            self._session.extend(until)
        return self._session

    def drop_session(self) -> None:
        """Close the session if there is one."""
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _act(self, ids: Sequence[str], action: Action | None) -> None:
        """Tell the server of what is stored; a later poll repeats what fails, since the ids stay unfinished there."""
        if not ids or action is None or self._error is not None or self._act_error is not None:
            return
        error = self._tell(ids, action)
        if error is not None and not self._is_cut_short(error):
            self._act_error = error

    def _tell(self, ids: Sequence[str], action: Action) -> PostroomError | None:
        """Have something done on the server; returns what went wrong."""
        try:
            session = self._open()
            if isinstance(session, Extendable):
                session.extend(self._deadline - LAST_SAVING)
            with in_session(health.TELLING):
                session.act(ids, action)
        except PostroomError as error:
            self.drop_session()
            return error
        return None

    def _is_cut_short(self, error: PostroomError) -> bool:
        """Tell whether it was the end of the function, and not the server, that ended something."""
        return isinstance(error, DeadlineExceeded) and self.polling.monotonic() >= self._until

    # --- what is remembered ---

    def _remember(self, lease: Lease, *, release: bool) -> None:
        self._enter_asides()
        books = self._books
        position = positions.advance(
            self._position, self.mailbox, self._news, done=books.stored, gone=books.gone, failed=self._problems
        )
        prints = {one: mark for one, mark in (self._position.prints | self._prints).items() if one in position.known}
        before = self._state.position  # of another epoch, its ids may stand for other mails
        known = before.reasons if before and before.epoch == position.epoch else {}
        self._state = replace(
            self._state,
            position=replace(
                position, reasons=positions.reasons(known, books.failed, position.problems), prints=prints
            ),
            health=self._health(written_anyway=True),
            config_digest=health.settings_digest(self.mailbox),
        )
        self.polling.states.save(lease, self._state, release=release)

    def _health(self, *, written_anyway: bool = False) -> Health:
        now, known = self.polling.clock(), self._state.health
        if self._error is not None:
            return health.failed(known, self._error, now=now)
        if self._act_error is not None:
            return health.untold(known, self._act_error, now=now)
        if known.step == health.TELLING:  # whether the server can be told of what is stored is seen afterwards
            if written_anyway:
                return replace(known, last_success=now)
            if asides.pending(self._position, self.mailbox):
                return known
        return (health.fetched if written_anyway else health.succeeded)(known, now=now)

    def _note_health(self) -> None:
        """Write the health alone, when it has changed."""
        new = self._health()
        if new != self._state.health:
            digest = health.settings_digest(self.mailbox)
            self.polling.states.save_health(self.mailbox.name, new, config_digest=digest)

    def _outcome(self, result: Result) -> Outcome:
        books = self._books
        error = self._error or self._act_error
        oldest = books.plan.oldest
        left = books.plan.more or bool(books.left)
        return Outcome(
            mailbox=self.mailbox.name,
            result=Result.FAILED if error is not None else result,
            balance=books.balance(),
            more=left and self._error is None and not self._stopped and self._reopened <= REOPENINGS,
            step=error.step if error else "",
            code=error.code if error else "",
            lag=max(0.0, (self._started - oldest).total_seconds()) if oldest else 0.0,
            size=self._size,
            resynced=self._resynced,
        )


class _Blamed(Exception):
    """A message has been blamed for what happened; the connection is not to be trusted any more."""
