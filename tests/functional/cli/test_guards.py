"""What is in use is not removed, on a stack of the template; what uses it is named (C04, C06, C10, G01)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.functional.cli.conftest import Command

FILE = """\
oauth_applications:
  - {name: office, client_id: c, tenant_id: t}
accounts:
  - {name: team, application: office, address: team@example.com}
mailboxes:
  - {name: team, address: team@example.com, account: team, enabled: yes}
aliases:
  - {name: team, address: team@example.com}
  - {name: main, address: main@example.com, default: yes}
"""

Write = Callable[[str], str]


def without(*starts: str) -> str:
    return "".join(line for line in FILE.splitlines(keepends=True) if not line.strip(" -").startswith(starts))


def refused(postroom: Command, path: str) -> dict[str, str]:
    ran = postroom("config", "apply", path, "--yes", "--json")
    assert ran.status == 2
    return {one["path"]: one["problem"] for one in ran.json["error"]["problems"]}


@pytest.mark.feature("C06", "C10")
def test_aliases_applications_and_accounts_in_use_stay(postroom: Command, write: Write) -> None:
    assert postroom("config", "apply", write(FILE), "--yes").status == 0
    default = refused(postroom, write(without("{name: main")))
    assert "default alias" in default["aliases[name=main]"]
    retrieved = refused(postroom, write(without("{name: team, address: team@example.com}")))
    assert "enabled mailbox `team`" in retrieved["aliases[name=team]"]
    application = refused(postroom, write(without("oauth_applications", "{name: office")))
    assert "`office`" in application["accounts[0].application"]
    account = refused(postroom, write(without("accounts", "{name: team, application")))
    assert "`team`" in account["mailboxes[0].account"]
    assert len(postroom("config", "history", "--json").json) == 1
    # Disabled first, alias and account may go with the mailbox, and the application after its account.
    disabled = FILE.replace(", enabled: yes", "")
    assert postroom("config", "apply", write(disabled), "--yes").status == 0
    last = "aliases:\n  - {name: main, address: main@example.com, default: yes}\n"
    assert postroom("config", "apply", write(last), "--yes").status == 0


def test_a_display_name_does_not_make_an_address_another(postroom: Command, write: Write) -> None:
    twice = FILE.replace("aliases:", "  - {name: b, address: 'T <TEAM@example.com>', server: x.example.com}\naliases:")
    assert "already" in refused(postroom, write(twice))["mailboxes[1].address"]
