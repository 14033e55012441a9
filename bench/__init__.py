"""Benchmarks, each against a peer or a limit measured in the same run."""

from __future__ import annotations

import sys
from typing import NoReturn

MISSED = 3
"""Exit status of a benchmark that works and whose figure is not good enough; a smoke run does not mind."""


def missed(what: str) -> NoReturn:
    """Say which limit was missed, and end."""
    print(what, file=sys.stderr)
    raise SystemExit(MISSED)
