"""What `make build` made: the translated template keeps the rules of permissions, and the check sees what is wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts import check_build
from tests.architecture.permissions import violations
from tests.architecture.sources import ROOT

SAM_PYTHON = ROOT / ".venv-sam" / "bin" / "python"
BUILD = ROOT / ".aws-sam" / "build"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not SAM_PYTHON.exists() or not BUILD.exists(), reason="nothing is built; run `make build`"),
]


@pytest.fixture(scope="module")
def translated() -> dict[str, Any]:
    """template.yaml as CloudFormation gets it."""
    done = subprocess.run(
        [SAM_PYTHON, "scripts/translate.py", "template.yaml"],
        cwd=ROOT,
        env={"AWS_DEFAULT_REGION": "eu-central-1", "PATH": os.environ["PATH"]},
        capture_output=True,
        check=True,
    )
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_no_role_has_a_wildcard_once_sam_has_added_its_own(translated: dict[str, Any]) -> None:
    roles = [name for name, resource in translated["Resources"].items() if resource["Type"] == "AWS::IAM::Role"]
    assert len(roles) > 8, "SAM adds a role for each schedule"
    assert violations(translated["Resources"]) == []


def test_sam_adds_no_route_and_no_public_permission(translated: dict[str, Any]) -> None:
    permissions = {
        name: resource["Properties"]
        for name, resource in translated["Resources"].items()
        if resource["Type"] == "AWS::Lambda::Permission"
    }
    # Each of the two APIs, of people and of machines, may call each of the two functions behind it.
    assert sorted(permissions) == sorted(
        f"{api}{function}Permission" for function in ("AdminApi", "DeskApi") for api in ("", "Machine")
    )
    assert {permission["Principal"] for permission in permissions.values()} == {"apigateway.amazonaws.com"}
    assert all("SourceArn" in permission for permission in permissions.values())


def test_every_function_is_built_with_its_layers() -> None:
    built = {artefact.name: artefact for artefact in check_build.artefacts(BUILD)}
    assert set(built) == {
        *("SchedulePolls", "FetchMailboxes", "FetchEws", "ProcessInbound", "SendOutbound", "TrackDelivery", "Sweep"),
        *("AdminApi", "DeskApi"),
    }
    assert all((artefact.code / "app.py").exists() for artefact in built.values())
    assert {name: len(artefact.layers) for name, artefact in built.items() if name != "FetchEws"} == dict.fromkeys(
        built.keys() - {"FetchEws"}, 2
    )
    assert len(built["FetchEws"].layers) == 3


def test_boto3_is_left_to_the_runtime() -> None:
    layers = {layer for artefact in check_build.artefacts(BUILD) for layer in artefact.layers}
    assert [path.name for layer in layers for path in (layer / "python").glob("boto*")] == []


def test_a_handler_that_imports_what_no_layer_has_is_seen(tmp_path: Path) -> None:
    code = tmp_path / "code"
    code.mkdir()
    (code / "app.py").write_text("import rich\ndef handler(event, context): ...\n")
    artefact = check_build.Artefact("Planted", code, (), "app.handler", "planted", {})
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    found = check_build.probe(artefact, python=sys.executable, runtime=check_build.runtime_folder(runtime))
    assert "No module named 'rich'" in found["error"]


def test_a_module_that_is_not_compiled_is_seen(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text("")
    assert [path.name for path in check_build.uncompiled(tmp_path)] == ["module.py"]
