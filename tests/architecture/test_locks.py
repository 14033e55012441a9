"""Locks pin and hash everything, name no index, and what is tested is what is deployed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT

LOCKS = sorted([*(ROOT / "requirements").glob("*.txt"), *(ROOT / "layers").glob("*/requirements.txt")])
DEV = ROOT / "requirements" / "dev.txt"


def pins(lock: Path) -> dict[str, str]:
    """Read name → version."""
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", lock.read_text("utf-8"), re.MULTILINE))


def name(lock: Path) -> str:
    return str(lock.relative_to(ROOT))


@pytest.mark.parametrize("lock", LOCKS, ids=name)
def test_every_line_of_a_lock_is_pinned_and_hashed(lock: Path) -> None:
    entries = re.split(r"\n(?=\S)", lock.read_text("utf-8"))
    packages = [entry for entry in entries if not entry.startswith("#") and entry.strip()]
    assert packages
    assert [entry.splitlines()[0] for entry in packages if "--hash=sha256:" not in entry or "==" not in entry] == []


@pytest.mark.parametrize("lock", LOCKS, ids=name)
def test_a_lock_names_no_index(lock: Path) -> None:
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links", lock.read_text("utf-8"))


@pytest.mark.parametrize("lock", LOCKS, ids=name)
def test_a_lock_has_its_source_beside_it(lock: Path) -> None:
    assert lock.with_suffix(".in").exists()


@pytest.mark.parametrize("layer", ["vendor", "ews"])
def test_layers_ship_the_versions_that_tests_run_with(layer: str) -> None:
    tested = pins(DEV)
    shipped = pins(ROOT / "layers" / layer / "requirements.txt")
    assert {one: version for one, version in shipped.items() if tested.get(one) != version} == {}


def test_the_runtimes_own_boto3_is_in_no_layer() -> None:
    for layer in ("vendor", "ews"):
        shipped = pins(ROOT / "layers" / layer / "requirements.txt")
        assert not {"boto3", "botocore", "aws-xray-sdk"} & shipped.keys()
