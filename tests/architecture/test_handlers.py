"""Handlers are sentences: thin, nothing happens when they are imported, and each sample event is understood."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from postroom import bootstrap

from tests.architecture.sources import ROOT, functions

APPS = sorted((ROOT / "functions").glob("*/app.py"))
MOST_LINES = 60


@pytest.mark.parametrize("app", APPS, ids=lambda app: app.parent.name)
def test_a_handler_is_thin_and_the_only_file_of_its_function(app: Path) -> None:
    assert len(app.read_text("utf-8").splitlines()) <= MOST_LINES
    others = {path.name for path in app.parent.iterdir() if path.name != "__pycache__"} - {"app.py", "__init__.py"}
    assert others == set()


def test_the_template_names_every_handler_and_no_other() -> None:
    named = {(Path(function["CodeUri"]).name, function["Handler"]) for function in functions().values()}
    assert {folder for folder, _handler in named} == {app.parent.name for app in APPS}
    for folder, handler in named:
        module, _dot, attribute = handler.partition(".")
        assert callable(getattr(importlib.import_module(f"functions.{folder}.{module}"), attribute))


def test_nothing_happens_at_import() -> None:
    """No setting, no region, no credentials: importing all handlers must neither need nor make anything."""
    modules = [f"functions.{app.parent.name}.app" for app in APPS]
    check = (
        "import boto3, importlib, threading\n"
        "def refuse(*_args, **_kwargs): raise AssertionError('a client at import')\n"
        "boto3.client = boto3.resource = boto3.Session = boto3.setup_default_session = refuse\n"
        f"for module in {modules!r}: importlib.import_module(module)\n"
        "assert threading.active_count() == 1, 'a thread at import'\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-c", check],
        env={"PATH": os.environ["PATH"]},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


# --- sample events --------------------------------------------------------------------------------------------------

EVENTS = {path.stem: path for path in sorted((ROOT / "events").glob("*.json"))}

UNDERSTOOD: dict[str, tuple[str, Any]] = {
    "schedule_polls": ("schedule_polls", [{"scheduled": "2026-11-21T02:00:37Z"}]),
    "sweep": ("sweep", []),
    "fetch_mailboxes": ("fetch_mailboxes", [{"v": 1, "mailboxes": ["support", "sales"], "backlog": False}]),
    "fetch_mailboxes_backlog": ("fetch_mailboxes", [{"v": 1, "mailboxes": ["support"], "backlog": True}]),
    "process_inbound": ("process_inbound", ["raw/2026/11/21/02/support/"]),
    "process_inbound_test_event": ("process_inbound", ["s3:TestEvent"]),
    "send_outbound": ("send_outbound", [{"v": 1, "outbound": "k3j5h2g7f4d6s8a9p0o1i2u3y4"}]),
    "track_delivery": ("track_delivery", ["Delivery"]),
    "track_delivery_bounce": ("track_delivery", ["Bounce"]),
}
"""Sample event → the function it is for, and what its service is handed, whole or in its telling part."""


class Context:
    """What Lambda hands over, as far as the handlers ask."""

    function_name = "test"
    aws_request_id = "52fdfc07-2182-154f-163f-5f0f9a621d72"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


class Recorder:
    """Stands in for a service and keeps what it is called with."""

    def __init__(self, error: Exception | None = None) -> None:
        self.calls: list[Any] = []
        self.error = error

    def __call__(self, *given: Any) -> Any:
        self.calls += [argument for argument in given[:1] if isinstance(argument, Mapping)]
        if self.error:
            raise self.error
        return {}


def load(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(EVENTS[name].read_text("utf-8"))
    return loaded


@pytest.mark.parametrize("name", UNDERSTOOD)
def test_a_sample_event_reaches_the_service(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    function, expected = UNDERSTOOD[name]
    service = Recorder()
    monkeypatch.setattr(bootstrap, function, lambda: service)
    answer = importlib.import_module(f"functions.{function}.app").handler(load(name), Context())
    if answer and "batchItemFailures" in answer:
        assert answer["batchItemFailures"] == []
    for given, wanted in zip(service.calls, expected, strict=True):
        assert given == wanted if isinstance(wanted, dict) else wanted in json.dumps(given).replace("%2F", "/")


@pytest.mark.parametrize("name", [name for name in UNDERSTOOD if "Records" in load(name)])
@pytest.mark.fault(47)
def test_one_bad_record_goes_back_and_the_others_are_done(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    function, _expected = UNDERSTOOD[name]
    event = load(name)
    good = event["Records"][0]
    event["Records"] = [good | {"messageId": f"m{number}"} for number in range(10)]
    event["Records"][3] |= {"body": '{"bad": true}'}
    done: list[Any] = []

    def service(record: Mapping[str, Any], *_time: int) -> None:
        if "bad" in record:
            raise ValueError("not to be had")
        done.append(record)

    monkeypatch.setattr(bootstrap, function, lambda: service)
    answer = importlib.import_module(f"functions.{function}.app").handler(event, Context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m3"}]}
    assert len(done) == 9


def test_every_sample_event_is_used() -> None:
    assert set(EVENTS) == set(UNDERSTOOD) | {"api", "api_reply"}, "tests/functional/test_http_api.py uses the API's"
