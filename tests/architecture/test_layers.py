"""A function imports only what lies in its layers, or comes with Lambda's Python: a laptop has more than they have."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from tests.architecture.sources import ROOT

FUNCTIONS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))
OF_THE_RUNTIME = {"boto3", "botocore", "s3transfer", "jmespath", "python-dateutil", "urllib3", "six"}
OURS = {"postroom"}

SCRIPT = """
import importlib, importlib.metadata, json, sys
before = set(sys.modules)
importlib.import_module(f"functions.{sys.argv[1]}.app")
tops = {name.partition(".")[0] for name in set(sys.modules) - before}
known = importlib.metadata.packages_distributions()
print(json.dumps(sorted({one for top in tops for one in known.get(top, ())})))
"""


def locked(file: str) -> set[str]:
    """List the distributions of a lock file."""
    text = (ROOT / file).read_text("utf-8")
    return {name.casefold() for name in re.findall(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==", text, re.MULTILINE)}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_imports_only_what_its_layers_hold(function: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT, function], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stderr
    imported = {re.sub(r"[._]", "-", name.casefold()) for name in json.loads(ran.stdout.splitlines()[-1])}
    allowed = {re.sub(r"[._]", "-", name) for name in locked("layers/vendor/requirements.txt")} | OF_THE_RUNTIME | OURS
    assert imported - allowed == set()
