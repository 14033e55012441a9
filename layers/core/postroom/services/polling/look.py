"""Look at all mailboxes of a poll request at the same time, and fetch where something is new.

A mailbox with nothing new costs no write of its own: one read of the configuration pointer, one of the states of all,
the mail servers, and one write unit for the whole request, which says when its mailboxes were polled. Each mailbox, and
each group that is looked at in one request, has a thread and a deadline of its own, so one that hangs costs the others
nothing.
"""

from __future__ import annotations

import _thread
import contextlib
import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from postroom.errors import DeadlineExceeded, LeaseLost, PostroomError, Transient
from postroom.model import MOST_LINKS, Health, MailboxState, PollRequest, Position, poll_request, read_poll_request
from postroom.model.configuration import Mailbox
from postroom.ports import Extendable, Session
from postroom.rules.polling import position as positions
from postroom.rules.polling import set_aside
from postroom.services.mailboxes import health, open_mailbox
from postroom.services.polling.fetch import SAVING, fetch
from postroom.services.polling.grouped_look import Group, groups
from postroom.services.polling.outcome import Outcome, Polling, Result

logger = logging.getLogger(__name__)

_Outcome = TypeVar("_Outcome")

LOOK_BUDGET = 25.0  # seconds: POP3 servers take up to 12 to say that a mailbox is in use
FETCHING = 8  # mailboxes fetched from at the same time: bounds what lies in /tmp
UNEXPECTED = "unexpected"  # the code of what no code expects
GOING_ON = 60.0  # seconds that must be left for a backlog to go on in this invocation
QUEUED = timedelta(seconds=30)  # that a look may wait in its queue, however short its mailbox's cycle is
HANGING = frozenset({"deadline_exceeded", "connect_timed_out", "dns_timed_out"})
"""Codes of health that cost a look all its time."""
LOOKS_KEPT = timedelta(days=3)
"""How long it is known when mailboxes were polled; of those with longer cycles, four cycles."""
LAST_MOMENT = 1.0  # seconds before the function's end by which threads that still hang are left behind


@dataclass(frozen=True, slots=True)
class Summary:
    """What a poll request came to."""

    mailboxes: int
    results: Mapping[Result, int]
    stored: int
    oversize: int
    problem: int
    left: int
    size: int  # bytes stored
    lag: float  # seconds, the worst of all mailboxes with news
    imbalances: int
    resynced: int
    failures: Mapping[str, str]  # mailbox → error code
    seconds: float

    def facts(self) -> dict[str, Any]:
        """Return it as what a log line says."""
        return {
            "mailboxes": self.mailboxes,
            **{result.value: count for result, count in self.results.items()},
            "stored": self.stored,
            "oversize": self.oversize,
            "problem": self.problem,
            "left": self.left,
            "bytes": self.size,
            "lag": round(self.lag, 1),
            "imbalances": self.imbalances,
            "resynced": self.resynced,
            "failures": dict(self.failures),
            "seconds": round(self.seconds, 3),
        }


