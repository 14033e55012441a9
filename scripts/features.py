"""Say which features of the catalogue have no passing test: a line for each, then `covered N of M`.

Ends with 1 where CHANGELOG.md calls a feature done that no passing test covers.

The ids come from docs/features.txt. Outcomes are those of the last run of each test (.postroom/features.json, written
by tests/support/recorded_results.py); where there was none, the marked tests are run now, slow ones left out.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from tests.support.recorded_results import RESULTS, load

ROOT = Path(__file__).parents[1]
CATALOGUE = ROOT / "docs" / "features.txt"
FAULT_ROWS = 129
CHANGELOG = ROOT / "CHANGELOG.md"
PATIENCE = 35  # seconds
TESTS = ("tests/unit", "tests/functional", "tests/architecture")


def catalogue() -> dict[str, str]:
    """Read the feature ids and their titles, in their order."""
    rows = re.findall(r"^([A-Z]\d\d)  (.+)$", CATALOGUE.read_text("utf-8"), re.MULTILINE)
    return dict(rows)


def covered(results: dict[str, dict[str, Any]], kind: str) -> set[str]:
    """Name the ids of which every test that ran passed, and at least one did."""
    outcomes: defaultdict[str, set[str]] = defaultdict(set)
    for result in results.values():
        for one in result.get(kind, []):
            outcomes[one].add(result["outcome"])
    return {one for one, seen in outcomes.items() if "passed" in seen and "failed" not in seen}


def called_done(changelog: str) -> set[str]:
    """Name the ids that the change log claims, in its lines `Features proven: G02, G03, …`."""
    lines = re.findall(r"^- Features proven:(.+(?:\n  .+)*)", changelog, re.MULTILINE)
    return {one for line in lines for one in re.findall(r"\b[A-Z]\d\d\b", line)}


def stale(results_time: float) -> bool:
    """Tell whether a test or a source has changed since the results were written."""
    sources = (
        path for folder in ("tests", "layers/core", "functions", "cli") for path in (ROOT / folder).rglob("*.py")
    )
    return any(path.stat().st_mtime > results_time for path in sources)


def main() -> int:
    """Print what is not covered; answer 1 when the change log calls something done that no passing test covers."""
    if not load():
        _run_marked_tests()
    results, wanted = load(), catalogue()
    done = covered(results, "feature")
    for one, title in wanted.items():
        if one not in done:
            print(f"{one}  {title}")
    if RESULTS.exists() and stale(RESULTS.stat().st_mtime):
        print("Sources or tests have changed since these results: run `make test`.", file=sys.stderr)
    print(f"fault rows proven: {len(covered(results, 'fault'))} of {FAULT_ROWS}", file=sys.stderr)
    print(f"covered {len(done & wanted.keys())} of {len(wanted)}")
    unproven = sorted(called_done(CHANGELOG.read_text("utf-8")) - done)
    if unproven:
        print(f"CHANGELOG.md calls done what no passing test covers: {', '.join(unproven)}", file=sys.stderr)
    return 1 if unproven else 0


def _run_marked_tests() -> None:
    print("No results of tests yet: running the marked ones.", file=sys.stderr)
    command = [sys.executable, "-m", "pytest", "-q", "-n", "auto", "-m", "feature and not slow", *TESTS]
    try:
        subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        print(f"They take more than {PATIENCE} seconds: run `make test` first.", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
