"""Fetch what is new in one mailbox: lease, sizes, sets of messages to S3, remember, and only then tell the server.

The order is what keeps mail (design, 'Identities and order'): a message is on the server until its bytes are stored,
and stored bytes are found again by their key. Whatever dies in between is done again and comes to the same.
"""

from __future__ import annotations

import contextlib
import logging
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from postroom.errors import (
    ConnectFailed,
    DeadlineExceeded,
    LoginRefused,
    LoginUnclear,
    MailboxLocked,
    PostroomError,
    ServerMisbehaved,
    Transient,
)
from postroom.model import Action, Fetched, FetchFailed, Health, Item, Lease, Listing, MailboxState, Position, count
from postroom.model.configuration import Mailbox, Type
from postroom.ports import Session
from postroom.rules.polling import Ledger, after_storage, arrival, set_aside
from postroom.rules.polling import position as positions
from postroom.services.mailboxes import health, in_session
from postroom.services.polling.outcome import Outcome, Polling, Result
from postroom.services.polling.reconnecting_session import LastingSession
from postroom.services.polling.uploads import UPLOADS, StoreFailed, Uploads

logger = logging.getLogger(__name__)

LEASE_GRACE = timedelta(seconds=30)  # beyond what the function has left: nobody is fetching any more by then
SAVING = 12.0  # seconds kept free at the end to remember what is stored and to tell the server
LEAST = 5.0  # seconds below which no set is begun
KEPT_BALANCES = 8
SLOWEST = 128 * 1024  # bytes a second that a server must manage
BASE_BUDGET = 30.0  # seconds for a set beyond that
STORING = "store"
NOTHING_FETCHED = "nothing_fetched"
RENUMBERED = "The server has numbered the folder anew"
ELSEWHERE = "Server, login or folder were changed, and no mail there shows that it is the same mailbox"
_NOT_OF_ONE = (LoginRefused, LoginUnclear, MailboxLocked, ConnectFailed)
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
        run.close()


