"""Hold workflows to what their file expects of them (W09)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from postroom.errors import Problem
from postroom.model.configuration import Configuration
from postroom.services.workflows.trial import plan_for


def unmet(configuration: Configuration, read: Callable[[str], bytes], *, now: datetime) -> Iterator[Problem]:
    """List what workflows do otherwise than their `expect` says; `read` returns the bytes of a mail by its path."""
    for index, workflow in enumerate(configuration.workflows):
        mailbox = next(iter(workflow.mailboxes), None)
        for number, expected in enumerate(workflow.expect):
            path = f"workflows[{index}].expect[{number}]"
            try:
                raw = read(expected.mail)
            except OSError as error:
                why = error.strerror or str(error)
                yield Problem(f"{path}.mail", f"{expected.mail} cannot be read: {why}.", "Give a path beside the file.")
                continue
            runs = plan_for(raw, configuration, mailbox=mailbox, now=now).runs
            run = next((one for one in runs if one.workflow == workflow.name), None)
            done = [action.kind.value for action in run.actions] if run else []
            if done != [kind.value for kind in expected.actions]:
                came = f"{run.result.value}{': ' + run.detail if run.detail else ''}" if run else "it does not run"
                yield Problem(
                    f"{path}.actions",
                    f"{expected.mail}: `{workflow.name}` plans {', '.join(done) or 'nothing'} ({came}), "
                    f"not {', '.join(expected.actions) or 'nothing'}.",
                    "Correct the workflow, or what is expected of it.",
                )
