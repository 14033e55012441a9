"""What workflows do to the case of a mail, in the same write as the mail itself."""

from __future__ import annotations

from dataclasses import replace

from postroom.model.case import Case, CaseEffects, CaseState
from postroom.rules.cases.limits import MOST_FIELDS, MOST_TAGS


def affected(case: Case, effects: CaseEffects) -> Case:
    """Return the case as workflows want it; it has no entry of its own in the history.

    What is over a limit is left out: a workflow costs no mail. A case that somebody has, or that is closed, stays in
    its queue.
    """
    tags = (case.tags | effects.add_tags) - effects.remove_tags
    fields = {name: value for name, value in {**case.fields, **effects.fields}.items() if value}
    moves = effects.queue is not None and case.state is CaseState.QUEUED
    return replace(
        case,
        queue=effects.queue if moves and effects.queue else case.queue,
        priority=case.priority if effects.priority is None else effects.priority,
        category=case.category if effects.category is None else effects.category,
        tags=tags if len(tags) <= MOST_TAGS else case.tags,
        fields=fields if len(fields) <= MOST_FIELDS else case.fields,
    )


def told(effects: CaseEffects) -> str:
    """Say in a few words what workflows did to a case; empty for nothing."""
    words = [f"priority {effects.priority}"] if effects.priority is not None else []
    words += [f"category {effects.category}"] if effects.category is not None else []
    words += [f"+{tag}" for tag in sorted(effects.add_tags)] + [f"-{tag}" for tag in sorted(effects.remove_tags)]
    words += [f"{name}: {value}" for name, value in sorted(effects.fields.items())]
    words += [f"to queue {effects.queue}"] if effects.queue else []
    return f"by workflows: {', '.join(words)}" if words else ""
