"""The configuration as a file: read with every problem and its line, written with what differs from the defaults."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import yaml
from pydantic import BaseModel

from postroom.errors import Invalid
from postroom.model.configuration import Configuration, Settings
from postroom.services.configuration import checks
from postroom.services.configuration.checks import Finding, Path
from postroom.services.configuration.sections import LIST_SECTIONS, format_path
from postroom.services.configuration.validation import suggestion, validate
from postroom.services.configuration.yaml_tree import LocatedProblem, Node, line_of, read_tree


@dataclass(frozen=True, slots=True)
class ConfigurationFile:
    """What a file says, and what deserves attention although it is allowed."""

    configuration: Configuration
    warnings: tuple[LocatedProblem, ...] = ()


@dataclass(slots=True)
class _Draft:
    """A configuration being read: sections as far as they are right, and where each object stands in the file."""

    settings: Settings = field(default_factory=Settings)
    objects: dict[str, list[BaseModel]] = field(default_factory=dict)
    places: dict[str, list[int]] = field(default_factory=dict)
    failed: set[Path] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)


def read_configuration(text: str) -> ConfigurationFile:
    """Read YAML (or JSON) text; raises Invalid with every problem, each with its path and line."""
    tree, problems = read_tree(text)
    draft = _Draft()
    if tree.entries is None:
        if not tree.empty:
            draft.findings.append(Finding((), "holds no options.", "Begin with `settings:` or `mailboxes:`."))
    else:
        _read_sections(tree, draft)
    sections: dict[str, Any] = {name: tuple(objects) for name, objects in draft.objects.items()}
    configuration = Configuration.model_construct(settings=draft.settings, **sections)
    draft.findings += _cross_checks(checks.problems(configuration), draft)
    problems = problems + [_located(finding, tree) for finding in draft.findings]
    if problems:
        raise Invalid(sorted(problems, key=lambda problem: getattr(problem, "line", None) or 0))
    warnings = [_located(finding, tree) for finding in checks.warnings(configuration)]
    return ConfigurationFile(configuration, tuple(sorted(warnings, key=lambda warning: warning.line or 0)))


def _read_sections(tree: Node, draft: _Draft) -> None:
    for name, node in tree.mapping.items():
        if name == "settings":
            result = validate(Settings, {} if node.empty else node.plain(), ("settings",))
            draft.findings += result.findings
            draft.failed |= {finding.path for finding in result.findings}
            if isinstance(result.value, Settings):
                draft.settings = result.value
        elif name in LIST_SECTIONS:
            _read_list(name, node, draft)
        elif not name.startswith("x-"):  # a place for anchors, as in compose files
            draft.findings.append(Finding((name,), "is no section.", suggestion(name, Configuration)))


def _read_list(name: str, node: Node, draft: _Draft) -> None:
    objects, places = draft.objects.setdefault(name, []), draft.places.setdefault(name, [])
    if node.empty:
        return
    if node.items is None:
        draft.findings.append(Finding((name,), "is not a list.", "Begin each object with `- name: …`."))
        return
    for index, item in enumerate(node.items):
        result = validate(LIST_SECTIONS[name], item.plain(), (name, index))
        draft.findings += result.findings
        draft.failed |= {(name, index, failed) for failed in result.failed}
        if result.value is not None:
            objects.append(result.value)
            places.append(index)


def _cross_checks(findings: Iterable[Finding], draft: _Draft) -> list[Finding]:
    """Put the findings of the cross-checks at their place in the file; what is about a refused value is left out."""
    kept = []
    for finding in findings:
        path = finding.path
        if len(path) > 1 and isinstance(path[1], int):
            path = (path[0], draft.places[str(path[0])][path[1]], *path[2:])
        if path[:3] not in draft.failed and path[:2] not in draft.failed:
            kept.append(Finding(path, finding.problem, finding.remedy))
    return kept


def _located(finding: Finding, tree: Node) -> LocatedProblem:
    return LocatedProblem(
        format_path(finding.path) or "(file)", finding.problem, finding.remedy, line_of(tree, finding.path)
    )


def export_configuration(configuration: Configuration) -> str:
    """Write a configuration as YAML: only what differs from the defaults, secrets as references, in a stable order."""
    document = configuration.model_dump(mode="json", exclude_defaults=True)
    ordered = {name: document[name] for name in Configuration.model_fields if name in document}
    if not ordered:
        return "{}\n"
    sections = (
        yaml.dump(
            {name: section},
            Dumper=_Dumper,
            sort_keys=False,
            allow_unicode=True,
            width=100,
            default_flow_style=False,
        )
        for name, section in ordered.items()
    )
    return "\n".join(sections)


class _Dumper(yaml.SafeDumper):
    """Indents lists, and writes texts of several lines as blocks."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
        return super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    lines = value.split("\n")
    if any(letter in value for letter in "\x85\u2028\u2029"):
        # YAML 1.1 breaks lines there, and would read a line end or a space: only escapes keep them.
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style='"')
    block = len(lines) > 1 and all(line == line.rstrip() for line in lines)
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if block else None)


_Dumper.add_representer(str, _text)