def poll(message: Mapping[str, Any], *, polling: Polling, deadline: float) -> Summary:
    """Serve one poll request; `deadline` is when the function ends (`time.monotonic()`).

    Raises what the table or the queue raise, so that the request is served again; a fault of one mailbox ends in that
    mailbox's health. What no code expects is raised as it is, after all other mailboxes are through.
    """
    started = polling.monotonic()
    began = polling.clock()
    request = read_poll_request(message)
    configuration = polling.configurations.current()
    wanted = frozenset(request.mailboxes)
    mailboxes = [
        configuration.effective(mailbox)
        for mailbox in configuration.mailboxes
        if mailbox.name in wanted and mailbox.enabled and not _is_stale(mailbox, request, now=polling.clock())
    ]
    states = polling.states.load([m.identity for m in mailboxes], consistent=request.backlog) if mailboxes else {}
    if hanging := _hanging(mailboxes, states, request, now=polling.clock()):
        polling.queue.send(poll_request([mailbox.name for mailbox in hanging], planned=request.planned, apart=True))
        mailboxes = [mailbox for mailbox in mailboxes if mailbox not in hanging]
    gate = threading.BoundedSemaphore(FETCHING)

    def serve(some: Sequence[Mailbox], states: Mapping[str, MailboxState], *, backlog: bool) -> list[Outcome]:
        jobs = [
            _Job(mailbox, positions.in_place(states[mailbox.identity], mailbox), polling, deadline, gate, backlog)
            for mailbox in some
        ]
        outcomes, errors = _side_by_side(jobs, seconds=deadline - LAST_MOMENT - polling.monotonic())
        unexpected.extend(errors)
        for error in errors:
            if not isinstance(error, Exception):
                raise error
        return outcomes

    unexpected: list[BaseException] = []
    rounds = serve(mailboxes, states, backlog=request.backlog)
    last = {outcome.mailbox: outcome for outcome in rounds}
    # A backlog goes on here while there is time: each invocation more is a link of a chain that Lambda may cut.
    while more := [one.mailbox for one in last.values() if one.more and one.result is Result.FETCHED]:
        if unexpected or polling.monotonic() + GOING_ON > deadline:
            break
        rest = [mailbox for mailbox in mailboxes if mailbox.name in more]
        newest = serve(rest, polling.states.load([m.identity for m in rest], consistent=True), backlog=True)
        last |= {outcome.mailbox: outcome for outcome in newest}
        rounds += newest
    if (more := [one.mailbox for one in last.values() if one.more]) and request.link < MOST_LINKS:
        polling.queue.send(poll_request(more, backlog=True, link=request.link + 1))
    summary = _summary(rounds, last, seconds=polling.monotonic() - started)
    logger.info("polled", extra=summary.facts())
    if not request.backlog:  # that one follows a look, which is noted
        _note_looks(mailboxes, last, polling=polling, at=began)
    for error in unexpected:
        raise error
    return summary


def _note_looks(
    mailboxes: Sequence[Mailbox], outcomes: Mapping[str, Outcome], *, polling: Polling, at: datetime
) -> None:
    """Write down when these mailboxes were polled: a poller that is dead must not look like mailboxes without mail."""
    polled = [one for one in mailboxes if one.name in outcomes and outcomes[one.name].polled]
    if polling.looks is None or not polled:
        return
    kept = max(LOOKS_KEPT, 4 * max(one.cycle_time for one in polled))
    try:
        polling.looks.note([one.name for one in polled], at=at, kept=kept)
    except PostroomError as error:  # the looks are made; who reads when is told late, and not that none was
        logger.warning("looks_not_noted", extra={"mailboxes": len(polled), "code": error.code})


def _is_stale(mailbox: Mailbox, request: PollRequest, *, now: datetime) -> bool:
    """Tell whether a look is so late that the next one of this mailbox is due: it would only take that one's place.

    What a queue takes at any time is no lateness: looks every few seconds would all be dropped, and the mailbox starve.
    """
    late = max(mailbox.cycle_time, QUEUED)
    return request.planned is not None and not request.backlog and now - request.planned >= late


def _hanging(
    mailboxes: Sequence[Mailbox], states: Mapping[str, MailboxState], request: PollRequest, *, now: datetime
) -> list[Mailbox]:
    """List the mailboxes that hung at their last look and are to be tried now, where others would wait for them.

    A message lasts as long as its slowest mailbox: these go into a message of their own.
    """
    if request.apart or request.backlog:
        return []
    hanging = [
        mailbox
        for mailbox in mailboxes
        if states[mailbox.identity].health.code in HANGING
        and health.may_be_tried(states[mailbox.identity].health, now=now, same_settings=True)
    ]
    return hanging if len(hanging) < len(mailboxes) else []


