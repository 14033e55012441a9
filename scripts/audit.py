"""Ask for known holes in what is locked, and write what that is as CycloneDX: `python -m scripts.audit`.

Both tools live in .venv-audit (requirements/audit.txt). Where no advisory data is reachable, the question is skipped by
name, and the SBOM is written all the same. Exit status 1: a hole is known, or a tool failed.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
BIN = ROOT / ".venv-audit" / "bin"
SBOM = ROOT / ".sbom"
LOCKS = {
    "layer-vendor": ROOT / "layers" / "vendor" / "requirements.txt",
    "layer-ews": ROOT / "layers" / "ews" / "requirements.txt",
    "tools": ROOT / "requirements" / "dev.txt",
}
"""Name of an SBOM → the lock that it lists."""

ADVISORIES = "https://api.osv.dev/v1/query"
_SECONDS = 10


def pins(lock: str) -> dict[str, str]:
    """Read name → version of a lock."""
    return dict(re.findall(r"^([a-z0-9._-]+)==([^\s;\\]+)", lock, re.MULTILINE))


def unreachable(url: str = ADVISORIES) -> str:
    """Say why no advisory data can be had; empty when it can. A proxy that answers for the service counts as none."""
    question = json.dumps({"package": {"name": "pip", "ecosystem": "PyPI"}, "version": "20.0"}).encode()
    request = urllib.request.Request(url, data=question, headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
            return "" if "vulns" in json.load(answer) else "its answer is none"
    except (urllib.error.URLError, OSError, ValueError) as error:
        return type(error).__name__ + (f" {error.code}" if isinstance(error, urllib.error.HTTPError) else "")


def holes(report: dict[str, Any]) -> list[str]:
    """List the known holes of pip-audit's report: package, version, advisory, and the version that mends it."""
    return [
        f"{one['name']} {one['version']}: {hole['id']}, mended in {', '.join(hole['fix_versions']) or 'no version yet'}"
        for one in report["dependencies"]
        for hole in one.get("vulns", ())
    ]


def audit(lock: Path) -> list[str]:
    """Ask pip-audit for the holes of a lock; raises SystemExit when it cannot tell."""
    command = [BIN / "pip-audit", "-r", lock, "--require-hashes", "--disable-pip", "-s", "osv", "-f", "json"]
    done = subprocess.run(
        [*map(str, command), "--progress-spinner", "off"], capture_output=True, text=True, check=False
    )
    try:
        return holes(json.loads(done.stdout))
    except (ValueError, KeyError) as error:
        raise SystemExit(f"pip-audit could not tell about {lock}:\n{done.stderr}") from error


def write_sbom(name: str, lock: Path) -> Path:
    """Write the SBOM of a lock; raises SystemExit when it does not list what the lock does."""
    SBOM.mkdir(exist_ok=True)
    path = SBOM / f"{name}.cdx.json"
    command = [BIN / "cyclonedx-py", "requirements", lock, "--output-reproducible", "--of", "JSON", "-o", path]
    subprocess.run(list(map(str, command)), check=True)
    if problem := incomplete(json.loads(path.read_text("utf-8")), lock.read_text("utf-8")):
        raise SystemExit(f"{path} {problem}")
    return path


def incomplete(sbom: dict[str, Any], lock: str) -> str:
    """Say what an SBOM lacks of a lock; empty when it is whole."""
    if sbom.get("bomFormat") != "CycloneDX":
        return "is no CycloneDX document"
    listed = {one["name"].lower(): one.get("version") for one in sbom.get("components", ())}
    missing = sorted(name for name, version in pins(lock).items() if listed.get(name) != version)
    return f"lacks {', '.join(missing)}" if missing else ""


def main() -> int:
    """Write the SBOMs, then audit."""
    for name, lock in LOCKS.items():
        print(f"SBOM: {write_sbom(name, lock).relative_to(ROOT)}")
    if reason := unreachable():
        print(f"Audit: SKIPPED, no advisory data is reachable ({ADVISORIES}: {reason})")
        return 0
    found = [hole for lock in LOCKS.values() for hole in audit(lock)]
    for hole in dict.fromkeys(found):
        print(f"Audit: {hole}")
    print(f"Audit: {len(set(found))} known holes in what is locked")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
