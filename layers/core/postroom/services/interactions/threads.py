"""Merge and split threads with their cases (A15, A16).

A merge moves the case first, since that may be refused; what died in the middle is completed by asking again.
"""

from __future__ import annotations

from dataclasses import dataclass

from postroom.errors import Invalid, NotFound, Problem
from postroom.model.case import CaseChange, CaseState
from postroom.ports import Cases, Clock, Interactions, ThreadMembers, ThreadMoves
from postroom.rules import cases as rules
from postroom.rules.cases import triggers as on
from postroom.services.desk import MOST_TRIES, busy, change, first_case, read
from postroom.services.interactions import split_merge


@dataclass(frozen=True, slots=True)
class Threads:
    """What changes threads, and with them their cases."""

    cases: Cases
    interactions: Interactions
    members: ThreadMembers
    moves: ThreadMoves
    clock: Clock

    def merge(self, source: str, into: str, *, who: str) -> split_merge.Rethreaded:
        """Move all mails of one thread, and its case, into another; any mail names its thread."""
        from_thread, to_thread = self.moves.thread_of(source)[0], self.moves.thread_of(into)[0]
        if from_thread != to_thread:
            self._merge_cases(from_thread, to_thread, who)
        return split_merge.merge(source, into, threads=self.members, moves=self.moves, who=who, clock=self.clock)

    def split(self, interaction_id: str, *, who: str) -> split_merge.Rethreaded:
        """Make a mail, with what answers it, a thread with a case of its own, which waits from now on."""
        before = self.moves.thread_of(interaction_id)[0]
        done = split_merge.split(interaction_id, threads=self.members, moves=self.moves, who=who, clock=self.clock)
        self._split_case(before, done, who)
        return done

    def undo(self, made: str, *, who: str) -> split_merge.Rethreaded:
        """Take a merge or split back, with what it did to the cases."""
        done = split_merge.undo(made, threads=self.members, moves=self.moves, who=who, clock=self.clock)
        kind, _separator, first = made.partition(".")
        now = self.clock()
        if kind == "split":
            if self.cases.get(first) is not None and self.cases.get(done.thread_id) is not None:
                self._merge_cases(first, done.thread_id, who)
            return done
        case = self.cases.get(done.thread_id)
        if case is not None and case.state is CaseState.MERGED:
            change(case.merged_into, on.MailsLeft(who, done.moved, case.id), cases=self.cases, now=now)
            change(case.id, on.Unmerged(who), cases=self.cases, now=now)
        return done

    def _merge_cases(self, source_id: str, target_id: str, who: str) -> None:
        for _try in range(MOST_TRIES):
            now = self.clock()
            source, target = self.cases.get(source_id), self.cases.get(target_id)
            if source is None or target is None:
                return  # a thread from before there were cases: its mails move, and the job makes their case
            if source.state is CaseState.MERGED and source.merged_into == target_id:
                return  # an earlier try did it
            for case, name in ((source, "source"), (target, "into")):
                if not case.state.open:
                    raise Invalid([Problem(name, f"the case {case.number} is {case.state.value}.", "Reopen it first.")])
            merged = rules.change(source, on.MergedInto(who, target_id), now=now)
            grown = rules.change(target, on.Absorbed(who, source), now=now)
            if self.cases.write(CaseChange(source, merged), CaseChange(target, grown)):
                return
        raise busy(source_id)

    def _split_case(self, before: str, done: split_merge.Rethreaded, who: str) -> None:
        if self.cases.get(before) is None:
            return
        root = self.interactions.get(done.thread_id)
        if root is None:
            raise NotFound("there is no such inbound interaction", on=done.thread_id)
        for _try in range(MOST_TRIES):
            now = self.clock()
            source, there = read(before, self.cases), self.cases.get(done.thread_id)
            if there is not None and there.state is not CaseState.MERGED:
                return  # an earlier try did it
            mail = first_case(root)
            fresh = rules.split_off(
                source, done.thread_id, done.moved, subject=mail.subject, customer=mail.customer, who=who, now=now
            )
            left = rules.change(source, on.MailsLeft(who, done.moved, done.thread_id), now=now)
            if there is not None:  # it was merged once: it is the same thread, and goes on
                fresh = rules.change(there, on.Unmerged(who), now=now)
            if self.cases.write(CaseChange(there, fresh), CaseChange(source, left)):
                return
        raise busy(before)
