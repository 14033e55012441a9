"""`postroom mailbox`: add, show, switch, poll and test mailboxes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from postroom.errors import Invalid, Problem

from postroom_cli import output
from postroom_cli.commands import connection, converting, costs, guessing, mailbox_problems, seeing
from postroom_cli.commands.applying import in_force, put_in_force
from postroom_cli.commands.named_secrets import missing, secrets_of
from postroom_cli.entering import enter_secret
from postroom_cli.errors import describe_problem
from postroom_cli.output import Json
from postroom_cli.stack import Stack, find_stack

if TYPE_CHECKING:
    from postroom.model.configuration import Configuration
    from postroom.services.configuration import Plan

app = typer.Typer(help="Add, show, switch, poll and test mailboxes.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The mailbox's name.")]
Options = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="OPTION=VALUE", help="Any other option, as in a configuration file; repeatable."),
]


def register(parent: typer.Typer) -> None:
    """Add the group."""
    seeing.add_to(app)
    guessing.add_to(app)
    connection.add_to(app)
    costs.add_to(app)
    converting.add_to(app)
    mailbox_problems.add_to(app)
    parent.add_typer(app, name="mailbox")


@app.command()
def add(
    context: typer.Context,
    name: Name,
    address: Annotated[str, typer.Option(help="Its own address, with a display name if wanted.")],
    type_: Annotated[
        str | None, typer.Option("--type", help="IMAP, POP3, EWS or GRAPH; when left out IMAP, or the account's.")
    ] = None,
    server: Annotated[str | None, typer.Option(help="Host name; for EWS the URL.")] = None,
    login: Annotated[str | None, typer.Option(help="User name; the address when left out.")] = None,
    endpoint: Annotated[str | None, typer.Option(help="The endpoint its mail goes to.")] = None,
    account: Annotated[
        str | None, typer.Option(help="The e-mail account that opens it; it must open, or nothing is added.")
    ] = None,
    shared: Annotated[bool, typer.Option("--shared", help="It is a shared mailbox of the account.")] = False,
    password: Annotated[
        bool, typer.Option("--password", help="Ask for the password (or read it from standard input) and store it.")
    ] = False,
    options: Options = None,
    json: Json = False,
) -> None:
    """Add a mailbox; it is disabled until `postroom mailbox enable`."""
    given: dict[str, Any] = {"name": name, "address": address}
    said = {"type": type_, "server": server, "login": login, "endpoint": endpoint, "account": account}
    given |= {option: value for option, value in said.items() if value}
    given |= parse_options(options or [])
    if password:
        given["password"] = {"secret": f"mailbox.{name}"}
    stack = find_stack(context)
    before, configuration = in_force(stack)
    if configuration.mailbox(name):
        raise Invalid([Problem("name", f"there is a mailbox `{name}` already.", "Choose another name.")])
    if account:
        given |= converting.of_account(configuration, account, address=address, shared=shared, type_=type_)
    elif shared:
        raise Invalid([Problem("--shared", "needs an account.", "Name the account that opens it: `--account NAME`.")])
    mailbox = _validated(given)
    if mailbox.enabled:
        problem = Problem("enabled", "cannot be set yet: a mailbox is added disabled.", "Test it, then enable it.")
        raise Invalid([problem])
    new = configuration.model_copy(update={"mailboxes": (*configuration.mailboxes, mailbox)})
    _check_plan(configuration, new)  # before anything is asked or stored
    if account:
        converting.check_that_it_opens(stack, new, name)
    if password:
        stack.secrets.put(f"mailbox.{name}", enter_secret(f"Password of {name}"), now=stack.clock())
    warnings = _missing_secrets(stack, new, name)
    version = put_in_force(stack, new, version=before, note=f"mailbox {name} added")
    document = {"mailbox": name, "enabled": mailbox.enabled, "version": version}
    _told(json, document, f"Mailbox {name} was added.", warnings)


def parse_options(pairs: list[str]) -> dict[str, Any]:
    """Read `option=value` pairs; `secret:NAME` and `properties.mail.x=y` are understood."""
    values: dict[str, Any] = {}
    given: set[str] = set()
    problems = []
    for pair in pairs:
        option, sign, value = pair.partition("=")
        if option.replace("-", "_") in given:
            problems.append(Problem(option, "is given twice.", "Give it once."))
        given.add(option.replace("-", "_"))
        if not sign:
            problems.append(Problem(option, "has no value.", "Write OPTION=VALUE."))
        elif option.startswith("properties."):
            values.setdefault("properties", {})[option.removeprefix("properties.")] = value
        elif option in ("password", "client_secret"):
            kind, colon, secret = value.partition(":")
            if kind != "secret" or not colon:
                # The value is not repeated: it is most likely the secret itself.
                problems.append(
                    Problem(option, "takes no secret itself.", f"Write {option}=secret:NAME, see `secret set`.")
                )
            values[option] = {"secret": secret}
        else:
            values[option.replace("-", "_")] = value
    if problems:
        raise Invalid(problems)
    return values


@app.command()
def change(
    context: typer.Context,
    name: Name,
    options: Annotated[list[str], typer.Argument(metavar="OPTION=VALUE…", help="As in a configuration file.")],
    json: Json = False,
) -> None:
    """Change options of a mailbox; in force from the next cycle on."""
    values = parse_options(options)
    if values.get("name", name) != name:
        remedy = f"Rename it: `postroom mailbox rename {name} {values['name']}`."
        raise Invalid([Problem("name", "is not changed like other options.", remedy)])
    _update(find_stack(context), name, values, f"mailbox {name} changed", json=json)


@app.command()
def rename(
    context: typer.Context,
    name: Name,
    new_name: Annotated[str, typer.Argument(help="Its new name.")],
    json: Json = False,
) -> None:
    """Give a mailbox another name; what is stored of it stays with it, and no mail comes a second time."""
    from postroom.services.mailboxes import existing

    stack = find_stack(context)
    before, configuration = in_force(stack)
    old = existing(configuration, name)
    if new_name != name and any(found.name == new_name for found in configuration.mailboxes):
        raise Invalid([Problem("name", f"there is a mailbox `{new_name}` already.", "Choose another name.")])
    first = None if old.identity == new_name else old.identity
    given = {**old.model_dump(mode="json", exclude_defaults=True), "name": new_name, "renamed_from": first}
    mailbox = _validated({option: value for option, value in given.items() if value is not None})
    mailboxes = tuple(mailbox if found.name == name else found for found in configuration.mailboxes)
    new = configuration.model_copy(update={"mailboxes": mailboxes})
    changed = not _check_plan(configuration, new).empty
    note = f"mailbox {name} renamed to {new_name}"
    version = put_in_force(stack, new, version=before, note=note) if changed else before
    document = {"mailbox": new_name, "renamed_from": mailbox.renamed_from, "version": version, "changed": changed}
    sentence = f"Mailbox {name} is {new_name} now" if changed else f"Nothing was changed: it is {name} already"
    _told(json, document, f"{sentence}; what is stored of it is kept under {mailbox.identity}.")


@app.command()
def enable(context: typer.Context, name: Name, json: Json = False) -> None:
    """Poll the mailbox from the next cycle on; also one that waits or needs attention."""
    from postroom.services.mailboxes import on_request

    stack = find_stack(context)
    _update(stack, name, {"enabled": True}, f"mailbox {name} enabled", json=json)
    if on_request(stack.configurations.current(), name, states=stack.states) and not json:
        output.say("It was not well; it is tried again at its next cycle.")


@app.command()
def disable(context: typer.Context, name: Name, json: Json = False) -> None:
    """Stop polling the mailbox from the next cycle on; nothing is lost meanwhile."""
    _update(find_stack(context), name, {"enabled": False}, f"mailbox {name} disabled", json=json)


@app.command()
def remove(context: typer.Context, name: Name, json: Json = False) -> None:
    """Remove a mailbox that is disabled; its interactions stay."""
    from postroom.services.mailboxes import existing

    stack = find_stack(context)
    before, configuration = in_force(stack)
    existing(configuration, name)
    kept = tuple(mailbox for mailbox in configuration.mailboxes if mailbox.name != name)
    new = configuration.model_copy(update={"mailboxes": kept})
    version = put_in_force(stack, new, version=before, note=f"mailbox {name} removed")
    _told(json, {"mailbox": name, "removed": True, "version": version}, f"Mailbox {name} was removed.")


@app.command()
def poll(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(help="Their names; without any, all enabled ones.")] = None,
    json: Json = False,
) -> None:
    """Look at mailboxes now instead of at their next cycle."""
    from postroom.model import MOST_MAILBOXES, poll_request
    from postroom.model.configuration import Type
    from postroom.services.mailboxes import existing

    stack = find_stack(context)
    configuration = stack.configurations.current()
    wanted = [existing(configuration, name) for name in names or []] or [
        mailbox for mailbox in configuration.mailboxes if mailbox.enabled
    ]
    disabled = [mailbox.name for mailbox in wanted if not mailbox.enabled]
    if disabled:
        raise Invalid(
            [Problem(name, "is not enabled.", f"Enable it: `postroom mailbox enable {name}`.") for name in disabled]
        )
    for setting, of_ews in (("poll_queue", False), ("ews_poll_queue", True)):
        some = [mailbox.name for mailbox in wanted if (mailbox.type is Type.EWS) is of_ews]
        for start in range(0, len(some), MOST_MAILBOXES):
            stack.queue(setting).send(poll_request(some[start : start + MOST_MAILBOXES]))
    polled = [mailbox.name for mailbox in wanted]
    _told(json, {"polled": polled}, f"Queued: {', '.join(polled) or 'no mailbox is enabled'}.")


def _update(stack: Stack, name: str, values: dict[str, Any], note: str, *, json: bool) -> None:
    from postroom.services.mailboxes import existing

    before, configuration = in_force(stack)
    old = existing(configuration, name)
    given = {**old.model_dump(mode="json", exclude_defaults=True), **values, "name": name}
    mailbox = _validated({option: value for option, value in given.items() if value is not None})
    mailboxes = tuple(mailbox if found.name == name else found for found in configuration.mailboxes)
    new = configuration.model_copy(update={"mailboxes": mailboxes})
    changed = not _check_plan(configuration, new).empty
    warnings = _missing_secrets(stack, new, name)
    version = put_in_force(stack, new, version=before, note=note) if changed else before
    state = "enabled" if mailbox.enabled else "disabled"
    document = {"mailbox": name, "enabled": mailbox.enabled, "version": version, "changed": changed}
    sentence = (
        f"Mailbox {name} {'was changed; it ' if set(values) != {'enabled'} else ''}is {state}."
        if changed
        else f"Nothing was changed: mailbox {name} was so already; it is {state}."
    )
    _told(json, document, sentence, warnings)


def _validated(given: dict[str, Any]) -> Any:
    from postroom.model.configuration import Mailbox
    from postroom.services.configuration import format_path, validate

    result = validate(Mailbox, given)
    if result.findings:
        raise Invalid([Problem(format_path(found.path), found.problem, found.remedy) for found in result.findings])
    return result.value


def _check_plan(old: Configuration, new: Configuration) -> Plan:
    from postroom.services.configuration import plan

    return plan(old, new)


def _missing_secrets(stack: Stack, configuration: Configuration, name: str) -> tuple[Problem, ...]:
    """Warn of secrets that the mailbox names and nobody has entered."""
    own = f"mailboxes[name={name}]."
    return missing(stack, [named for named in secrets_of(configuration) if named.path.startswith(own)])


def _told(json: bool, document: dict[str, Any], sentence: str, warnings: tuple[Problem, ...] | None = None) -> None:
    if json:
        told = {} if warnings is None else {"warnings": [describe_problem(warning) for warning in warnings]}
        output.document(document | told)
        return
    output.say(sentence)
    for warning in warnings or ():
        output.note(f"Warning: {warning}")
