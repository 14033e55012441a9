"""`postroom oauth`: let a person consent in the browser, and keep the refresh token that comes of it (C07)."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from postroom.errors import Invalid, PostroomError, Problem

from postroom_cli import output
from postroom_cli.commands.applying import entered
from postroom_cli.commands.connection import try_connection
from postroom_cli.entering import enter_line, enter_once
from postroom_cli.errors import ExitCode
from postroom_cli.loopback import Loopback
from postroom_cli.output import Json
from postroom_cli.stack import find_stack

if TYPE_CHECKING:
    from postroom.model.configuration import EmailAccount, OAuthApplication
    from postroom.services.accounts import ConsentRequest

WAIT = 300.0  # seconds that a person has for it

app = typer.Typer(help="Let people consent to the e-mail accounts' applications.", no_args_is_help=True)


def register(parent: typer.Typer) -> None:
    """Add the group."""
    parent.add_typer(app, name="oauth")


@app.callback()
def group() -> None:
    """Let people consent to the e-mail accounts' applications."""


@app.command()
def login(
    context: typer.Context,
    account: Annotated[str, typer.Argument(help="The e-mail account's name in the configuration.")],
    no_browser: Annotated[
        bool,
        typer.Option(
            "--no-browser", help="Open the address elsewhere, and paste the one it leads to (a line of input)."
        ),
    ] = False,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Port of the redirect on this machine; 0: a free one.")
    ] = 0,
    secret_file: Annotated[
        Path | None,
        typer.Option("--secret-file", help="File with the application's secret, or its key and certificate (PEM)."),
    ] = None,
    any_account: Annotated[
        bool, typer.Option("--any-account", help="Take the consent of an account with another address.")
    ] = False,
    json: Json = False,
) -> None:
    """Open the browser for a person's consent, and store the refresh token; its mailboxes are tried again."""
    from postroom.bootstrap import redeem
    from postroom.services.accounts import consent

    stack = find_stack(context)
    chosen, application = consent.consentable(stack.configurations.current(), account)
    settings = stack.read("private_mail_networks")
    secret = _application_secret(application, secret_file)
    with Loopback(port) as loopback:
        request = consent.begin(chosen, application, redirect_uri=consent.redirect_uri(application, loopback.port))
        came = _pasted(chosen, request) if no_browser else _redirected(chosen, request, loopback)
    answer = redeem(
        application,
        consent.read_redirect(came, request, on=account),
        verifier=request.verifier,
        redirect_uri=request.redirect_uri,
        scope=request.scope,
        secret=secret,
        now=stack.clock(),
        settings=settings,
    )
    granted = consent.accept(chosen, application, answer, any_account=any_account)
    tried = consent.keep(
        chosen,
        granted,
        stack.configurations.current(),
        store=stack.secrets,
        states=stack.states,
        now=stack.clock(),
    )
    _mailboxes, mails = entered(stack, str(chosen.token_reference.secret))
    if json:
        output.document(
            {
                "account": account,
                "consented": granted.consented or None,
                "secret": chosen.token_reference.secret,
                "stored": True,
                "warnings": granted.warnings,
                "tried_again": tried,
                "sent_again": mails,
            }
        )
        return
    for warning in granted.warnings:
        output.note(f"Warning: {warning}")
    output.say(f"{granted.consented or chosen.address} has consented; the refresh token of {account} was stored.")
    if tried:
        output.say(f"Tried again at the next cycle: {', '.join(tried)}.")
    if mails:
        output.say(f"Mails that waited for it and are sent now: {len(mails)}.")


@app.command("test")
def check(
    context: typer.Context,
    account: Annotated[str, typer.Argument(help="The e-mail account's name in the configuration.")],
    json: Json = False,
) -> None:
    """Open the account's own mailbox and each shared one that it is to open: which step fails, and what to do."""
    from postroom.services.mailboxes import mailboxes_of, not_opened

    stack = find_stack(context)
    rows = []
    for mailbox in mailboxes_of(stack.configurations.current(), account):
        tested = try_connection(stack, mailbox)
        error = not_opened(tested, mailbox)
        why = {"step": error.step, "code": error.code, "reason": error.what, "remedy": error.remedy} if error else {}
        rows.append({"mailbox": mailbox.name, "address": mailbox.bare_address, "messages": tested.messages, **why})
    ok = not any("code" in row for row in rows)
    if json:
        output.document({"account": account, "ok": ok, "mailboxes": rows})
    else:
        columns = ("mailbox", "address", "messages", "step", "code", "reason", "remedy")
        output.table("", columns, ([row.get(column, "") for column in columns] for row in rows))
        output.say(f"{account} works." if ok else f"{account} does not open all of its mailboxes.")
    if not ok:
        raise typer.Exit(ExitCode.TEST_FAILED)


def _application_secret(application: OAuthApplication, file: Path | None) -> str:
    """Ask for what the code is redeemed with: only functions may decrypt the one that is stored."""
    if file is not None:
        try:
            secret = file.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Invalid([Problem("--secret-file", f"cannot be read: {error}.", "Name a text file.")]) from error
    elif application.client_secret is None:
        return ""
    else:
        output.note(
            f"Application {application.name} proves itself by a secret, which the stack does not give out again: "
            "enter it once more (a key with its certificate: --secret-file). It serves this one request."
        )
        secret = enter_once(f"Secret of application {application.name}")
        if secret.startswith("-----BEGIN"):
            raise Invalid(
                [Problem("secret", "is the first line of a key or certificate.", "Give the file by --secret-file.")]
            )
    if not secret or secret.startswith("{"):
        what = "is the key of a service account, which needs no consent." if secret else "was not given."
        raise Invalid(
            [Problem("secret", what, "Give the application's client secret: prompt, first input line, --secret-file.")]
        )
    return secret


def _redirected(account: EmailAccount, request: ConsentRequest, loopback: Loopback) -> str:
    output.note(f"Consent as {account.address} in the browser. If none opens, open this address on this machine:")
    output.note(request.url)
    if not webbrowser.open(request.url):
        output.note("No browser could be opened here; `--no-browser` is for one on another machine.")
    return loopback.wait(WAIT)


def _pasted(account: EmailAccount, request: ConsentRequest) -> str:
    output.note(f"Open this address in any browser, and consent as {account.address}:")
    output.note(request.url)
    output.note("The browser is then sent to an address that it may fail to load. Paste that address here.")
    pasted = enter_line(f"{request.redirect_uri}/?code=…")
    if not pasted:
        raise PostroomError(
            "No address was pasted", on=account.name, code="consent_cancelled", remedy="Run the command again."
        )
    return pasted
