"""What the command's exit status says, and how an error is told."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from postroom.errors import Conflict, Invalid, LoginRefused, NotFound, NotOpened, PostroomError


class ExitCode(IntEnum):
    """The same for every command."""

    OK = 0
    ERROR = 1
    USAGE = 2  # also a file or value that is refused
    NOT_FOUND = 3
    AUTHENTICATION = 4  # AWS or a mail server refuses who we are
    TEST_FAILED = 5
    PARTIAL = 6  # some of it was done
    CONFLICT = 7


_BY_TYPE: tuple[tuple[type[PostroomError], ExitCode], ...] = (
    (Invalid, ExitCode.USAGE),
    (NotFound, ExitCode.NOT_FOUND),
    (LoginRefused, ExitCode.AUTHENTICATION),
    (Conflict, ExitCode.CONFLICT),
    (NotOpened, ExitCode.TEST_FAILED),
)
_BY_CODE = {
    "aws_denied": ExitCode.AUTHENTICATION,
    "no_credentials": ExitCode.AUTHENTICATION,
    "test_failed": ExitCode.TEST_FAILED,
    "unconfirmed": ExitCode.USAGE,
}


def exit_code(error: PostroomError) -> ExitCode:
    """Choose the exit status for an error."""
    for kind, code in _BY_TYPE:
        if isinstance(error, kind):
            return code
    return _BY_CODE.get(error.code, ExitCode.ERROR)


def describe(error: PostroomError) -> dict[str, Any]:
    """Describe an error as JSON: what failed, on what, what to do; every problem of refused input."""
    described: dict[str, Any] = {"code": error.code, "message": error.what, "remedy": error.remedy}
    if error.on:
        described["on"] = error.on
    if error.step:
        described["step"] = error.step
    if isinstance(error, Invalid):
        described["message"] = f"{len(error.problems)} problem{'s' * (len(error.problems) != 1)} found"
        described["problems"] = [describe_problem(problem) for problem in error.problems]
    return {"error": described}


def describe_usage(error: Any) -> dict[str, Any]:
    """Describe a command line that is refused as JSON, as other errors are."""
    command = error.ctx.command_path if getattr(error, "ctx", None) else "postroom"
    return {"error": {"code": "usage", "message": error.format_message(), "remedy": f"See `{command} --help`."}}


def describe_problem(problem: Any) -> dict[str, Any]:
    """Describe one problem as JSON; `line` where it is in a file."""
    described = {"path": problem.path, "problem": problem.problem, "remedy": problem.remedy}
    line = getattr(problem, "line", None)
    return {**described, "line": line} if line else described
