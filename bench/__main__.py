"""Run the benchmarks one after the other, each against its peer in one run: `python -m bench [--smoke] [NAME…]`.

`--smoke` runs them small, to see that they work; its figures mean nothing.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

from bench import MISSED

SMOKE: dict[str, list[str]] = {
    "change_configuration": ["--mailboxes", "500"],
    "fetch_memory": ["--megabytes", "2"],
    "graph": ["--mailboxes", "10", "--rtt", "20", "--megabytes", "2"],
    "imap_fetch": ["--mails", "40"],
    "pop3_fetch": ["--mails", "40"],
    "many_mailboxes": ["--mailboxes", "10", "--one-by-one", "2", "--rtt", "20"],
}
"""What makes a benchmark small; those that are not named here are small anyway, or know `--smoke` themselves."""


def names() -> list[str]:
    """List the benchmarks: the modules of this folder that can be run."""
    modules = sorted(path for path in Path(__file__).parent.glob("*.py") if path.stem != "__main__")
    return [path.stem for path in modules if '__name__ == "__main__"' in path.read_text("utf-8")]


def main() -> int:
    """Run what is asked for; answer 1 when one of them failed."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--smoke", action="store_true")
    arguments.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names())}; all when none is named")
    given = arguments.parse_args()
    if unknown := sorted(set(given.names) - set(names())):
        arguments.error(f"no benchmark is called {', '.join(unknown)}")
    failed = []
    for name in given.names or names():
        print(f"\n== {name}", flush=True)
        started = time.monotonic()
        options = SMOKE.get(name, []) if given.smoke else []
        status = subprocess.run([sys.executable, "-m", f"bench.{name}", *options]).returncode
        if status and not (given.smoke and status == MISSED):
            failed.append(name)
        print(f"-- {name}: {time.monotonic() - started:.0f} s", flush=True)
    if failed:
        print(f"Failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
