"""The ledger of one poll, pure: what has become of each message so far, and the position that comes of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from postroom.model import Action, Balance, Item, LeftAlone, Listing, Position, Problem, Record, Trying, is_left_alone
from postroom.model.configuration import Mailbox, Type
from postroom.rules.polling import position as positions
from postroom.rules.polling import set_aside
from postroom.rules.polling.tries import failed as failed_again

NO_SIZE = "the server does not say how large it is"
NOT_THERE = "the server listed it, and then said that it was not there"
NEWEST_RECORDS = 8  # kept for as long as they are the newest: their dates show when a folder was restored


@dataclass(slots=True)
class Ledger:
    """What is entered in the course of a poll; `position` is the one it began from, with its asides kept up to date."""

    mailbox: Mailbox
    listing: Listing
    plan: positions.Plan
    position: Position
    started: datetime
    stored: set[str] = field(default_factory=set)
    oversize: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)  # id → reason
    gone: set[str] = field(default_factory=set)
    left: set[str] = field(default_factory=set)  # planned, not begun
    size: int = 0  # bytes stored
    _problems: dict[str, Problem] = field(init=False)  # changes of the problem list
    _prints: dict[str, str] = field(default_factory=dict)
    _records: dict[str, Record] = field(default_factory=dict)
    _trying: dict[str, Trying] = field(default_factory=dict)
    _unsaid: dict[str, str] = field(default_factory=dict)  # id → why it did not come, where no try failed
    _given_up: list[str] = field(default_factory=list)
    _entered: set[str] = field(default_factory=set)  # what stands in the position's asides since this poll

    def __post_init__(self) -> None:
        self._problems = dict(self.plan.aside)
        for one, problem in self.plan.aside.items():
            if not is_left_alone(problem):
                self._count(one)
                self._unsaid[one] = NO_SIZE

    # --- what became of a message ---

    def enter_stored(self, item: Item, headers_only: bool) -> None:
        """Enter what is in the raw bucket, or, of an over-size message, all of it that is wanted."""
        self._enter_record(item)
        if not headers_only:
            self.stored.add(item.id)
            self.size += item.size or 0
            return
        self.oversize.add(item.id)
        self._problems[item.id] = LeftAlone.OVERSIZE

    def enter_print(self, item: Item, mark: str) -> None:
        """Note how a message is known again, where its id may come to stand for another."""
        if mark:
            self._prints[item.id] = mark

    def enter_gone(self, item: Item) -> bool:
        """Take a message that the server does not find for gone; False for one that it lists all the same each time."""
        if self.mailbox.type is not Type.IMAP and is_left_alone(self._tries(item) + 1):
            return False
        self._count(item.id)
        self._unsaid[item.id] = NOT_THERE
        self.gone.add(item.id)
        return True

    def enter_failed(self, item: Item, reason: str, *, doubtful: bool = False) -> Problem:
        """Count a failed try; the third within no less than an hour puts a message on the problem list.

        `doubtful`: what came did not show that it is the mail. Then nothing is known against the mail itself: it is
        never deleted on its server, whatever is done there with mail that cannot be fetched.
        """
        problem = self._count(item.id)
        if doubtful and is_left_alone(problem):
            problem = LeftAlone.DOUBTFUL
        self._problems[item.id] = problem
        self.failed[item.id] = reason
        if is_left_alone(problem):
            self._given_up.append(item.id)
            self._enter_record(item)
        return problem

    def _enter_record(self, item: Item) -> None:
        """Note as what the server is to show a message before anything is done to it there (ADR 0018)."""
        if self.mailbox.type is Type.IMAP:
            self._records[item.id] = Record.of(item.size, item.date)

    def enter_strangers(self, ids: Collection[str]) -> None:
        """Forget what is remembered under ids that stand for other mails now: these are fetched like any new one."""
        known = self.position
        self.position = replace(
            known,
            problems={one: tries for one, tries in known.problems.items() if one not in ids},
            asides={one: aside for one, aside in known.asides.items() if one not in ids},
            records={one: record for one, record in known.records.items() if one not in ids},
        )
        for one in ids:
            self._problems.pop(one, None)
            self._records.pop(one, None)

    def _count(self, one: str) -> Problem:
        """Return how many tries have failed with this one, and note its time."""
        known = self.position
        problem, self._trying[one] = failed_again(known.problems.get(one, 0), known.trying.get(one), now=self.started)
        return problem

    def _tries(self, item: Item) -> Problem:
        return self.position.problems.get(item.id, 0)

    # --- what the ledger says ---

    def balance(self) -> Balance:
        """Draw the balance (X01): what vanished while we were fetching was not there."""
        listing = self.listing
        return Balance(
            listed=len(listing.news) + len(listing.unfinished) + listing.known - len(self.gone),
            stored=len(self.stored),
            known=self.plan.known,
            oversize=len(self.oversize),
            problem=len(self.failed) + self.plan.bad_size,
            left=self.plan.left + len(self.left),
        )

    def came_to_nothing(self) -> bool:
        """Tell whether several messages that were asked for the first time failed, and nothing came at all."""
        new = [one for one in self.failed if one not in self.position.problems]
        return len(new) > 1 and not self.stored and not self.oversize

    def take_back(self) -> None:
        """Take what failed for what is left."""
        for one in self.failed:
            self._problems.pop(one, None)
            self._trying.pop(one, None)
            self._records.pop(one, None)  # neither stored nor set aside
        self.left.update(self.failed)
        self.failed.clear()
        self._given_up.clear()

    def unanswered(self, items: Sequence[Item]) -> tuple[Item, ...]:
        """Name those of which it is not clear what became of them."""
        return tuple(item for item in items if item.id not in self.failed and not self._is_settled(item))

    def waiting_since(self, before: datetime | None) -> datetime | None:
        """Say since when the oldest mail waits that was listed and not dealt with; None when none does.

        A server that gives no dates (POP3) leaves only the poll that met it first: `before`, if mail has waited since.
        """
        aside = {one for one, problem in self._all_problems().items() if is_left_alone(problem)}
        if self.mailbox.type is not Type.IMAP:
            aside |= self.position.known
        rest = [item for item in self.listing.news if item.id not in aside and not self._is_settled(item)]
        dates = [item.date for item in rest if item.date is not None]
        if len(dates) < len(rest):
            dates.append(before or self.started)
        return min(dates, default=None)

    def _is_settled(self, item: Item) -> bool:
        """Tell whether a message is dealt with for good, as far as this poll goes."""
        return any(item.id in those for those in (self.stored, self.oversize, self.gone))

    def _all_problems(self) -> dict[str, Problem]:
        return {**self.position.problems, **self._problems}

    # --- what is asked of the server about mail that was set aside ---

    def enter_asides(self) -> None:
        """Note what was set aside since the last time, so that the server is asked for it whoever comes to it."""
        new = [one for one in (*sorted(self.oversize), *self._given_up) if one not in self._entered]
        self._entered.update(new)
        doubtful = {one for one in self._given_up if self._problems.get(one) is LeftAlone.DOUBTFUL}
        entered = set_aside.entered(
            self.position.asides,
            oversize=[one for one in new if one in self.oversize],
            given_up=[one for one in new if one not in self.oversize and one not in doubtful],
            doubtful=[one for one in new if one in doubtful],
            stored=self.stored,
            now=self.started,
        )
        self.position = replace(self.position, asides=entered)

    def due(self) -> Mapping[Action, list[str]]:
        """List by action what the server is to be asked for now."""
        return set_aside.due(replace(self.position, problems=self._all_problems()), self.mailbox, now=self.started)

    def enter_answer(self, ids: Sequence[str], action: Action, *, refusal: str | None) -> None:
        """Note what came of a request; `refusal`: what the server said against it."""
        answered = set_aside.answered(self.position.asides, ids, action, refusal=refusal, now=self.started)
        self.position = replace(self.position, asides=answered)

    # --- the position that comes of it ---

    def reached(self, before: Position | None) -> Position:
        """Return the position as the ledger stands now; `before` is the one remembered last."""
        self.enter_asides()
        position = positions.advance(
            self.position, self.mailbox, self.listing.news, done=self.stored, gone=self.gone, failed=self._problems
        )
        prints = {one: mark for one, mark in (self.position.prints | self._prints).items() if one in position.known}
        again = position.tried_again()
        # Of another epoch, the ids may stand for other mails.
        known = before.reasons if before and before.epoch == position.epoch else {}
        return replace(
            position,
            reasons=positions.reasons(known, {**self._unsaid, **self.failed}, position.problems),
            acknowledged=position.acknowledged & frozenset(set_aside.unfetched(position)),
            trying={one: trying for one, trying in {**position.trying, **self._trying}.items() if one in again},
            prints=prints,
            records=self._kept_records(position),
            exists=self._accounted(position),
        )

    def _kept_records(self, position: Position) -> dict[str, Record]:
        """Keep the records of what waits for an act still, or is asked for anew, and the newest ones as witnesses.

        A record goes when the server has shown that the act is done: the listing did not find the mail waiting.
        """
        records = {one: record for one, record in position.records.items() if one not in self.gone} | self._records
        waiting = {one for one, aside in position.asides.items() if not aside.done}
        newest = sorted(map(int, records))[-NEWEST_RECORDS:]
        kept = {*self._records, *self.listing.unfinished, *waiting, *map(str, newest)}
        return {one: record for one, record in records.items() if one in kept}

    def _accounted(self, position: Position) -> int | None:
        """Count what is accounted for of the folder's messages: besides what was, the news that are settled now."""
        if position.exists is None:
            return None
        aside = position.left_alone()
        return position.exists + sum(
            item.id in self.stored or item.id in aside or int(item.id) <= int(position.floor or 0)
            for item in self.listing.news
        )
