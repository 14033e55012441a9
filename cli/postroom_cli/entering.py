"""Enter what does not belong on a command line: secrets without echo, texts in an editor."""

from __future__ import annotations

import contextlib
import getpass
import importlib
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from postroom.errors import Invalid, PostroomError, Problem


def enter_secret(prompt: str) -> str:
    """Ask twice on a terminal, else read standard input; one line end after it is not part of the secret."""
    if not sys.stdin.isatty():
        return sys.stdin.read().removesuffix("\n").removesuffix("\r")
    first = getpass.getpass(f"{prompt}: ")
    if getpass.getpass("The same again: ") != first:
        raise Invalid([Problem("secret", "was not typed the same twice.", "Try again.")])
    return first


def enter_once(prompt: str) -> str:
    """Ask once without echo, or read a line of standard input: what its issuer checks needs no typing twice."""
    return getpass.getpass(f"{prompt}: ") if sys.stdin.isatty() else sys.stdin.readline().strip()


def enter_line(prompt: str) -> str:
    """Ask for a line, or read one of standard input; empty at its end."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().strip()
    with contextlib.suppress(ImportError):
        # A terminal itself cuts lines (macOS: 1,024 characters, Linux: 4,096); codes of Microsoft may be longer.
        importlib.import_module("readline")
    sys.stderr.write(f"{prompt}\n")  # a line of its own: readline draws its line from the first column
    sys.stderr.flush()
    try:
        return input().strip()
    except EOFError:
        return ""


def edit_text(start: str) -> str:
    """Let the person write in their editor (VISUAL, EDITOR, else vi); returns the text as it was saved."""
    command = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    with tempfile.TemporaryDirectory(prefix="postroom-") as folder:
        path = Path(folder, "reply.txt")
        path.write_text(start, "utf-8")
        try:
            subprocess.run([*command, str(path)], check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise PostroomError(
                "The editor failed; nothing was sent", on=command[0], remedy="Set EDITOR, or give the text by --file."
            ) from error
        return path.read_text("utf-8")