@dataclass(frozen=True, slots=True)
class _Job:
    """One mailbox of a poll request."""

    mailbox: Mailbox
    state: MailboxState
    polling: Polling
    deadline: float
    gate: threading.BoundedSemaphore
    backlog: bool

    @property
    def asked(self) -> tuple[Mailbox, Position] | None:
        """Return what a look together with others takes; None where this mailbox is opened, or not to be tried now."""
        position = self.state.position
        if self.backlog or position is None or not self._is_settled() or self._waits():
            return None
        return self.mailbox, position

    def run(self) -> Outcome:
        """Look, and fetch where something is new; a fault of the mailbox is noted in its health."""
        known = self.state.health
        if self._waits():
            return Outcome(self.mailbox.name, Result.WAITING, code=known.code, step=known.step)
        if self.state.trouble is not None:
            return self.refused(self.state.trouble)
        try:
            return self._look()
        except LeaseLost as error:
            return Outcome(self.mailbox.name, Result.BUSY, code=error.code)
        except PostroomError as error:
            return self.refused(error)
        except Exception as error:
            self._unexpected(error)
            raise

    def idle(self) -> Outcome:
        """Note that the mailbox was looked at, and nothing is new; what its server refuses is shown until then."""
        if self.state.health.step == health.TELLING and set_aside.pending(self.state.position, self.mailbox):
            return Outcome(self.mailbox.name, Result.IDLE)
        self._note(health.succeeded(self.state.health, now=self.polling.clock()))
        return Outcome(self.mailbox.name, Result.IDLE)

    def refused(self, error: PostroomError) -> Outcome:
        """Note a fault of the mailbox."""
        # Without a step it is our own table that does not answer: no use in writing health to it.
        if error.step:
            self._note(health.failed(self.state.health, error, now=self.polling.clock()))
        return Outcome(self.mailbox.name, Result.FAILED, code=error.code, step=error.step)

    def _unexpected(self, error: Exception) -> None:
        """Show a fault of our own at the mailbox, once; it is tried again at every cycle, and ends in the log."""
        if self.state.health.code == UNEXPECTED:
            return
        kind = type(error).__name__  # its text may hold anything
        told = Transient(f"Postroom itself failed ({kind})", step="look", code=UNEXPECTED, remedy=PostroomError.remedy)
        new = health.failed(self.state.health, told, now=self.polling.clock())
        with contextlib.suppress(PostroomError):  # the first one is told
            self._note(replace(new, next_try=None))

    def _is_settled(self) -> bool:
        """Tell whether a look is enough.

        A mailbox never looked at is always dealt with: the moment of the first look must be known (X13). So is one in
        which mail waited at the last poll: it is fetched now, or known not to wait any more. And so is one whose server
        is to be asked again for what it refused.
        """
        position = self.state.position
        now = self.polling.clock()
        if position is not None and position.moved:
            return False
        if set_aside.due(position, self.mailbox, now=now) or positions.comparison_due(position, self.mailbox, now=now):
            return False
        return positions.is_settled(position) and self.state.waiting is None

    def _waits(self) -> bool:
        # Changed settings are tried at once; that they have changed is asked of those only that would wait.
        if health.may_be_tried(self.state.health, now=self.polling.clock(), same_settings=True):
            return False
        return health.settings_digest(self.mailbox) == self.state.config_digest

    def _look(self) -> Outcome:
        session: Session | None = None
        with contextlib.ExitStack() as stack:
            known = self.state.position
            session = self._open(
                self.polling.monotonic() + LOOK_BUDGET, ask=None if known is not None and known.moved else known
            )
            stack.callback(session.close)
            if self._is_settled() and not session.look(self.state.position):
                return self.idle()
            if isinstance(session, Extendable):
                session.extend(self.deadline - SAVING)
                stack.pop_all()  # `fetch` closes it
            else:
                session = None
        # What waits here holds an open mailbox; its turn comes, or its deadline.
        if not self.gate.acquire(timeout=max(0.0, self.deadline - 2 * SAVING - self.polling.monotonic())):
            if session is not None:
                session.close()
            return Outcome(self.mailbox.name, Result.WAITING, more=True)
        try:
            session = session or self._open(self.deadline - SAVING)
            return fetch(
                self.mailbox, self.state, session, polling=self.polling, deadline=self.deadline, backlog=self.backlog
            )
        finally:
            self.gate.release()

    def _open(self, until: float, *, ask: Position | None = None) -> Session:
        return open_mailbox(
            self.mailbox,
            connectors=self.polling.connectors,
            secrets=self.polling.secrets,
            tokens=self.polling.tokens,
            deadline=min(self.deadline - SAVING, until),
            ask=ask,
        )

    def _note(self, new: Health) -> None:
        """Write the health when it has changed."""
        if new == self.state.health:
            return
        logger.warning(
            "health_changed",
            extra={"mailbox": self.mailbox.name, "state": new.state.value, "step": new.step, "code": new.code},
        )
        with contextlib.suppress(Transient):  # the next look finds the same
            digest = health.settings_digest(self.mailbox)
            self.polling.states.save_health(self.mailbox.identity, new, config_digest=digest)


