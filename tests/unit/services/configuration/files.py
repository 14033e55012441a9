"""Short ways to write configuration files in tests."""

from __future__ import annotations

import pytest
from postroom.errors import Invalid, Problem
from postroom.model.configuration.document import Configuration
from postroom.services.configuration.file import read_configuration
from postroom.services.configuration.yaml_tree import LocatedProblem

MAILBOX = """\
mailboxes:
  - name: support
    address: support@example.com
    server: imap.example.com
"""


def read(text: str) -> Configuration:
    """Read a file that is right."""
    return read_configuration(text).configuration


def problems(text: str) -> list[Problem]:
    """Read a file that is wrong."""
    with pytest.raises(Invalid) as caught:
        read_configuration(text)
    return list(caught.value.problems)


def only_problem(text: str) -> LocatedProblem:
    """Read a file with one thing wrong."""
    found = problems(text)
    assert len(found) == 1, [str(problem) for problem in found]
    assert isinstance(found[0], LocatedProblem)
    return found[0]


def mailbox(*lines: str) -> str:
    """Write a file with one mailbox that has these options too."""
    return MAILBOX + "".join(f"    {line}\n" for line in lines)
