"""Measure 50 workflows of 5 conditions over mails of 2 and 25 KB, beside what understanding the same mails takes.

`python -m bench.workflows [--json]`. The limit is a millisecond a mail of 2 KB; time is that of this process.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from postroom.model import Understanding
from postroom.model.configuration import Configuration, Trigger
from postroom.rules.workflows import Snapshot, plan_workflows
from postroom.services.inbound import understand
from postroom.services.policy import policy_of

from bench import MISSED

WORKFLOWS, CONDITIONS, ROUNDS = 50, 5, 200
LIMIT = 1.0  # milliseconds


def configuration() -> Configuration:
    """Return workflows that look at everything and match rarely, as most do."""
    conditions = [
        {"field": "from.domain", "not_in": ["example.com", "example.net"]},
        {"field": "subject", "empty": False},
        {"field": "attachments.count", "<": 5},
        {"field": "automatic.is", "equals": False},
    ]
    return Configuration.model_validate(
        {
            "workflows": [
                {
                    "name": f"w{number}",
                    "when": {
                        "all": [*conditions, {"field": "text_reply", "contains_any": [f"word{number}", "nothing"]}]
                    },
                    "then": [{"set_priority": number}, {"add_tags": [f"t{number}"]}],
                }
                for number in range(WORKFLOWS)
            ]
        }
    )


def a_mail(size: int) -> bytes:
    """Return a mail with so many bytes of text."""
    line = b"I ordered it two weeks ago, and word7 has not arrived yet. "
    return b"From: Ann <ann@example.org>\r\nTo: support@example.com\r\nSubject: Parcel\r\n\r\n" + line * (
        size // len(line)
    )


def milliseconds(call: Callable[[], object]) -> float:
    """Measure a call: the mean of many, in milliseconds of processor time."""
    call()
    began = time.process_time()
    for _ in range(ROUNDS):
        call()
    return round((time.process_time() - began) / ROUNDS * 1000, 3)


def main() -> int:
    """Run and print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--json", action="store_true")
    options = arguments.parse_args()
    made = configuration()
    policy = policy_of(made)
    figures: dict[str, float] = {}
    for size in (2_000, 25_000):
        raw = a_mail(size)
        mail = understand(raw, policy=policy)
        at = _snapshot(mail, made)
        kilobytes = size // 1000
        figures[f"workflows_{kilobytes}_kb_ms"] = milliseconds(partial(plan_workflows, made.workflows, at))
        figures[f"understand_{kilobytes}_kb_ms"] = milliseconds(partial(understand, raw, policy=policy))
    if options.json:
        print(json.dumps(figures))
    else:
        print(f"{WORKFLOWS} workflows of {CONDITIONS} conditions (limit: {LIMIT} ms a mail of 2 KB)")
        for name, value in figures.items():
            print(f"  {name:24} {value:8.3f}")
    return 0 if figures["workflows_2_kb_ms"] <= LIMIT else MISSED


def _snapshot(mail: Understanding, made: Configuration) -> Snapshot:
    return Snapshot(
        trigger=Trigger.RECEIVED,
        mail=mail,
        subtype="InboundNew",
        mailbox="support",
        endpoint="",
        department="default",
        queue="inbound",
        thread="t1",
        now=datetime(2026, 11, 30, 12, 0, tzinfo=UTC),
        configuration=made,
    )


if __name__ == "__main__":
    sys.exit(main())
