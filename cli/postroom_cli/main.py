"""The `postroom` command: operate an installation, or the one that runs on this machine."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from postroom.errors import PostroomError
from typer.exceptions import TyperException

from postroom_cli.commands import register_all
from postroom_cli.errors import ExitCode, describe_usage, exit_code
from postroom_cli.output import line, note, tell_error
from postroom_cli.stack import Options

app = typer.Typer(
    name="postroom",
    help="The serverless e-mail channel for contact centres.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
register_all(app)


@app.callback()
def options(
    context: typer.Context,
    stack: Annotated[
        str | None,
        typer.Option("--stack", envvar="POSTROOM_STACK", help="Name of a deployed stack; without it, the local one."),
    ] = None,
    region: Annotated[str | None, typer.Option("--region", help="AWS region of the stack.")] = None,
    state: Annotated[
        Path, typer.Option("--state", help="Where the local stack keeps its state.", envvar="POSTROOM_STATE")
    ] = Path(".postroom"),
) -> None:
    """Remember which installation the command is about."""
    context.obj = Options(stack=stack, region=region, state=state)


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit status; expected errors are told, never raised."""
    as_json = "--json" in arguments
    try:
        # Left to itself, it tells a wrong command line in a frame, and ends the process.
        status = app(list(arguments), prog_name="postroom", standalone_mode=not as_json)
        return status if isinstance(status, int) else ExitCode.OK
    except PostroomError as error:
        tell_error(error, as_json=as_json)
        return exit_code(error)
    except TyperException as error:
        line(describe_usage(error))
        return ExitCode.USAGE
    except typer.Abort:
        note("Aborted.")
        return ExitCode.ERROR
    except BrokenPipeError:
        # The reader of our output went away (`| head`): nothing more to say, not even when Python flushes at its end.
        sys.stdout = None  # flushing is skipped for None
        return ExitCode.OK
    except KeyboardInterrupt:
        note("Interrupted.")
        return 130
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else ExitCode.OK if stop.code is None else ExitCode.ERROR


def main() -> None:
    """Run the command line of this process."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
