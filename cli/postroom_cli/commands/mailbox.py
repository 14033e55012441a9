"""`postroom mailbox`: add, show, switch, poll and test mailboxes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from postroom.errors import Invalid, Problem

from postroom_cli import output
from postroom_cli.commands import connection, converting, costs, guessing, mailbox_problems, seeing
from postroom_cli.commands.applying import carry_out, perform, propose
from postroom_cli.commands.choosing import Department, Every, Names, State, choose, enabled_names
from postroom_cli.commands.named_secrets import missing, secrets_of
from postroom_cli.entering import enter_secret
from postroom_cli.errors import describe_problem
from postroom_cli.output import Json
from postroom_cli.stack import Stack, find_stack

if TYPE_CHECKING:
    from postroom.model.configuration import Configuration
    from postroom.services.administration import Command, PreparedChange

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
    from postroom.services.administration import Add

    given: dict[str, Any] = {"name": name, "address": address}
    said = {"type": type_, "server": server, "login": login, "endpoint": endpoint, "account": account}
    given |= {option: value for option, value in said.items() if value}
    given |= parse_options(options or [])
    if password:
        given["password"] = {"secret": f"mailbox.{name}"}
    if shared and not account:
        raise Invalid([Problem("--shared", "needs an account.", "Name the account that opens it: `--account NAME`.")])
    if shared:
        given["shared_mailbox"] = True
    stack = find_stack(context)
    proposal = propose(stack, Add("mailboxes", given))  # before anything is asked or stored
    if account:
        converting.check_that_it_opens(stack, proposal.new, name)
    if password:
        stack.secrets.put(f"mailbox.{name}", enter_secret(f"Password of {name}"), now=stack.clock())
    warnings = _missing_secrets(stack, proposal.new, (name,))
    version = carry_out(stack, proposal).version
    document = {"mailbox": name, "enabled": False, "version": version}
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
    words: Annotated[
        list[str],
        typer.Argument(metavar="NAME… OPTION=VALUE…", help="Mailboxes, then options as in a configuration file."),
    ],
    every: Every = False,
    department: Department = None,
    state: State = None,
    json: Json = False,
) -> None:
    """Change options of mailboxes; in force from the next cycle on, for all of them or for none."""
    from postroom.services.administration import Modify

    names = [word for word in words if "=" not in word]
    values = parse_options([word for word in words if "=" in word])
    if not values:
        raise Invalid([Problem("OPTION=VALUE", "is missing.", "Give what is to be changed.")])
    stack = find_stack(context)
    chosen = choose(stack, names, every=every, department=department, state=state)
    _change(stack, Modify("mailboxes", chosen, values), chosen, json=json)


@app.command()
def rename(
    context: typer.Context,
    name: Name,
    new_name: Annotated[str, typer.Argument(help="Its new name.")],
    json: Json = False,
) -> None:
    """Give a mailbox another name; what is stored of it stays with it, and no mail comes a second time."""
    from postroom.services.administration import Rename
    from postroom.services.mailboxes import existing

    done = perform(find_stack(context), Rename(name, new_name))
    mailbox = existing(done.prepared.new, new_name)
    document = {
        "mailbox": new_name,
        "renamed_from": mailbox.renamed_from,
        "version": done.version,
        "changed": done.changed,
    }
    sentence = f"Mailbox {name} is {new_name} now" if done.changed else f"Nothing was changed: it is {name} already"
    _told(json, document, f"{sentence}; what is stored of it is kept under {mailbox.identity}.")


@app.command()
def enable(
    context: typer.Context,
    names: Names = None,
    every: Every = False,
    department: Department = None,
    state: State = None,
    json: Json = False,
) -> None:
    """Poll mailboxes from the next cycle on; also those that wait or need attention."""
    from postroom.services.administration import Switch
    from postroom.services.mailboxes import on_request

    stack = find_stack(context)
    chosen = choose(stack, names, every=every, department=department, state=state)
    _change(stack, Switch("mailboxes", chosen, on=True), chosen, json=json)
    configuration = stack.configurations.current()
    ill = [name for name in chosen if on_request(configuration, name, states=stack.states)]
    if ill and not json:
        if len(chosen) == 1:
            output.say("It was not well; it is tried again at its next cycle.")
        else:
            output.say(f"Not well before, and tried again at the next cycle: {', '.join(ill)}.")


@app.command()
def disable(
    context: typer.Context,
    names: Names = None,
    every: Every = False,
    department: Department = None,
    state: State = None,
    json: Json = False,
) -> None:
    """Stop polling mailboxes from the next cycle on; nothing is lost meanwhile."""
    from postroom.services.administration import Switch

    stack = find_stack(context)
    chosen = choose(stack, names, every=every, department=department, state=state)
    _change(stack, Switch("mailboxes", chosen, on=False), chosen, json=json)


@app.command()
def remove(
    context: typer.Context, names: Annotated[list[str], typer.Argument(help="Their names.")], json: Json = False
) -> None:
    """Remove mailboxes that are disabled, all of them or none; their interactions stay."""
    from postroom.services.administration import Remove

    stack = find_stack(context)
    chosen = choose(stack, names)
    version = perform(stack, Remove("mailboxes", chosen)).version
    document: dict[str, Any] = {"mailbox": chosen[0]} if len(chosen) == 1 else {"mailboxes": chosen}
    sentence = f"Mailbox {chosen[0]} was removed." if len(chosen) == 1 else f"Removed: {', '.join(chosen)}."
    _told(json, {**document, "removed": True, "version": version}, sentence)


@app.command()
def poll(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(help="Their names; without any, all enabled ones.")] = None,
    department: Department = None,
    state: State = None,
    json: Json = False,
) -> None:
    """Look at mailboxes now instead of at their next cycle."""
    from postroom.services.administration import poll_now

    stack = find_stack(context)
    every = not (names or department or state)
    wanted = enabled_names(stack) if every else choose(stack, names, department=department, state=state)
    poll_now(
        wanted,
        stack.configurations.current(),
        queue=stack.queue("poll_queue"),
        ews_queue=stack.queue("ews_poll_queue"),
    )
    _told(json, {"polled": wanted}, f"Queued: {', '.join(wanted) or 'no mailbox is enabled'}.")


def _change(stack: Stack, command: Command, names: tuple[str, ...], *, json: bool) -> None:
    proposal = propose(stack, command)
    warnings = _missing_secrets(stack, proposal.new, names)
    done = carry_out(stack, proposal)
    states = {mailbox.name: mailbox.enabled for mailbox in proposal.new.mailboxes if mailbox.name in names}
    if len(names) == 1:
        enabled = states[names[0]]
        document: dict[str, Any] = {"mailbox": names[0], "enabled": enabled, "version": done.version}
        sentence = _sentence(names[0], proposal, "enabled" if enabled else "disabled")
    else:
        changed = sorted({edit.name for edit in proposal.change.edits})
        document = {"mailboxes": [{"mailbox": name, "enabled": states[name]} for name in names]}
        document |= {"version": done.version, "changed_mailboxes": changed}
        sentence = f"{output.counted(len(changed), 'mailbox')} changed, {len(names) - len(changed)} were so already."
    _told(json, {**document, "changed": done.changed}, sentence, warnings)


def _sentence(name: str, proposal: PreparedChange, state: str) -> str:
    if not proposal.change.edits:
        return f"Nothing was changed: mailbox {name} was so already; it is {state}."
    fields = {field.field for change in proposal.plan.changes for field in change.fields}
    return f"Mailbox {name} {'was changed; it ' if fields != {'enabled'} else ''}is {state}."


def _missing_secrets(stack: Stack, configuration: Configuration, names: tuple[str, ...]) -> tuple[Problem, ...]:
    """Warn of secrets that the mailboxes name and nobody has entered."""
    own = tuple(f"mailboxes[name={name}]." for name in names)
    return missing(stack, [named for named in secrets_of(configuration) if named.path.startswith(own)])


def _told(json: bool, document: dict[str, Any], sentence: str, warnings: tuple[Problem, ...] | None = None) -> None:
    if json:
        told = {} if warnings is None else {"warnings": [describe_problem(warning) for warning in warnings]}
        output.document(document | told)
        return
    output.say(sentence)
    for warning in warnings or ():
        output.note(f"Warning: {warning}")
