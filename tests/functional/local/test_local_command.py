"""`postroom local --mail-servers` as a process: it says where things are, other commands find it, Ctrl-C clears up."""

from __future__ import annotations

import json
import signal
import smtplib
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

TEMPLATE = Path(__file__).parents[3] / "template.yaml"
MAIL = b"From: Ann <ann@example.net>\r\nTo: billing@example.com\r\nSubject: Two lamps\r\n\r\nPlease.\r\n"


def postroom(state: Path, *arguments: str) -> list[str]:
    """The command line of a command."""
    return [sys.executable, "-c", "from postroom_cli.main import main; main()", "--state", str(state), *arguments]


def first_interaction(state: Path) -> dict[str, Any]:
    """Ask the command until there is one."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        asked = subprocess.run(postroom(state, "interaction", "list", "--json"), capture_output=True, check=True)
        if asked.stdout.strip():
            found: dict[str, Any] = json.loads(asked.stdout.splitlines()[0])
            return found
        time.sleep(0.5)
    raise AssertionError("no mail became an interaction")


@pytest.mark.slow
def test_a_person_writes_to_a_local_mailbox_and_finds_the_mail_and_its_acknowledgement(tmp_path: Path) -> None:
    command = postroom(tmp_path, "local", "--template", str(TEMPLATE), "--mail-servers", "--json")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as running:
        try:
            path = tmp_path / "local.json"
            deadline = time.monotonic() + 60
            while not path.exists() and time.monotonic() < deadline:
                time.sleep(0.1)
            where = urlsplit(json.loads(path.read_text())["smtp_url"])
            with smtplib.SMTP(str(where.hostname), where.port or 0) as client:
                client.sendmail("ann@example.net", ["billing@example.com"], MAIL)
            found = first_interaction(tmp_path)
            assert (found["queue"], found["subject"]) == ("billing", "Two lamps")
            sent = tmp_path / "sent" / "0001.eml"
            while not sent.exists() and time.monotonic() < deadline:
                time.sleep(0.1)
            assert b"Auto-Submitted: auto-replied" in sent.read_bytes()
        finally:
            running.send_signal(signal.SIGINT)
            output, _errors = running.communicate(timeout=60)
    assert running.returncode == 0
    assert json.loads(output)["smtp_url"].startswith("smtp://127.0.0.1:")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["sent"]
