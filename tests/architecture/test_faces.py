"""A face gives the modules that it names in a fresh process too, not only where a test has imported them before."""

from __future__ import annotations

import subprocess
import sys

from tests.architecture.rooms import core
from tests.architecture.sources import CORE

SCRIPT = """
import importlib, importlib.util, sys
wrong, tried = [], 0
for face in sys.argv[1:]:
    for name in [name for name in sys.modules if name.split(".")[0] == "postroom"]:
        del sys.modules[name]
    room = importlib.import_module(face)
    for name in getattr(room, "__all__", ()):
        if importlib.util.find_spec(f"{face}.{name}") is not None:
            tried += 1
            if not hasattr(room, name):
                wrong.append(f"{face}.{name}")
    if hasattr(room, "a_name_that_nobody_has"):
        wrong.append(f"{face} has any name")
print(tried > 5, wrong)
"""


def test_every_module_that_a_face_names_is_found_by_its_attribute() -> None:
    faces = [name for name in core() if (CORE.parent / name.replace(".", "/") / "__init__.py").exists()]
    ran = subprocess.run([sys.executable, "-c", SCRIPT, *faces], capture_output=True, text=True, timeout=120)
    assert (ran.stdout.strip(), ran.stderr) == ("True []", "")
