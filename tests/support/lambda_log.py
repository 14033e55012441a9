"""The log as Lambda has it, for as long as a test runs: `observe.begin` changes what all of the process logs to."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from postroom import observe


@contextmanager
def log_put_back() -> Iterator[None]:
    """Let `observe.begin` do its work anew, and put handlers, levels and the hook of threads back."""
    ours, root = logging.getLogger("postroom"), logging.getLogger()
    before = (ours.handlers, ours.propagate, ours.level, list(root.handlers))
    observe.begin.cache_clear()
    try:
        with patch.object(threading, "excepthook", threading.excepthook):
            yield
    finally:
        ours.handlers, ours.propagate = before[:2]
        ours.setLevel(before[2])
        root.handlers = before[3]
        observe.begin.cache_clear()
