"""Check what `sam build` made: every handler imports from its artefact, with only its own layers, and sizes hold.

Usage: python -m scripts.check_build BUILD HOST --python PYTHON

BUILD is what is deployed. HOST is the same build for this machine's processor (the same folder where it is arm64):
handlers are imported from it. PYTHON is the runtime's Python.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from postroom_cli.local.intrinsics import load_document

LIMIT = 120_000_000
"""Bytes, unzipped, of a function with its layers. Lambda's own limit is 250 MB; cold starts pay for each of them."""

RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six.py")
"""What Lambda's Python runtime brings: boto3 and what it needs."""

PROBE = """
import importlib, json, sys, time
handler, service, extra, own = json.loads(sys.argv[1])
started = time.perf_counter()
module, _, attribute = handler.partition(".")
imported = importlib.import_module(module)
assert callable(getattr(imported, attribute)), f"{handler} cannot be called"
took = time.perf_counter() - started
from postroom import bootstrap
getattr(bootstrap, service)()  # what is imported late, and every client; no call is made
for name in extra:
    importlib.import_module(name)
strangers = sorted(
    name for name, module in sys.modules.items()
    if (path := getattr(module, "__file__", None)) and not path.startswith((*own, sys.base_prefix))
)
print(json.dumps({"seconds": took, "strangers": strangers}))
"""


@dataclass(frozen=True, slots=True)
class Artefact:
    """One built function: its folder, its layers' folders in the order of the template, and how it is called."""

    name: str
    code: Path
    layers: tuple[Path, ...]
    handler: str
    service: str
    variables: Mapping[str, str]


def artefacts(build: Path) -> Iterator[Artefact]:
    """Read which functions a build holds."""
    resources = load_document((build / "template.yaml").read_text("utf-8"))
    shared = resources.get("Globals", {}).get("Function", {})
    for name, resource in resources["Resources"].items():
        if resource["Type"] != "AWS::Serverless::Function":
            continue
        properties = resource["Properties"]
        layers = [*shared.get("Layers", []), *properties.get("Layers", [])]
        variables = {
            **shared.get("Environment", {}).get("Variables", {}),
            **properties.get("Environment", {}).get("Variables", {}),
        }
        yield Artefact(
            name=name,
            code=build / properties["CodeUri"],
            layers=tuple(build / resources["Resources"][layer["Ref"]]["Properties"]["ContentUri"] for layer in layers),
            handler=properties.get("Handler") or shared["Handler"],
            service=variables["POWERTOOLS_SERVICE_NAME"],
            variables={key: _example(key, value) for key, value in variables.items()},
        )


def _example(variable: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if variable == "ALLOW_PLAINTEXT_CREDENTIALS":
        return "false"
    if variable == "PRIVATE_MAIL_NETWORKS":
        return ""
    return f"https://{variable.lower().replace('_', '-')}.invalid" if variable.endswith("_URL") else variable.lower()


def size(folder: Path) -> int:
    """Count the bytes in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def uncompiled(folder: Path) -> list[Path]:
    """List the modules of a layer that lack their .pyc."""
    return [
        path
        for path in folder.rglob("*.py")
        if not (path.parent / "__pycache__" / f"{path.stem}.cpython-313.pyc").exists()
    ]


def compiled_libraries(folder: Path) -> set[str]:
    """Name the compiled libraries in a build, without the processor they are for."""
    return {re.sub(r"\.(cpython|abi3).*$", "", str(path.relative_to(folder))) for path in folder.rglob("*.so")}


def probe(artefact: Artefact, *, python: str, runtime: Path) -> dict[str, Any]:
    """Import one handler in a process of its own that sees its artefact, its layers and the runtime; nothing else."""
    paths = [artefact.code, *(layer / "python" for layer in artefact.layers), runtime]
    extra = ["exchangelib"] if any("Ews" in layer.name for layer in artefact.layers) else []
    own = [str(path.resolve()) for path in paths]
    given = json.dumps([artefact.handler, artefact.service, extra, [*own, str(runtime)]])
    return _answer(
        subprocess.run(
            # -I and -S: no environment, no user's and no site's packages.
            [python, "-I", "-S", "-c", f"import sys; sys.path[:0] = {own!r}\n{PROBE}", given],
            env={"AWS_DEFAULT_REGION": "eu-central-1", "PATH": "/usr/bin:/bin", **artefact.variables},
            capture_output=True,
            text=True,
            timeout=60,
        )
    )


def _answer(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    if done.returncode:
        return {"error": done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "it died"}
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def runtime_folder(into: Path) -> Path:
    """Make a folder that holds what Lambda's runtime holds, taken from the development environment."""
    packages = Path(sysconfig.get_paths()["purelib"])
    for name in RUNTIME:
        (into / name).symlink_to(packages / name)
    return into


def main() -> int:
    """Print a line for each function; answer 1 when something is wrong."""
    parser = argparse.ArgumentParser(description="Check what `sam build` made.")
    parser.add_argument("build", type=Path)
    parser.add_argument("host", type=Path)
    parser.add_argument("--python", required=True)
    given = parser.parse_args()

    problems: list[str] = []
    built = {artefact.name: artefact for artefact in artefacts(given.build)}
    on_host = {artefact.name: artefact for artefact in artefacts(given.host)}
    if given.host != given.build:
        print(
            "This machine is not arm64, so arm64's libraries cannot be imported here: the handlers below are imported"
        )
        print(
            "from a second build of the same template and locks for this processor. Sizes are those of the arm64 build."
        )
        if missing := compiled_libraries(given.host) ^ compiled_libraries(given.build):
            problems.append(f"only one of the two builds has the compiled libraries {', '.join(sorted(missing))}")
    print(f"{'function':<16} {'own':>8} {'layers':>8} {'together':>9}   import")
    with tempfile.TemporaryDirectory() as folder:
        runtime = runtime_folder(Path(folder))
        for name, artefact in built.items():
            own, layers = size(artefact.code), sum(size(layer) for layer in artefact.layers)
            found = probe(on_host[name], python=given.python, runtime=runtime)
            said = f"{found['seconds']:.2f} s" if "seconds" in found else f"FAILED: {found['error']}"
            print(f"{name:<16} {own / 1e6:>5.1f} MB {layers / 1e6:>5.1f} MB {(own + layers) / 1e6:>6.1f} MB   {said}")
            if own + layers > LIMIT:
                problems.append(f"{name} is larger than {LIMIT / 1e6:.0f} MB")
            if "error" in found:
                problems.append(f"{name} cannot be imported from its artefact")
            if found.get("strangers"):
                problems.append(f"{name} imports what it does not bring: {', '.join(found['strangers'][:5])}")
    for layer in sorted({layer for artefact in built.values() for layer in artefact.layers}):
        if lacking := uncompiled(layer):
            problems.append(f"{layer.name} has {len(lacking)} modules that are not compiled, such as {lacking[0].name}")
    for problem in problems:
        print(f"- {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
