"""`python -m tests.soak --mails 300`: mails from a real Dovecot to interactions and acknowledgements, under kill -9.

Seven processes run the real handlers against moto's server, Dovecot and Postfix's smtp-sink. While mail arrives they
are killed at random and answers of AWS get lost; then they are left alone until nothing moves. Afterwards every mail
must be one interaction with its bytes, none wrapped, and no recipient may have got an acknowledgement twice.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from postroom_cli.local.aws_server import LocalAws
from postroom_cli.local.environment import environment, local_environment
from postroom_cli.local.functions import read_functions, shared_environment
from postroom_cli.local.makers import MAKERS
from postroom_cli.local.stack import Aws, Stack
from postroom_cli.local.template import read_template
from postroom_cli.local.triggers import RouteTrigger, read_triggers

from tests.soak.installation import MAILBOXES, Installation
from tests.soak.plan import WORKERS, Plan
from tests.support.dovecot import Dovecot, dovecot
from tests.support.smtp_sink import smtp_sink

ROOT = Path(__file__).parents[2]
_SETTLE_SHARE = 0.6  # of the time given that is kept for settling
_QUIET_SECONDS = 5.0
_SAY_SECONDS = 20.0


def main(arguments: Sequence[str]) -> int:
    """Run one soak; answer 0 when everything is exactly once."""
    options = _options(arguments)
    print(f"{options.mails} mails, seed {options.seed}, {options.seconds} s at most", flush=True)
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="postroom-soak-")))
        sink_folder = folder / "sent"
        sink_folder.mkdir()
        folder.chmod(0o755)
        sink_folder.chmod(0o777)
        mail_server = opened.enter_context(dovecot({one.login: "secret" for one in MAILBOXES}))
        sink = opened.enter_context(smtp_sink("-d", f"{sink_folder}/mail."))
        aws_server = opened.enter_context(LocalAws())
        installation = _installation(opened, aws_server, mail_server, sink.port, sink_folder)
        plan = _plan(installation, aws_server, folder, options)
        return _soak(installation, plan, folder, options)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--mails", type=int, default=300)
    parser.add_argument("--seconds", type=int, default=280, help="when to give up")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--speed", type=float, default=15.0, help="of the installation's clock")
    parser.add_argument("--lost-answers", type=float, default=0.01, help="share of AWS answers that get lost")
    parser.add_argument("--kill-every", type=float, default=2.0, help="seconds between two kills, on average")
    return parser.parse_args(arguments)


def _installation(
    opened: ExitStack, aws_server: LocalAws, mail_server: Dovecot, smtp_port: int, sink_folder: Path
) -> Installation:
    base = local_environment({}, endpoint_url=aws_server.endpoint_url, key=aws_server.key)
    opened.enter_context(environment(base))
    template = read_template(
        ROOT / "template.yaml",
        stack="postroom-soak",
        overrides={"PrivateMailNetworks": "127.0.0.0/8,::1/128", "AllowPlaintextCredentials": "true"},
    )
    stack = Stack(template, Aws(aws_server.endpoint_url), makers=MAKERS, api_url="http://127.0.0.1")
    stack.make()
    variables = {**base, **shared_environment(read_functions(stack))}
    os.environ.update(variables)
    installation = Installation(stack, variables, mail_server, sink_folder)
    installation.configure(smtp_port)
    return installation


def _plan(installation: Installation, aws_server: LocalAws, folder: Path, options: argparse.Namespace) -> Plan:
    functions = read_functions(installation.stack)
    triggers = [one for one in read_triggers(installation.stack, functions) if not isinstance(one, RouteTrigger)]
    driven = {name for names in WORKERS.values() for name in names}
    plan = Plan(
        triggers=tuple(one for one in triggers if one.function.verb_noun in driven and "Ews" not in one.function.name),
        endpoint_url=aws_server.endpoint_url,
        environment={**installation.environment, "PYTHONHASHSEED": "0"},
        started=time.time(),
        speed=options.speed,
        lost_answers=options.lost_answers,
        troubled=folder / "troubled",
    )
    plan.write(folder / "plan.json")
    return plan


class Workers:
    """The seven processes: started, killed, started again."""

    def __init__(self, plan_path: Path, chance: random.Random, errors: Path) -> None:
        self._plan_path = plan_path
        self._chance = chance
        self._errors = errors.open("wb")
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.kills = 0

    def start(self, name: str) -> None:
        """Start a worker in a process group of its own."""
        command = [sys.executable, "-m", "tests.soak.worker", str(self._plan_path), name, str(self._chance.random())]
        self._running[name] = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=self._errors, stderr=self._errors
        )

    def kill_one(self) -> None:
        """Kill a worker with -9, wherever it is, and start it anew."""
        name = self._chance.choice(sorted(self._running))
        self._end(name)
        self.kills += 1
        self.start(name)

    def restart_dead(self) -> None:
        """Start workers anew that ended by themselves."""
        for name, process in self._running.items():
            if process.poll() is not None:
                self.start(name)

    def stop(self) -> None:
        """End them all."""
        for name in self._running:
            self._end(name)
        self._errors.close()

    def _end(self, name: str) -> None:
        process = self._running[name]
        process.send_signal(signal.SIGKILL)
        process.wait()


@contextmanager
def _workers(plan_path: Path, chance: random.Random, errors: Path) -> Iterator[Workers]:
    workers = Workers(plan_path, chance, errors)
    try:
        for name in WORKERS:
            workers.start(name)
        yield workers
    finally:
        workers.stop()


def _soak(installation: Installation, plan: Plan, folder: Path, options: argparse.Namespace) -> int:
    chance = random.Random(options.seed)
    began = time.monotonic()
    with _workers(folder / "plan.json", chance, folder / "errors") as workers:
        while not installation.looked_at():
            if time.monotonic() - began > options.seconds / 3:
                print("The mailboxes were never looked at.")
                return 1
            time.sleep(0.5)
        waiting = list(range(options.mails))
        quiet_from = time.monotonic() + (began + options.seconds - time.monotonic()) * (1 - _SETTLE_SHARE)
        delivering_from = time.monotonic()
        plan.troubled.touch()
        next_kill = time.monotonic() + options.kill_every
        settled_since = told = 0.0
        while time.monotonic() - began < options.seconds:
            now = time.monotonic()
            if waiting and now < quiet_from:
                share = min(1.0, (now - delivering_from) / ((quiet_from - delivering_from) * 0.8))
                arrived = options.mails - len(waiting)
                for _ in range(max(0, int(share * options.mails) - arrived)):
                    installation.deliver(waiting.pop(0), now=plan.now(time.time()))
            elif waiting:
                while waiting:
                    installation.deliver(waiting.pop(0), now=plan.now(time.time()))
            if now < quiet_from and now >= next_kill:
                workers.kill_one()
                next_kill = now + chance.uniform(0.5, 1.5) * options.kill_every
            if now >= quiet_from and plan.troubled.exists():
                plan.troubled.unlink()
            workers.restart_dead()
            done = installation.interactions_made()
            still = installation.nothing_moves(done)
            text = f"{done}/{options.mails} interactions, {installation.moving} moving, {workers.kills} kills"
            told = _progress(f"{text}, {now - began:.0f} s", done / max(1, options.mails), told, now)
            if not waiting and now >= quiet_from and still:
                settled_since = settled_since or now
                if now - settled_since > _QUIET_SECONDS:
                    break
            else:
                settled_since = 0.0
            time.sleep(0.5)
        print()
        print(f"{workers.kills} kills in {time.monotonic() - began:.0f} s")
    problems = installation.problems(options.mails)
    for problem in problems[:40]:
        print(problem)
    errors = Counter((folder / "errors").read_text("utf-8", "replace").splitlines())
    if problems:
        kept = Path(tempfile.gettempdir()) / f"postroom-soak-{options.seed}.errors"
        shutil.copy(folder / "errors", kept)
        print(f"What the processes said: {kept}; most often: {errors.most_common(3)}")
    print(installation.summary())
    print(
        "soak: " + ("FAILED" if problems else "every mail once, none wrapped, none sent twice"),
        f"(seed {options.seed})",
    )
    return 1 if problems else 0


def _progress(text: str, share: float, told: float, now: float) -> float:
    """Draw a bar, or, where nobody watches, say a line now and then; returns when something was said last."""
    if sys.stdout.isatty():
        print(f"\r[{'#' * int(40 * share):<40}] {text}", end="", flush=True)
    elif now - told >= _SAY_SECONDS:
        print(text, flush=True)
        return now
    return told


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
