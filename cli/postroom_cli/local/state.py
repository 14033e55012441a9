"""Where a running local stack is: the file by which the other commands find it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

DEFAULT_DIRECTORY = Path(".postroom")
_FILE = "local.json"


@dataclass(frozen=True, slots=True)
class LocalState:
    """One running local stack."""

    endpoint_url: str
    region: str
    environment: Mapping[str, str]  # everything a function's code needs, credentials of the local AWS included
    api_url: str
    pid: int
    api_key: str = ""  # what requests to the API bring as `Authorization: Bearer`
    smtp_url: str = ""  # where mail for the local mailboxes is handed in, if there are any


def write_state(directory: Path, state: LocalState) -> Path:
    """Write the state file, whole or not at all; returns its path."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / _FILE
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    temporary.touch(0o600)  # the key is in it
    temporary.write_text(json.dumps(asdict(state), indent=2, sort_keys=True) + "\n", "utf-8")
    temporary.replace(path)
    return path


def read_state(directory: Path = DEFAULT_DIRECTORY) -> LocalState | None:
    """Return the stack that runs now, or None when there is none (also when it was killed and left its file)."""
    try:
        values = json.loads((directory / _FILE).read_text("utf-8"))
        state = LocalState(**values)
    except (FileNotFoundError, ValueError, TypeError):
        return None
    return state if _is_alive(state.pid) else None


def remove_state(directory: Path) -> None:
    """Remove this process's own state file, and the directory when nothing else is in it."""
    path = directory / _FILE
    state = read_state(directory)
    if state is not None and state.pid == os.getpid():
        path.unlink(missing_ok=True)
    if directory.is_dir() and not any(directory.iterdir()):
        directory.rmdir()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
