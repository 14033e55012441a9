"""`postroom local`: the template on this machine, until it is stopped."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from postroom_cli import output
from postroom_cli.output import Json
from postroom_cli.stack import options_of

_LOOK_SECONDS = 1.0


def register(parent: typer.Typer) -> None:
    """Add the command."""
    parent.command()(local)


def local(
    context: typer.Context,
    template: Annotated[Path | None, typer.Option(help="The template to run; template.yaml by default.")] = None,
    state: Annotated[
        Path | None, typer.Option("--state", help="Where to say how to reach it; .postroom by default.")
    ] = None,
    retry_after: Annotated[
        int | None,
        typer.Option(min=0, help="Seconds until a failed message comes again; else as the template says."),
    ] = None,
    mail_servers: Annotated[
        bool,
        typer.Option("--mail-servers", help="Serve a mailbox of each type too, set up and ready to be written to."),
    ] = False,
    json: Json = False,
) -> None:
    """Run everything the template declares on this machine, until Ctrl-C; the other commands find it by themselves."""
    from postroom_cli.local.location import find_template
    from postroom_cli.local.mail_site import MailSite
    from postroom_cli.local.runner import LocalRunner
    from postroom_cli.local.state import read_state, remove_state, write_state

    directory = state or options_of(context).state
    if running := read_state(directory):
        from postroom.errors import Conflict

        raise Conflict(
            f"A local stack runs already (process {running.pid})",
            on=str(directory),
            remedy="Stop it with Ctrl-C, or use another --state directory.",
        )
    logging.basicConfig(handlers=[output.log_handler()], level=logging.INFO)
    logging.getLogger("botocore").setLevel(logging.WARNING)
    path_of_template = find_template(template)
    with ExitStack() as opened:
        site = opened.enter_context(MailSite(directory / "sent")) if mail_servers else None
        runner = opened.enter_context(LocalRunner(path_of_template, retry_after=retry_after))
        state_now = runner.state
        if site is not None:
            site.set_up(runner.aws, runner.environment)
            runner.invoke("schedule_polls")  # its first tick found no mailbox yet
            state_now = replace(state_now, smtp_url=site.smtp_url)
        path = write_state(directory, state_now)
        try:
            if json:
                output.document(state_now)
            else:
                _tell(state_now, path)
                if site is not None:
                    _tell_mail_servers(site)
            sys.stdout.flush()
            _until_stopped(runner)
        finally:
            remove_state(directory)


def _tell(state: Any, path: Path) -> None:
    output.pairs(
        {
            "HTTP API": state.api_url,
            "Its key": f"{state.api_key}, as `Authorization: Bearer`",
            "AWS (moto)": state.endpoint_url,
            "State": path,
        }
    )
    output.say("Mail servers on this machine are allowed. Everything is gone when it stops. Stop with Ctrl-C.")


def _tell_mail_servers(site: Any) -> None:
    output.table(
        "",
        ("mailbox", "type", "server"),
        (
            (one.bare_address, one.type.value, f"{one.server}:{one.port}" if one.port else one.server)
            for one in site.mailboxes
        ),
    )
    output.say(f"Mail to other addresses is kept in {site.outgoing}. Write to a mailbox like this:")
    output.say(f"  curl {site.smtp_url} --mail-from ann@example.net --mail-rcpt orders@example.com --upload-file MAIL")


def _until_stopped(runner: Any) -> None:
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        while not stop.wait(_LOOK_SECONDS):
            runner.local_aws.check()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
