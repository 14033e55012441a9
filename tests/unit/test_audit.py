"""What is locked is listed whole (SBOM), and the audit says what it found, or that it could not ask."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from scripts import audit

LOCK = "requests==2.34.2 \\\n    --hash=sha256:aa\nnh3==0.3.7 ; python_version >= '3.13' \\\n    --hash=sha256:bb\n"


def sbom(**versions: str) -> dict[str, Any]:
    return {"bomFormat": "CycloneDX", "components": [{"name": n, "version": v} for n, v in versions.items()]}


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (sbom(requests="2.34.2", nh3="0.3.7"), ""),
        (sbom(requests="2.34.2"), "lacks nh3"),
        (sbom(requests="2.34.1", nh3="0.3.7"), "lacks requests"),
        ({"components": []}, "is no CycloneDX document"),
    ],
    ids=["whole", "one-left-out", "another-version", "something-else"],
)
def test_an_sbom_lists_every_pin_of_its_lock(document: dict[str, Any], problem: str) -> None:
    assert audit.incomplete(document, LOCK) == problem


def test_every_lock_that_ships_or_builds_is_listed() -> None:
    listed = set(audit.LOCKS.values())
    assert set((audit.ROOT / "layers").glob("*/requirements.txt")) <= listed
    assert all(audit.pins(lock.read_text("utf-8")) for lock in listed)


def test_holes_are_told_with_their_advisory_and_what_mends_them() -> None:
    report = {
        "dependencies": [
            {"name": "a", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]},
            {"name": "b", "version": "1", "vulns": [{"id": "GHSA-2", "fix_versions": []}]},
            {"name": "c", "version": "1", "vulns": []},
            {"name": "d", "skip_reason": "not found"},
        ]
    }
    assert audit.holes(report) == ["a 1: PYSEC-1, mended in 2", "b 1: GHSA-2, mended in no version yet"]


@contextmanager
def service(status: int, body: bytes) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "body", "reachable"),
    [
        (200, json.dumps({"vulns": [{"id": "x"}]}).encode(), True),
        (200, b"{}", False),
        (200, b"<html>Sign in to this network</html>", False),
        (403, b"forbidden", False),
        (503, b"", False),
    ],
    ids=["the-service", "an-empty-answer", "a-portal", "a-proxy-that-forbids", "broken"],
)
def test_only_advisory_data_counts_as_reachable(
    monkeypatch: pytest.MonkeyPatch, status: int, body: bytes, *, reachable: bool
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with service(status, body) as url:
        reason = audit.unreachable(url)
    assert (reason == "") is reachable


def test_what_cannot_be_asked_is_skipped_by_name_and_the_sbom_is_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(audit, "write_sbom", lambda name, _lock: audit.SBOM / f"{name}.cdx.json")
    monkeypatch.setattr(audit, "unreachable", lambda: "URLError")
    assert audit.main() == 0
    told = capsys.readouterr().out
    assert "SKIPPED" in told
    assert told.count("SBOM:") == len(audit.LOCKS)


@pytest.mark.parametrize(("found", "status"), [([], 0), (["a 1: PYSEC-1, mended in 2"], 1)])
def test_a_known_hole_fails_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], found: list[str], status: int
) -> None:
    def asked(_lock: Path) -> list[str]:
        return found

    monkeypatch.setattr(audit, "write_sbom", lambda name, _lock: audit.SBOM / name)
    monkeypatch.setattr(audit, "unreachable", lambda: "")
    monkeypatch.setattr(audit, "audit", asked)
    assert audit.main() == status
    assert f"{len(found)} known holes" in capsys.readouterr().out
