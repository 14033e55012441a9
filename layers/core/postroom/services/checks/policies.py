"""Templates, delivery exceptions, attachments and masking."""

from __future__ import annotations

import re
from collections.abc import Iterator

import re2

from postroom.model.configuration import Configuration
from postroom.model.policies import AttachmentPolicy
from postroom.rules import exceptions
from postroom.services.validation import Finding, Path

_UNSUPPORTED = (
    (re.compile(r"\(\?<?[=!]"), "look-around `(?=…)`, `(?!…)`, `(?<=…)`, `(?<!…)`", "Match the text itself only."),
    (re.compile(r"\\[1-9]"), "back references like `\\1`", "Write the alternatives out."),
    (
        re.compile(r"\(\?>|[*+?}]\+"),
        "atomic groups and possessive quantifiers",
        "Leave them out: RE2 never backtracks.",
    ),
    (re.compile(r"\\[uU]"), "`\\u1234` escapes", "Write `\\x{1234}`."),
    (re.compile(r"\(\?\(|\(\?R\)"), "conditionals and recursion", "Write several patterns."),
)


def problems(configuration: Configuration) -> Iterator[Finding]:
    """List what is wrong with phrases, patterns and lists."""
    yield from _phrases(configuration)
    yield from _attachments(("settings", "attachments"), configuration.settings.attachments)
    for index, department in enumerate(configuration.departments):
        if department.attachments:
            yield from _attachments(("departments", index, "attachments"), department.attachments)
    yield from _extensions(configuration)
    yield from _masking(configuration)


def _phrases(configuration: Configuration) -> Iterator[Finding]:
    seen: dict[tuple[str, str, str | None], str] = {}
    for index, phrase in enumerate(configuration.delivery_exceptions):
        key = (phrase.type, phrase.phrase.casefold(), phrase.department)
        first = seen.setdefault(key, phrase.name)
        if first != phrase.name:
            yield Finding(
                ("delivery_exceptions", index, "phrase"), f"is the phrase of `{first}` already.", "Keep one of the two."
            )
    known = {f"{one.type}:{one.phrase}" for one in exceptions.predefined()}
    for index, removed in enumerate(configuration.settings.delivery_exceptions.removed):
        if removed not in known:
            yield Finding(
                ("settings", "delivery_exceptions", "removed", index),
                f"`{removed}` is no predefined phrase.",
                "Write it as `subject:Admin` or `address:postmaster`.",
            )


def _attachments(path: Path, policy: AttachmentPolicy) -> Iterator[Finding]:
    for extension in sorted(set(policy.block) & set(policy.allow)):
        yield Finding((*path, "allow"), f"`{extension}` is blocked and allowed at once.", "Keep it in one list.")
    if policy.block_all and policy.allow:
        yield Finding(
            (*path, "allow"), "has no effect: `block_all` overrides every list.", "Remove the list, or `block_all`."
        )


def _extensions(configuration: Configuration) -> Iterator[Finding]:
    seen: dict[tuple[str, str | None], str] = {}
    for index, blocked in enumerate(configuration.blocked_extensions):
        first = seen.setdefault((blocked.extension, blocked.department), blocked.name)
        if first != blocked.name:
            yield Finding(
                ("blocked_extensions", index, "extension"),
                f"`{blocked.extension}` is blocked by `{first}` already.",
                "Keep one of the two.",
            )


def _masking(configuration: Configuration) -> Iterator[Finding]:
    for index, pattern in enumerate(configuration.masking_patterns):
        path = ("masking_patterns", index)
        if (pattern.pattern is None) == (pattern.kind is None):
            yield Finding(
                (*path, "pattern"), "needs exactly one of `pattern` and `kind`.", "Write a pattern, or name a kind."
            )
        elif pattern.pattern is not None:
            yield from _pattern((*path, "pattern"), pattern.pattern)
        if not pattern.inbound and not pattern.outbound:
            yield Finding((*path, "inbound"), "is off, and so is `outbound`: it masks nothing.", "Switch one on.")


def _pattern(path: Path, pattern: str) -> Iterator[Finding]:
    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        for construct, name, remedy in _UNSUPPORTED:
            if construct.search(pattern):
                yield Finding(path, f"uses {name}, which RE2 does not have.", remedy)
                return
        text = error.args[0] if error.args else "invalid"
        text = text.decode() if isinstance(text, bytes) else str(text)
        yield Finding(path, f"cannot be compiled: {text}.", "Correct the pattern.")
        return
    if compiled.search("") is not None:
        yield Finding(path, "matches the empty text.", "Write a pattern that needs at least one character.")
