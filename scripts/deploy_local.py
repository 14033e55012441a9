"""Deploy the built stack to MiniStack with `sam deploy`, and see a mail become an interaction after the schedule fired.

Nothing here calls a function or reads a queue: the mail is put into an embedded IMAP server, and what follows is the
stack's own doing, in processes that import the built layers. The stack is configured as an operator would, with the
`postroom` command.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import boto3
from postroom_cli.mailservers import ImapServer

ROOT = Path(__file__).parents[1]
STACK = "postroom"
ADDRESS = "support@example.com"
PASSWORD = "not-a-secret-but-treated-as-one"
PATIENCE = 240  # seconds until the mail must be an interaction: the schedule ticks once a minute

MAIL = (
    b"From: Anna Berg <anna@example.org>\r\n"
    b"To: support@example.com\r\n"
    b"Subject: Found by the schedule\r\n"
    b"Message-ID: <deploy-local@example.org>\r\n"
    b"Date: Sat, 21 Nov 2026 02:00:00 +0000\r\n"
    b"\r\n"
    b"Nobody called a function for this.\r\n"
)


class Failed(Exception):
    """Something that must work did not; what is said is for the person who reads the log."""


def free_port() -> int:
    """Find a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def ministack(folder: Path) -> Iterator[str]:
    """Run MiniStack while it is entered; gives its endpoint."""
    port = free_port()
    environment = {
        **os.environ,
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LAMBDA_EXECUTOR": "local",
        "HOME": str(folder),
        "TMPDIR": str(folder),
    }
    log = folder / "ministack.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [ROOT / ".venv-ministack" / "bin" / "ministack"],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # its workers are its children: all of them end with the group
        )
        try:
            _await_health(f"http://127.0.0.1:{port}", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _await_health(endpoint: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if process.poll() is not None:
            raise Failed(f"MiniStack ended with status {process.returncode}")
        try:
            with urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=2):
                return
        except OSError:
            time.sleep(0.3)
    raise Failed("MiniStack did not answer within a minute")


def run(command: list[Any], *, environment: Mapping[str, str], say: str, given: str | None = None) -> str:
    """Run a command and return what it printed; raises Failed with all of it."""
    started = time.monotonic()
    done = subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        env=dict(environment),
        input=given or "",
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise Failed(f"{say} failed:\n{done.stdout}{done.stderr}")
    print(f"{say}: {time.monotonic() - started:.0f} s", flush=True)
    return done.stdout


def built() -> tuple[Path, str]:
    """Find the build for this machine's processor, and the name of that processor."""
    if os.uname().machine in ("arm64", "aarch64"):
        return ROOT / ".aws-sam" / "build", "arm64"
    return ROOT / ".aws-sam" / "host", "x86_64"


def deploy(environment: Mapping[str, str]) -> None:
    """Deploy the build with `sam deploy`."""
    build, architecture = built()
    options = ["--resolve-s3", "--no-confirm-changeset", "--no-progressbar", "--capabilities", "CAPABILITY_IAM"]
    parameters = [f"Architecture={architecture}", "PrivateMailNetworks=127.0.0.0/8"]
    run(
        [
            *(ROOT / ".venv-sam" / "bin" / "sam", "deploy", "--stack-name", STACK),
            *("--template-file", build / "template.yaml", *options, "--parameter-overrides", *parameters),
        ],
        environment=environment,
        say="sam deploy",
    )


def mend_concurrency() -> None:
    """Give each event source its concurrency as a number.

    CloudFormation turns a parameter of type Number into one; MiniStack 1.5 leaves it as text, which its own poller
    cannot compare.
    """
    client = boto3.client("lambda")
    for source in client.list_event_source_mappings()["EventSourceMappings"]:
        if most := source.get("ScalingConfig", {}).get("MaximumConcurrency"):
            client.update_event_source_mapping(UUID=source["UUID"], ScalingConfig={"MaximumConcurrency": int(most)})


def configuration(server: ImapServer) -> dict[str, Any]:
    """Describe one mailbox on the embedded server."""
    return {
        "settings": {"default_inbound_queue": "inbound", "default_department": "help"},
        "departments": [{"name": "help"}],
        "queues": [{"name": "inbound"}, {"name": "exceptions"}],
        "outbound_servers": [{"name": "smtp-client", "type": "ses"}],
        "mailboxes": [
            {
                "name": "support",
                "address": ADDRESS,
                "server": "127.0.0.1",
                "port": server.port,
                "ca_certificate": server.ca_pem,
                "password": {"secret": "support"},
                "cycle_time": "00:00:10",
                "enabled": True,
            }
        ],
    }


def await_interaction(environment: Mapping[str, str]) -> dict[str, Any]:
    """Ask, as an operator would, until the mail is in its queue."""
    postroom = str(ROOT / ".venv" / "bin" / "postroom")
    command = [postroom, "--stack", STACK, "interaction", "list", "--queue", "inbound", "--json"]
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        done = subprocess.run(
            [str(part) for part in [*command, "--json"]],
            env=dict(environment),
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise Failed(f"postroom interaction list failed:\n{done.stdout}{done.stderr}")
        for line in done.stdout.splitlines():
            row: dict[str, Any] = json.loads(line)
            return row
        time.sleep(3)
    raise Failed(f"The mail is no interaction after {PATIENCE} seconds")


def fired() -> int:
    """Count how often the schedule has run, by the log of the function behind it."""
    logs = boto3.client("logs")
    group = f"/postroom/{STACK}/schedule_polls"
    events = logs.filter_log_events(logGroupName=group, filterPattern="")["events"]
    return sum(event["message"].startswith("START RequestId") for event in events)


def main() -> int:
    """Do it; print what happened; answer 1 when it did not."""
    postroom = [ROOT / ".venv" / "bin" / "postroom", "--stack", STACK]
    with tempfile.TemporaryDirectory(prefix="postroom-deploy-") as name:
        folder = Path(name)
        try:
            with ministack(folder) as endpoint, ImapServer({ADDRESS: PASSWORD}) as server:
                variables = {
                    "AWS_ENDPOINT_URL": endpoint,
                    "AWS_ACCESS_KEY_ID": "test",
                    "AWS_SECRET_ACCESS_KEY": "test",
                    "AWS_DEFAULT_REGION": "eu-central-1",
                    "AWS_REGION": "eu-central-1",
                    "SAM_CLI_TELEMETRY": "0",
                }
                os.environ.update(variables)
                environment = {**os.environ, **variables}
                print(f"MiniStack answers at {endpoint}", flush=True)
                deploy(environment)
                mend_concurrency()
                run(
                    [*postroom, "secret", "set", "support"],
                    environment=environment,
                    say="postroom secret set",
                    given=PASSWORD + "\n",
                )
                file = folder / "configuration.json"
                file.write_text(json.dumps(configuration(server)), "utf-8")
                run(
                    [*postroom, "config", "apply", file, "--yes"],
                    environment=environment,
                    say="postroom config apply",
                )
                server.append(ADDRESS, "INBOX", MAIL)
                print("A mail lies in the mailbox; waiting for the schedule", flush=True)
                started = time.monotonic()
                row = await_interaction(environment)
                if row["subject"] != "Found by the schedule":
                    raise Failed(f"Another mail became an interaction: {row}")
                waited, ticks = time.monotonic() - started, fired()
                if not ticks:
                    raise Failed("The schedule did not run, whatever made the interaction")
                print(
                    f"Interaction {row['id']} in queue inbound after {waited:.0f} s and {ticks} tick(s) of the schedule"
                )
        except Failed as failure:
            print(f"deploy-local: {failure}", file=sys.stderr)
            _show(folder / "ministack.log")
            return 1
    return 0


def _show(log: Path) -> None:
    try:
        with log.open(encoding="utf-8", errors="replace") as lines:
            _print_last(lines)
    except FileNotFoundError:
        return


def _print_last(lines: IO[str], most: int = 60) -> None:
    print("The end of MiniStack's log:", file=sys.stderr)
    for line in lines.readlines()[-most:]:
        print(f"  {line.rstrip()[:400]}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
