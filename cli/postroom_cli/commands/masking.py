"""`postroom masking`: try masking patterns on text before they are used (C15)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from postroom.errors import Invalid, Problem

from postroom_cli import output
from postroom_cli.commands.config import read_text
from postroom_cli.output import Json

app = typer.Typer(help="Try masking patterns.", no_args_is_help=True)


def register(parent: typer.Typer) -> None:
    """Add the group."""
    parent.add_typer(app, name="masking")


@app.callback()
def group() -> None:
    """Try masking patterns."""


@app.command("try")
def try_(
    file: Annotated[Path, typer.Argument(help="A text file; - for standard input.")] = Path("-"),
    pattern: Annotated[list[str] | None, typer.Option(help="A regular expression (RE2); repeatable.")] = None,
    kind: Annotated[list[str] | None, typer.Option(help="A built-in kind: card, iban, us-ssn, …; repeatable.")] = None,
    config: Annotated[Path | None, typer.Option("--config", help="Use the patterns of a configuration file.")] = None,
    department: Annotated[str | None, typer.Option(help="Those of this department too.")] = None,
    html: Annotated[bool, typer.Option("--html", help="The text is HTML.")] = False,
    outbound: Annotated[
        bool, typer.Option("--outbound", help="As it would be sent: by the patterns of outgoing mail.")
    ] = False,
    json: Json = False,
) -> None:
    """Show a text as it would be stored, and how often each pattern was found; without patterns, every kind."""
    from postroom.rules.masking import compile_patterns, mask_html, mask_text, mask_written_html

    if department and not config:
        raise Invalid([Problem("--department", "has no patterns without a file.", "Give the file with --config.")])
    compiled = compile_patterns(_patterns(pattern or [], kind or [], given=config is not None))
    if config:
        compiled += configured_patterns(config, department, outbound=outbound)
    text = read_text(file)
    in_html = mask_written_html if outbound else mask_html
    masked = in_html(text, compiled) if html else mask_text(text, compiled)
    if json:
        output.document({"text": masked.text, "hits": [{"name": hit.name, "count": hit.count} for hit in masked.hits]})
        return
    output.text(masked.text)
    for hit in masked.hits:
        output.note(f"{hit.name}: {hit.count}")


def configured_patterns(config: Path, department: str | None, *, outbound: bool = False) -> tuple[Any, ...]:
    """Compile the patterns of a configuration file, for mail that comes in or for mail that leaves."""
    from postroom.services.configuration import read_configuration
    from postroom.services.policy import policy_of

    configuration = read_configuration(read_text(config)).configuration
    if department and all(department != known.name for known in configuration.departments):
        names = ", ".join(known.name for known in configuration.departments) or "(there is none)"
        raise Invalid([Problem("--department", f"there is no department `{department}`.", f"Name one of: {names}.")])
    policy = policy_of(configuration, department=department or "")
    return policy.outbound_masking if outbound else policy.masking


def _patterns(patterns: list[str], kinds: list[str], *, given: bool) -> list[Any]:
    from postroom.rules import explain
    from postroom.rules.masking import KINDS, MaskingRule

    refused = [found for pattern in patterns if (found := explain(pattern, path=f"--pattern {pattern[:40]}"))]
    if refused:
        raise Invalid(refused)
    chosen = [MaskingRule(name=pattern, pattern=pattern) for pattern in patterns]
    chosen += [MaskingRule(name=kind, kind=kind) for kind in kinds]
    if not chosen and not given:
        chosen = [MaskingRule(name=kind, kind=kind) for kind in KINDS]
    return chosen
