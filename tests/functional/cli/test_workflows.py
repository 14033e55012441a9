"""Workflows at the command line: expectations held by `config check`, and dry runs over mails."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.functional.cli.conftest import Command
from tests.support.mails import mail

CONFIGURATION = """
queues: [{name: general}, {name: billing}]
workflows:
  - name: invoices
    when: {field: subject, contains: invoice}
    then: [{set_priority: 5}, {route: billing}]
    expect:
      - {mail: mails/invoice.eml, actions: [set_priority, route]}
      - {mail: mails/hello.eml, actions: %s}
  - name: reports
    when: {field: report.kind, exists: true}
    then: [{note: "{{report.kind}}"}]
  - name: broken
    when: {field: subject, contains: hello}
    then: [{note: "{{report.kind}}"}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mails").mkdir()
    for name, subject in (("invoice", "Your invoice"), ("hello", "Hello")):
        (tmp_path / "mails" / f"{name}.eml").write_bytes(mail(subject=subject))
    (tmp_path / "postroom.yaml").write_text(CONFIGURATION % "[]")
    return tmp_path


@pytest.mark.feature("W09")
def test_what_a_file_expects_of_its_workflows_is_held_by_the_check(postroom: Command, folder: Path) -> None:
    assert postroom("config", "check", str(folder / "postroom.yaml")).status == 0
    (folder / "postroom.yaml").write_text(CONFIGURATION % "[route]")
    (folder / "mails" / "invoice.eml").unlink()
    ran = postroom("config", "check", str(folder / "postroom.yaml"))
    assert ran.status != 0
    said = " ".join((ran.out + ran.err).split())
    assert "workflows[0].expect[0].mail" in said
    assert "cannot be read" in said
    assert "workflows[0].expect[1].actions" in said
    assert "plans nothing (no-match), not route" in said


@pytest.mark.feature("W07")
def test_a_dry_run_tells_matches_failures_and_what_never_matched(postroom: Command, folder: Path) -> None:
    arguments = ("workflow", "try", str(folder / "postroom.yaml"), str(folder / "mails"))
    invoices, reports, broken = postroom(*arguments, "--json").lines
    assert invoices["results"] == {"applied": 1, "no-match": 1}
    assert invoices["actions"] == {"set_priority": 1, "route": 1}
    assert [Path(one).name for one in invoices["examples"]] == ["invoice.eml"]
    assert reports["results"] == {"no-match": 2}
    assert "report.kind is missing" in broken["failures"][0]
    shown = postroom(*arguments).out
    assert "invoices: applied 1, no-match 1" in shown
