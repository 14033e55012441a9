"""What agents work with: the clocks of a case."""

from postroom.model.work.service_level import CaseClock, CaseClocks, ClockEvent, ClockKind, ClockMark

__all__ = ["CaseClock", "CaseClocks", "ClockEvent", "ClockKind", "ClockMark"]
