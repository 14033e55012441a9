"""The edge of a handler: what fails leaves it without its text.

The runtime prints the text of an exception that leaves a handler, past our log and unredacted: the subject of a mail in
a KeyError, an address in a server's refusal, the text of all records in powertools' BatchProcessingError. So the log
gets a line that says what and where, and the runtime an exception that says only of what sort it was.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from postroom import observe

P = ParamSpec("P")
R = TypeVar("R")

logger = logging.getLogger(__name__)


class HandlerFailed(Exception):
    """Stands for what failed; its text is the code or the type of that, and nothing else."""


def leaves_no_text(handler: Callable[P, R]) -> Callable[P, R]:
    """Let a handler fail, so that it is retried and counted, without a word of why."""

    @functools.wraps(handler)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        observe.begin()
        try:
            return handler(*args, **kwargs)
        except Exception as error:  # the edge: whatever it is, it must not leave
            code = observe.code_of(error)
            logger.error("handler_failed", exc_info=(type(error), error, error.__traceback__), extra={"code": code})
        raise HandlerFailed(code)

    return guarded
