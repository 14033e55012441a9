"""What only some mailboxes need is loaded when the first of them is opened."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from postroom.adapters.lazy import LateTokens
from postroom.model.configuration.mailbox import Mailbox

LOADED = """
import sys
from postroom import bootstrap
from postroom.environment import read_environment
settings = read_environment({}, "allow_plaintext_credentials", "private_mail_networks")
made = bootstrap.connectors(settings)
assert {one.value for one in made} >= {"IMAP", "POP3", "GRAPH"}
bootstrap.tokens(settings, None, clock=None)
late = {"requests", "msal", "cryptography", "postroom.adapters.graph.session", "postroom.adapters.pop3.session"}
print(sorted(late & sys.modules.keys()))
"""


def test_a_function_starts_without_the_libraries_of_other_mailboxes() -> None:
    ran = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout.strip()) == (0, "[]"), ran.stderr


def test_it_is_made_once_however_many_ask_at_the_same_time() -> None:
    made: list[int] = []
    together = threading.Barrier(8)

    class Tokens:
        def access_token(self, mailbox: Mailbox, *, deadline: float, refused: str = "") -> str:
            return f"{mailbox.name} {deadline:.0f} {refused}"

    def make() -> Any:
        time.sleep(0.05)
        made.append(1)
        return Tokens()

    late = LateTokens(make)
    box = Mailbox(name="box", address="box@example.com")

    def ask(_number: int) -> str:
        together.wait(5)
        return late.access_token(box, deadline=7, refused="old")

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(8))) == {"box 7 old"}
    assert len(made) == 1
