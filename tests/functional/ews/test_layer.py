"""Only the function that has the layer needs exchangelib; the others neither import it nor stumble without it."""

from __future__ import annotations

import subprocess
import sys

import pytest

LIBRARIES = "[name for name in sys.modules if name.split('.')[0] in ('exchangelib', 'requests_ntlm', 'lxml')]"


def run(script: str) -> str:
    """Run a script in a process of its own; return what it prints."""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


@pytest.mark.parametrize(
    "script",
    [
        pytest.param("from postroom.adapters.ews import EwsConnector; EwsConnector()", id="the connector"),
        pytest.param(
            "from types import SimpleNamespace\n"
            "from postroom import bootstrap\n"
            "bootstrap.connectors(SimpleNamespace(private_mail_networks=(), allow_plaintext_credentials=False))",
            id="the connectors of a function",
        ),
    ],
)
def test_nothing_of_the_layer_is_imported_before_a_mailbox_is_opened(script: str) -> None:
    assert run(f"import sys\n{script}\nprint({LIBRARIES})") == "[]"


def test_a_function_without_the_layer_says_where_the_mailbox_belongs() -> None:
    script = (
        "import sys, time\n"
        "sys.modules['exchangelib'] = None\n"
        "from postroom.adapters.ews import EwsConnector\n"
        "from postroom.errors import Permanent\n"
        "from postroom.model.configuration.mailbox import Mailbox\n"
        "box = Mailbox.model_validate({'name': 'a', 'address': 'a@example.com', 'type': 'EWS', 'server': 'https://a/'})\n"
        "try:\n"
        "    EwsConnector().open(box, secret='x', deadline=time.monotonic() + 1)\n"
        "except Permanent as error:\n"
        "    print(error.code, error.step)\n"
    )
    assert run(script) == "no_connector connect"


def test_the_library_is_imported_without_a_warning() -> None:
    assert run("import warnings; warnings.simplefilter('error'); import postroom.adapters.ews.session; print(1)") == "1"
