"""The history reads well: a subject fits into one line of every tool."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.architecture.sources import ROOT

SINCE = "6287135f63f6"
"""The last commit with a longer subject; what came before stays as it is."""
LONGEST = 72


def git(*arguments: str) -> str:
    """Return what git says; skips where there is no history that reaches back far enough."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"the history up to {SINCE} is not here: {done.stderr.strip()[:100]}")
    return done.stdout


def too_long(log: str) -> list[str]:
    """List the subjects of a log that are too long."""
    return [subject for subject in log.splitlines() if len(subject) > LONGEST]


def test_subjects_of_commits_are_short() -> None:
    assert too_long(git("log", "--no-merges", "--format=%s", f"{SINCE}..HEAD")) == []


def test_the_commit_that_the_count_begins_after_is_one_of_ours() -> None:
    git("merge-base", "--is-ancestor", SINCE, "HEAD")
    assert too_long(git("log", "-1", "--format=%s", SINCE)) != []


def test_a_long_subject_is_found() -> None:
    assert too_long("mail: short\n" + "x" * 73) == ["x" * 73]