def _side_by_side(jobs: Sequence[_Job], *, seconds: float) -> tuple[list[Outcome], list[BaseException]]:
    """Run each job in a thread of its own; what hangs past all deadlines is left behind, with an outcome that says so.

    Jobs that can be looked at together share a thread for that, and those with news go on in one of their own.
    Bare threads, not a pool: a pool waits for its threads at the end, and that is what a hanging one must not cause.
    """
    runs = {job.mailbox.name: _Run(job) for job in jobs}
    groups = _groups(jobs)
    grouped = {mailbox.name for group in groups for mailbox, _position in group.asked}
    looking: list[Future[None]] = []
    for group in groups:
        together = [runs[mailbox.name] for mailbox, _position in group.asked]
        looking.append(_in_thread(partial(_look_together, group, together)))
    for run in runs.values():
        if run.job.mailbox.name not in grouped:
            run.start()
    futures = [run.outcome for run in runs.values()]
    everything: list[Future[Any]] = [*futures, *looking]
    wait(everything, timeout=max(0.0, seconds))
    outcomes: list[Outcome] = []
    unexpected = [error for one in looking if one.done() and (error := one.exception()) is not None]
    for job, future in zip(jobs, futures, strict=True):
        if not future.done():
            logger.error("left_behind", extra={"mailbox": job.mailbox.name})
            outcomes.append(Outcome(job.mailbox.name, Result.FAILED, code=DeadlineExceeded.code))
        elif (error := future.exception()) is not None:
            unexpected.append(error)
        else:
            outcomes.append(future.result())
    return outcomes, unexpected


@dataclass(frozen=True, slots=True)
class _Run:
    """A job on its way; `outcome` is there when it has come to one, in whatever thread."""

    job: _Job
    outcome: Future[Outcome] = field(default_factory=Future)

    def start(self) -> None:
        """Go on in a thread of its own."""
        _in_thread(self.job.run, self.outcome)


def _groups(jobs: Sequence[_Job]) -> list[Group]:
    asked = [asked for job in jobs if (asked := job.asked) is not None]
    return groups(asked, connectors=jobs[0].polling.connectors, tokens=jobs[0].polling.tokens) if asked else []


def _look_together(group: Group, runs: Sequence[_Run]) -> None:
    """Look at a group; who has nothing new is through, and all others, whatever happens here, are opened."""
    rest = {run.job.mailbox.name: run for run in runs}
    job = runs[0].job
    deadline = min(job.deadline - SAVING, job.polling.monotonic() + LOOK_BUDGET)
    try:
        if job.polling.tokens is not None:
            for mailbox, found in group.look(job.polling.tokens, deadline=deadline):
                run = rest.pop(mailbox.name)
                if found is True:
                    run.start()
                else:
                    _serve(run.job.idle if found is False else partial(run.job.refused, found), run.outcome)
    finally:
        for run in rest.values():
            run.start()


def _in_thread(run: Callable[[], _Outcome], future: Future[_Outcome] | None = None) -> Future[_Outcome]:
    future = future or Future()
    # Not Thread.start(): it waits until the thread runs, and of a hundred mailboxes the last would begin later for it.
    _thread.start_new_thread(_serve, (run, future))
    return future


def _serve(run: Callable[[], _Outcome], future: Future[_Outcome]) -> None:
    try:
        future.set_result(run())
    except BaseException as error:  # noqa: BLE001 - the edge of a thread: handed over to the one that waits
        future.set_exception(error)


def _summary(outcomes: Sequence[Outcome], last: Mapping[str, Outcome], *, seconds: float) -> Summary:
    balances = [outcome.balance for outcome in outcomes if outcome.balance is not None]
    return Summary(
        mailboxes=len(last),
        results=dict(Counter(outcome.result for outcome in last.values())),
        stored=sum(balance.stored for balance in balances),
        oversize=sum(balance.oversize for balance in balances),
        problem=sum(balance.problem for balance in balances),
        left=sum(balance.left for balance in balances),
        size=sum(outcome.size for outcome in outcomes),
        lag=max((outcome.lag for outcome in outcomes), default=0.0),
        imbalances=sum(not balance.even for balance in balances),
        resynced=sum(outcome.resynced for outcome in outcomes),
        failures={outcome.mailbox: outcome.code for outcome in last.values() if outcome.result is Result.FAILED},
        seconds=seconds,
    )