class _Run:
    """One poll of one mailbox with news, and the ledger it keeps."""

    def __init__(
        self, mailbox: Mailbox, state: MailboxState, session: Session, *, polling: Polling, deadline: float
    ) -> None:
        self.mailbox = mailbox
        self.polling = polling
        self._state = state
        # Who finishes gives its lease back: one that has merely ended was of a poll that died.
        self._dead_lease = state.lease.expires if state.lease and state.lease.expires.timestamp() else None
        if state.health.step == STORING:  # an answer of S3 may have been lost
            self._dead_lease = polling.clock()
        self._deadline = deadline
        self._session = LastingSession(
            mailbox, session, polling=polling, noted=state.position, until=deadline - SAVING, deadline=deadline
        )
        self._error: PostroomError | None = None  # what ended fetching
        self._act_error: PostroomError | None = None  # what the server refused afterwards
        self._unwritten: set[str] = set()  # known to be stored, and not written down as that
        self._written: set[str] = set()
        self._stopped = False
        self._checked = polling.monotonic()

    def close(self) -> None:
        """Drop the connection."""
        self._session.drop()

    # --- the order of things ---

    def poll(self, *, backlog: bool) -> Outcome:
        """List, decide, and, where something is new, take the lease and fetch."""
        first = self._state.position is None
        self._started = self.polling.clock()
        moved, elsewhere = self._recognize()
        asked = set_aside.reconsidered(self._state.position, self.mailbox, now=self._started)
        listing, compared = self._list(asked)
        if arrival.lack_sizes(listing.news, self.mailbox):
            raise ServerMisbehaved(
                f"The server lists {len(listing.news):,} new messages, and no size of any",
                on=self.mailbox.name,
                step="list",
                code="no_sizes",
                remedy="It is tried again by itself; if it goes on, set `allow_bad_msg_size` for the mailbox.",
            )
        if not first and (
            why := self._state.lost or elsewhere or (RENUMBERED if listing.resynced and asked and asked.epoch else "")
        ):
            self._state = replace(self._state, begun_anew=(self._started, why), lost="")
        began = positions.in_series(positions.begin(asked, listing, self._started), asked, listing, self.mailbox)
        position = set_aside.listed(began, listing.undone, now=self._started)
        if compared:
            position = replace(position, compared=self._started)
        plan = positions.sort_listing(listing, self.mailbox, position, first=first, backlog=backlog, now=self._started)
        self._ledger = Ledger(self.mailbox, listing, plan, position, self._started)
        # What waited at the last poll and is gone by now is noted once: else it would be shown as waiting for ever.
        waits = self._ledger.waiting_since(self._state.waiting) != self._state.waiting
        begins = first or moved or listing.resynced or not positions.is_settled(self._state.position)
        begins = begins or position.asides != began.asides or bool(self._ledger.due())
        if not (
            begins or waits or compared or listing.renewed or listing.partial or plan.take or plan.again or plan.aside
        ):
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
        with ThreadPoolExecutor(UPLOADS, thread_name_prefix="upload") as pool:
            untold = self._fetch_sets(lease, plan, pool)
        self._finish(lease, untold)
        return self._outcome(Result.STOPPED if self._stopped else Result.FETCHED)

    def _recognize(self) -> tuple[bool, str]:
        """Have the server show whether a mailbox that is opened in another way is the same.

        Returns whether it is opened in another way, and why its mail is compared anew, if it is.
        """
        position = self._state.position
        if position is None or not position.moved:
            return False, ""
        same = self._session.recognizes(position)
        position = positions.recognized(position, self.mailbox) if same else position.anew()
        self._state = replace(self._state, position=position)
        self._session.noted = position
        return True, "" if same else ELSEWHERE

    def _list(self, asked: Position | None) -> tuple[Listing, bool]:
        """List, and, where it is time or the folder holds another number than it should, compare it as a whole."""
        listing = self._session.list(asked)
        due = positions.comparison_due(asked, self.mailbox, now=self._started)
        if asked is None or listing.resynced or not (due or listing.suspect):
            return listing, False
        # A position of an earlier version has a cursor only; what it vouches for, and lies there, is written down now.
        adopts = asked.compared is None
        stored = self.polling.states.stored(self.mailbox.identity, positions.series(asked, self.mailbox))
        try:
            found = self._session.compare(asked, positions.BelowCursor(asked) if adopts else stored)
        except Transient as error:  # housekeeping never stands before new mail (fault 119)
            self._session.drop()
            logger.warning("not_compared", extra={"mailbox": self.mailbox.name, "code": error.code})
            return listing, False
        if found is None:
            return listing, False
        listing, known = found
        if adopts and not listing.resynced:
            self._unwritten.update(known)
        return listing, True

    def _fetch_sets(self, lease: Lease, plan: positions.Plan, pool: ThreadPoolExecutor) -> list[str]:
        """Fetch set after set, each remembered before the server is told; returns the ids it was not told of yet."""
        todo = [(one, False) for one in positions.sets(plan.take, self.mailbox)]
        todo += [((item,), True) for item in plan.again]
        untold = list(plan.unfinished)
        while todo and self._may_go_on():
            if self._ledger.stored:
                self._remember(lease, release=False)
                self._act(untold, after_storage(self.mailbox))
                untold = []
            items, alone = todo.pop(0)
            before = set(self._ledger.stored)
            if rest := self._fetch_set(items, alone=alone, pool=pool):
                todo.insert(0, (rest, False))
            untold += sorted(self._ledger.stored - before)
        self._ledger.left = {item.id for items, _alone in todo for item in items}
        return untold

    def _finish(self, lease: Lease, untold: Sequence[str]) -> None:
        """Write position, balance and health together with the release of the lease; then tell the server."""
        self._absolve()
        ledger = self._ledger
        balance = ledger.balance()
        if balance.listed:
            balances = (*self._state.balances, (self._started, balance))
            self._state = replace(self._state, balances=balances[-KEPT_BALANCES:])
        ledger.position = replace(
            ledger.position, catching_up=ledger.position.catching_up and (balance.left > 0 or ledger.listing.partial)
        )
        self._state = replace(
            self._state,
            waiting=ledger.waiting_since(self._state.waiting),
            traffic=count(
                self._state.traffic, now=self._started, mails=balance.stored + balance.oversize, size=ledger.size
            ),
        )
        ledger.enter_asides()
        now = [] if self._stopped else untold  # if stopped, what is wanted may have changed too: the next poll knows
        if self._error is None and not self._stopped and ledger.due():
            self._remember(lease, release=False)
            self._act(now, after_storage(self.mailbox))
            now = []
            self._ask_for_asides()
        act_error = self._act_error
        self._remember(lease, release=True)
        self._act(now, after_storage(self.mailbox))
        if self._act_error is not act_error or (self._state.health.step == health.TELLING and not self._stopped):
            self._note_health()

    def _ask_for_asides(self) -> None:
        """Have done on the server what is wanted with mail that was set aside, and note what it says to that."""
        for action, ids in self._ledger.due().items():
            error = self._session.tell(ids, action)
            if error is not None and (error.step != health.TELLING or self._session.is_cut_short(error)):
                self._act_error = self._act_error or (None if self._session.is_cut_short(error) else error)
                return  # nothing was refused: they are due still
            if strangers := frozenset(self._session.strangers):
                self._ledger.enter_strangers(strangers)
            told = [one for one in ids if one not in strangers]
            self._ledger.enter_answer(told, action, refusal=None if error is None else error.what)
            self._act_error = self._act_error or error

    # --- one set ---

    def _fetch_set(self, items: Sequence[Item], *, alone: bool, pool: ThreadPoolExecutor) -> tuple[Item, ...]:
        """Fetch and store one set; returns what a broken connection, or a changed mailbox, left of it."""
        started = self.polling.monotonic()
        budget = BASE_BUDGET + sum(item.size or 0 for item in items) / SLOWEST
        if alone:  # G22: what failed before gets a connection of its own and more time with every try
            budget *= 2 ** self._ledger.position.problems.get(items[0].id, 0)
            self._session.drop()
        uploads = Uploads(
            pool,
            self.polling.raw,
            mailbox=self.mailbox.identity,
            position=self._ledger.position,
            series=positions.series(self._ledger.position, self.mailbox),
            dead_lease=self._dead_lease,
            clock=self.polling.clock,
            stored=self._ledger.enter_stored,
        )
        try:
            session = self._session.open(budget)
            with in_session("fetch"):
                try:
                    self._read_set(session, items, uploads)
                finally:
                    uploads.settle()
        except StoreFailed as error:
            self._error = error.cause
            self._session.drop()
        except _Blamed:
            self._session.drop()
            return self._ledger.unanswered(items)
        except PostroomError as error:
            self._session.drop()
            rest = self._ledger.unanswered(items)
            if not rest or not self._is_the_messages_fault(error, started + budget):
                self._error = error
                return rest
            # Answers come in order, or nearly: the connection broke at the first one missing, or soon after.
            self._fail(rest[0], error.what)
            return rest[1:]
        return self._ledger.unanswered(items) if self._stopped or self._error else ()

    def _is_the_messages_fault(self, error: PostroomError, enough: float) -> bool:
        """Tell whether a message, and not the server or our own end, is to blame: it broke a connection that worked.

        `enough`: until when it was given time; a message that the function's end cut short is not to blame.
        """
        if isinstance(error, DeadlineExceeded):
            return error.step == "fetch" and enough <= self._session.until
        return error.step == "fetch" and isinstance(error, ServerMisbehaved)

    def _read_set(self, session: Session, items: Sequence[Item], uploads: Uploads) -> None:
        large = [item for item in items if positions.is_oversize(item, self.mailbox)]
        whole = [item for item in items if item not in large]
        for item in large:
            if not self.mailbox.enable_big_msg_stripping:
                self._ledger.enter_stored(item, True)
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
            if why := arrival.doubt(headers, item, size=None):
                self._fail(item, why, doubtful=True)
                continue
            uploads.headers(item, headers)
        if not whole:
            return
        for result in session.fetch(whole):
            self._take(result, whole, uploads)
            if not self._still_wanted():
                self._session.drop()  # answers are still on their way; nobody will read them
                return

    def _take(self, result: Fetched | FetchFailed, asked: Sequence[Item], uploads: Uploads) -> None:
        if isinstance(result, Fetched):
            if result.item not in asked:  # a connector that confuses ids must not move the ledger
                result.path.unlink(missing_ok=True)
            elif why := arrival.doubt(_begin(result.path), result.item, size=result.size):
                result.path.unlink(missing_ok=True)
                self._fail(result.item, why, doubtful=True)
            else:
                self._ledger.enter_print(result.item, result.print)
                uploads.message(result)
        elif result.gone:
            self._note_gone(result.item)
        elif result.item in asked:
            self._fail(result.item, result.reason, doubtful=result.doubtful)

    def _note_gone(self, item: Item) -> None:
        if not self._ledger.enter_gone(item):
            self._fail(item, "the server lists it, and says that it is not there", doubtful=True)

    def _fail(self, item: Item, reason: str, *, doubtful: bool = False) -> None:
        tries = self._ledger.enter_failed(item, reason, doubtful=doubtful)
        logger.warning(
            "message_not_fetched",
            extra={"mailbox": self.mailbox.name, "server_id": item.id, "tries": tries, "reason": reason},
        )

    def _absolve(self) -> None:
        """Blame the server, not its messages, when it gave out none of several; for a day, so that it comes to an end.

        Else a minute's trouble of its storage would put everything that is new on the problem list, or delete it.
        """
        ledger, known = self._ledger, self._state.health
        since = known.since if known.code == NOTHING_FETCHED and known.since else self._started
        if self._error is not None or self._started - since > OUTAGE or not ledger.came_to_nothing():
            return
        why = f"None of {len(ledger.failed)} messages could be fetched: {next(iter(ledger.failed.values()))}"
        self._error = ServerMisbehaved(why, on=self.mailbox.name, step="fetch", code=NOTHING_FETCHED)
        ledger.take_back()

    # --- whether to go on ---

    def _may_go_on(self) -> bool:
        if self._error is not None or self.polling.monotonic() + LEAST > self._session.until:
            return False
        return not self._session.is_worn_out and self._still_wanted()

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

    # --- the server is told ---

    def _act(self, ids: Sequence[str], action: Action | None) -> None:
        """Tell the server of what is stored; a later poll repeats what fails, since the ids stay unfinished there."""
        if not ids or action is None or self._error is not None or self._act_error is not None:
            return
        error = self._session.tell(ids, action)
        if strangers := sorted(self._session.strangers):  # they have no record that fits: the next look finds them
            logger.warning("message_replaced", extra={"mailbox": self.mailbox.name, "server_ids": strangers[:50]})
        if error is not None and not self._session.is_cut_short(error):
            self._act_error = error

    # --- what is remembered ---

    def _remember(self, lease: Lease, *, release: bool) -> None:
        position = self._ledger.reached(self._state.position)
        self._write_down(position)
        self._state = replace(
            self._state,
            position=position,
            health=self._health(written_anyway=True),
            config_digest=health.settings_digest(self.mailbox),
        )
        self._session.noted = position
        self.polling.states.save(lease, self._state, release=release)

    def _write_down(self, position: Position) -> None:
        """Note what is stored of mail that stays, before the cursor passes it: a fact, whoever holds the lease."""
        if self.mailbox.type is Type.IMAP and self.mailbox.stays:
            self._unwritten |= self._ledger.stored - self._written
        if self._unwritten:
            series = positions.series(position, self.mailbox)
            self.polling.states.add_stored(self.mailbox.identity, series, self._unwritten)
            self._written |= self._unwritten
            self._unwritten = set()

    def _health(self, *, written_anyway: bool = False) -> Health:
        now, known = self.polling.clock(), self._state.health
        if self._error is not None:
            return health.failed(known, self._error, now=now)
        if self._act_error is not None:
            return health.untold(known, self._act_error, now=now)
        if known.step == health.TELLING:  # whether the server can be told of what is stored is seen afterwards
            if written_anyway:
                return replace(known, last_success=now)
            if set_aside.pending(self._ledger.position, self.mailbox):
                return known
        return (health.fetched if written_anyway else health.succeeded)(known, now=now)

    def _note_health(self) -> None:
        """Write the health alone, when it has changed."""
        new = self._health()
        if new != self._state.health:
            digest = health.settings_digest(self.mailbox)
            self.polling.states.save_health(self.mailbox.identity, new, config_digest=digest)

    def _outcome(self, result: Result) -> Outcome:
        ledger = self._ledger
        error = self._error or self._act_error
        oldest = ledger.plan.oldest
        left = ledger.plan.more or bool(ledger.left) or ledger.listing.partial
        return Outcome(
            mailbox=self.mailbox.name,
            result=Result.FAILED if error is not None else result,
            balance=ledger.balance(),
            more=left and self._error is None and not self._stopped and not self._session.is_worn_out,
            step=error.step if error else "",
            code=error.code if error else "",
            lag=max(0.0, (self._started - oldest).total_seconds()) if oldest else 0.0,
            size=ledger.size,
            resynced=ledger.listing.resynced,
        )


def _begin(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(arrival.READ)


class _Blamed(Exception):
    """A message has been blamed for what happened; the connection is not to be trusted any more."""
