"""`postroom explain` needs no AWS: one JSON line for each mail, and what cannot be read does not stop the rest."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from postroom_cli.main import run

MAIL = (
    b"From: Ann <ann@example.org>\r\nTo: support@example.com\r\nCc: b@example.com\r\nSubject: Hello\r\n"
    b"Message-ID: <1@example.org>\r\nDate: Sat, 21 Nov 2026 01:00:00 +0000\r\n\r\nGood day\r\n\r\n> quoted\r\n"
)
SHAPE = {
    "source",
    "sha256",
    "outcome",
    "wrap_reason",
    "subtype",
    "subject",
    "from",
    "reply_to",
    "to",
    "cc",
    "date",
    "message_id",
    "in_reply_to",
    "references",
    "text",
    "text_reply",
    "html",
    "attachments",
    "automatic",
    "delivery_report",
    "queue",
    "decisions",
}


def explained(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[dict[str, object]], str]:
    status = run(["explain", *arguments, "--json"])
    captured = capsys.readouterr()
    return status, [json.loads(line) for line in captured.out.splitlines()], captured.err


def test_each_line_has_the_shape_that_is_promised(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.eml"
    path.write_bytes(MAIL)
    status, lines, _err = explained(capsys, str(path))
    assert (status, len(lines)) == (0, 1)
    assert set(lines[0]) >= SHAPE
    assert lines[0]["source"] == str(path)
    assert lines[0]["from"] == {"name": "Ann", "address": "ann@example.org"}
    assert lines[0]["automatic"] == {"is": False, "why": None}


def test_a_directory_is_walked_and_an_unreadable_file_is_told_while_the_rest_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b.eml").write_bytes(MAIL)
    (tmp_path / "a.eml").symlink_to(tmp_path / "gone.eml")
    (tmp_path / "c.eml").write_bytes(b"")
    (tmp_path / ".hidden").write_bytes(MAIL)
    status, lines, err = explained(capsys, str(tmp_path), str(tmp_path / "missing"))
    assert status == 6
    assert [Path(str(line["source"])).name for line in lines] == ["c.eml", "b.eml"]
    assert err.count("cannot be read") == 2


def test_the_configuration_of_a_file_decides_the_queue(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.eml").write_bytes(MAIL)
    config = tmp_path / "c.yaml"
    config.write_text(
        "queues: [{name: q}]\nendpoints: [{name: e, queue: q}]\n"
        "mailboxes: [{name: m, address: support@example.com, server: x.example.com, endpoint: e}]\n"
    )
    _status, lines, _err = explained(capsys, str(tmp_path / "a.eml"), "--config", str(config))
    assert lines[0]["queue"] == "q"
    assert run(["explain", str(tmp_path / "a.eml"), "--config", str(config), "--mailbox", "none", "--json"]) == 2


def test_bytes_that_are_no_text_are_one_line_of_json_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.eml").write_bytes(b"Subject: \xff\xfe\xed\xa0\x80\r\nFrom: \x80@\xff\r\n\r\n\xff\x00\xed\xa0\x80")
    status, lines, _err = explained(capsys, str(tmp_path))
    assert (status, len(lines)) == (0, 1)


@pytest.mark.slow
def test_a_hundred_mails_of_twenty_kilobytes_take_less_than_a_second(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = b"The quick brown fox jumps over the lazy dog, again and again."
    head = (
        MAIL.partition(b"\r\n\r\n")[0] + b"\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n"
    )
    text = b"\r\n--b\r\nContent-Type: text/plain\r\n\r\n" + (line + b"\r\n") * 100
    html = b"\r\n--b\r\nContent-Type: text/html\r\n\r\n" + (b"<p style='color:red'>" + line + b"</p>\r\n") * 150
    for number in range(200):
        mail = b"X-Number: %d\r\n%b%b%b\r\n--b--\r\n" % (number, head, text, html)
        assert 18_000 < len(mail) < 22_000
        (tmp_path / f"{number}.eml").write_bytes(mail)
    started = time.process_time()
    status, lines, _err = explained(capsys, str(tmp_path))
    assert (status, len(lines)) == (0, 200)
    assert 200 / (time.process_time() - started) >= 100


def test_importing_the_command_imports_neither_boto3_nor_the_mail_reader() -> None:
    import subprocess
    import sys

    code = "import postroom_cli.main, sys; print([m for m in ('boto3', 'botocore', 'nh3', 'yaml') if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ))
    assert ran.stdout.strip() == "[]"


def test_without_a_mailbox_it_says_that_none_was_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.eml").write_bytes(MAIL)
    _status, (told,), _err = explained(capsys, str(tmp_path))
    (why,) = [str(one["detail"]) for one in told["decisions"] if one["rule"] == "endpoint"]  # type: ignore[attr-defined]
    assert why.startswith("no mailbox was named")


def test_a_directory_without_mail_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, lines, err = explained(capsys, str(tmp_path))
    assert (status, lines) == (0, [])
    assert f"No mail was found in {tmp_path}" in err
