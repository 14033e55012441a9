"""Import time of each handler, as a ratio to an empty handler that imports boto3 and powertools (aim: 2 or less).

Beside it is shown what comes later: `NAME, wired` is the import together with that of the function's wiring and the
clients of AWS, which its first event waits for; and requests and Microsoft's library, which the first token does.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

from bench import missed

ROOT = Path(__file__).parents[1]
EMPTY = "import boto3, aws_lambda_powertools; from aws_lambda_powertools.utilities.batch import BatchProcessor"
AIM = 2.0
FIRST_TOKEN = {
    "fetch_mailboxes, first token of Google": "import functions.fetch_mailboxes.app, postroom.adapters.oauth.endpoint",
    "fetch_mailboxes, first token of Microsoft": (
        "import functions.fetch_mailboxes.app, postroom.adapters.oauth.microsoft"
    ),
}
# Process CPU time, not the wall: other work on the machine does not count.
_TIMED = "import time; start = time.process_time()\n{code}\nprint(time.process_time() - start)"


def seconds(code: str) -> float:
    """CPU seconds to run some imports in a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", _TIMED.format(code=code)], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return float(done.stdout.strip().splitlines()[-1])


def run(rounds: int) -> dict[str, float]:
    """Measure in turns, so that whatever disturbs the machine disturbs all alike; return medians as ratios."""
    handlers = sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))
    apps = {name: f"import functions.{name}.app" for name in handlers}
    wired = {
        f"{name}, wired": f"{code}; from postroom import bootstrap; bootstrap.{name}" for name, code in apps.items()
    }
    codes = {"empty": EMPTY, **apps, **wired, **FIRST_TOKEN}
    times: dict[str, list[float]] = {name: [] for name in codes}
    for _ in range(rounds):
        for name, code in codes.items():
            times[name].append(seconds(code))
    empty = statistics.median(times.pop("empty"))
    return {name: statistics.median(taken) / empty for name, taken in times.items()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    ratios = run(parser.parse_args().rounds)
    print(json.dumps({name: round(ratio, 2) for name, ratio in ratios.items()}))
    slow = [name for name, ratio in ratios.items() if ratio > AIM and "," not in name]
    if slow:
        missed(f"importing {', '.join(slow)} takes more than {AIM} times an empty handler")
