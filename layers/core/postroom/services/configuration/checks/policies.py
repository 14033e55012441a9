"""Templates, delivery exceptions, attachments and masking."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence

from pydantic import BaseModel

from postroom.mail.outgoing import templates
from postroom.model.configuration import AttachmentPolicy, Configuration, SendingOptions
from postroom.rules import delivery_exceptions, patterns
from postroom.rules.masking import mask
from postroom.services.configuration.checks.finding import Finding, Path

_LIST_NAME = re.compile(r"(?:[^\s@<>,;:\"]{1,64}@)?[^\s@<>,;:.\"]{1,63}(?:\.[^\s@<>,;:.\"]{1,63}){1,20}")
_LARGEST_TEMPLATE = 100_000
"""Bytes, compressed: an acknowledgement is written in one item with what it is made of (400 KB at most)."""


def problems(configuration: Configuration) -> Iterator[Finding]:
    """List what is wrong with phrases, patterns and lists."""
    yield from _templates(configuration)
    yield from _phrases(configuration)
    yield from _own_lists(configuration.settings.own_lists)
    yield from _subject_reference(configuration.settings.threads.subject_reference)
    yield from _attachments(("settings", "attachments"), configuration.settings.attachments)
    for index, department in enumerate(configuration.departments):
        if department.attachments:
            yield from _attachments(("departments", index, "attachments"), department.attachments)
    yield from _extensions(configuration)
    yield from _masking(configuration)


def _templates(configuration: Configuration) -> Iterator[Finding]:
    for index, template in enumerate(configuration.templates):
        yield from _filled(("templates", index), template, ("subject", "text", "html"))
        for language, said in template.translations.items():
            yield from _filled(("templates", index, "translations", language), said, ("subject", "text", "html"))
        if template.language in template.translations:
            yield Finding(
                ("templates", index, "translations", template.language),
                f"says twice what `{template.name}` says in {template.language}.",
                "Take it out, or write another `language`.",
            )
    for path, sending in _sendings(configuration):
        yield from _filled(path, sending, ("signature", "signature_html"))


def _sendings(configuration: Configuration) -> Iterator[tuple[Path, SendingOptions]]:
    yield ("settings", "sending"), configuration.settings.sending
    for index, alias in enumerate(configuration.aliases):
        yield ("aliases", index, "sending"), alias.sending
    for index, queue in enumerate(configuration.queues):
        yield ("queues", index, "sending"), queue.sending


def _filled(path: Path, said: BaseModel, fields: Sequence[str]) -> Iterator[Finding]:
    """Check texts with placeholders."""
    for field in fields:
        text = getattr(said, field) or ""
        for unknown in templates.unknown_fields(text):
            yield Finding(
                (*path, field),
                f"`{{{{{unknown}}}}}` is not a field.",
                f"Use one of: {', '.join(templates.FIELDS)}.",
            )
        for name in templates.without_fallback(text):
            yield Finding(
                (*path, field),
                f"`{{{{{name}}}}}` may be empty.",
                f"Say what stands there then: `{{{{{name}|fallback}}}}`.",
            )
        if len(zlib.compress(text.encode("utf-8", "replace"))) > _LARGEST_TEMPLATE:
            yield Finding(
                (*path, field),
                f"is too large: {_LARGEST_TEMPLATE // 1000} kB are left when it is compressed.",
                "Shorten it; let pictures be linked, not written into the HTML.",
            )


def _phrases(configuration: Configuration) -> Iterator[Finding]:
    seen: dict[tuple[str, str, str | None], str] = {}
    for index, phrase in enumerate(configuration.delivery_exceptions):
        key = (phrase.type, phrase.phrase.casefold(), phrase.department)
        first = seen.setdefault(key, phrase.name)
        if first != phrase.name:
            yield Finding(
                ("delivery_exceptions", index, "phrase"), f"is the phrase of `{first}` already.", "Keep one of the two."
            )
    known = {f"{one.type}:{one.phrase}" for one in delivery_exceptions.predefined()}
    for index, removed in enumerate(configuration.settings.delivery_exceptions.removed):
        if removed not in known:
            yield Finding(
                ("settings", "delivery_exceptions", "removed", index),
                f"`{removed}` is no predefined phrase.",
                "Write it as `subject:Admin` or `address:postmaster`.",
            )


def _own_lists(lists: tuple[str, ...]) -> Iterator[Finding]:
    for index, name in enumerate(lists):
        if not _LIST_NAME.fullmatch(name):
            yield Finding(
                ("settings", "own_lists", index),
                f"`{name}` is neither an address nor a List-Id.",
                "Write the list's address, support@groups.example.com, or what its List-Id has between < and >.",
            )


def _subject_reference(pattern: str | None) -> Iterator[Finding]:
    if pattern is None:
        return
    path: Path = ("settings", "threads", "subject_reference")
    problem = patterns.explain(pattern)
    if problem is not None:
        yield Finding(path, problem.problem, problem.remedy)
    elif patterns.compile_pattern(pattern).groups < 1:
        yield Finding(path, "has no group.", r"Put the id in parentheses, as in \[#([a-z2-7]{26})\].")


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
    if len(configuration.masking_patterns) > mask.MAX_PATTERNS:
        yield Finding(
            ("masking_patterns",),
            f"has {len(configuration.masking_patterns)} patterns.",
            f"Keep at most {mask.MAX_PATTERNS}.",
        )
    for index, pattern in enumerate(configuration.masking_patterns):
        path: Path = ("masking_patterns", index)
        # The rules know what they can honour; only where it stands in the file is added here.
        for problem in mask.check([mask.rule_of(pattern)], path="at"):
            field = problem.path.removeprefix("at[0]").lstrip(".") or "pattern"
            yield Finding((*path, field), problem.problem, problem.remedy)
        if not pattern.inbound and not pattern.outbound:
            yield Finding((*path, "inbound"), "is off, and so is `outbound`: it masks nothing.", "Switch one on.")
