"""Enter what does not belong on a command line: secrets without echo, texts in an editor."""

from __future__ import annotations

import getpass
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
