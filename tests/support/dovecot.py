"""A private Dovecot: the real IMAP and POP3 server on free ports, in a directory of its own, stopped by its pid.

Works as root (Dovecot then drops to its own users for logins, and reads mail as `nobody`) and as any other user.
"""

from __future__ import annotations

import contextlib
import getpass
import grp
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import certificates

_BINARY = shutil.which("dovecot") or "/usr/sbin/dovecot"

CONFIGURATION = """
protocols = imap pop3
listen = 127.0.0.1
base_dir = {base}/run
state_dir = {base}/state
log_path = {base}/log
instance_name = postroom-{pid}
default_login_user = {login_user}
default_internal_user = {internal_user}
default_internal_group = {internal_group}
{chroot}
ssl = yes
ssl_cert = <{base}/server.pem
ssl_key = <{base}/server.key
ssl_min_protocol = TLSv1.2
disable_plaintext_auth = no
auth_mechanisms = plain login{mechanisms}
auth_failure_delay = 0 secs
mail_fsync = never
mail_location = maildir:{base}/mail/%u
mail_uid = {mail_user}
mail_gid = {mail_group}
first_valid_uid = 0
first_valid_gid = 0
namespace inbox {{
  inbox = yes
  separator = {separator}
  prefix = {prefix}
}}
mail_plugins = {mail_plugins}
protocol imap {{
  mail_max_userip_connections = {connections}
  mail_plugins = {plugins}
}}
protocol pop3 {{
  mail_max_userip_connections = {connections}
  pop3_uidl_format = %08Xu%08Xv
}}
{oauth2}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {base}/users
}}
userdb {{
  driver = static
  args = uid={mail_user} gid={mail_group} home={base}/home/%u allow_all_users=yes
}}
service imap-login {{
  process_min_avail = 1
  service_count = 0
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service pop3-login {{
  service_count = 0
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
    ssl = yes
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
service anvil {{
  client_limit = 2000
}}
{extra}
"""

OAUTH2 = """
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {base}/oauth2.conf
}}
"""


@dataclass(frozen=True)
class Dovecot:
    """A running instance; `ca_pem` is what clients trust."""

    base: Path
    imap: int
    imaps: int
    pop3: int
    pop3s: int
    ca_pem: str

    def doveadm(self, *arguments: str) -> str:
        """Run a doveadm command against this instance."""
        command = [shutil.which("doveadm") or "/usr/bin/doveadm", "-c", str(self.base / "dovecot.conf"), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout

    def append(self, user: str, raw: bytes, *, folder: str = "INBOX", flags: Sequence[str] = ()) -> None:
        """Put a message into a folder, by IMAP."""
        self.append_all(user, [raw], folder=folder, flags=flags)

    def append_all(
        self, user: str, mails: Sequence[bytes], *, folder: str = "INBOX", flags: Sequence[str] = (), password: str = ""
    ) -> None:
        """Put messages into a folder over one connection."""
        import imaplib

        client = imaplib.IMAP4("127.0.0.1", self.imap, timeout=30)
        try:
            client.login(user, password or "geheim")
            client.create(folder)
            for raw in mails:
                kind, _ = client.append(folder, " ".join(flags), None, raw)
                assert kind == "OK"
        finally:
            client.logout()


@contextmanager
def dovecot(
    users: Mapping[str, str],
    *,
    separator: str = "/",
    prefix: str = "",
    connections: int = 1000,
    plugins: str = "",
    introspection_url: str = "",
    extra: str = "",
) -> Iterator[Dovecot]:
    """Run a Dovecot with these users; skips the test where it is not installed.

    `introspection_url`: where XOAUTH2 tokens are checked; without, there is no XOAUTH2.
    """
    if not Path(_BINARY).exists():
        pytest.skip("dovecot is not installed")
    base = Path(tempfile.mkdtemp(prefix="postroom-dovecot-"))
    process: subprocess.Popen[bytes] | None = None
    try:
        server = _prepare(base, users, separator, prefix, connections, plugins, extra, introspection_url)
        with (base / "stderr").open("wb") as stderr:
            process = subprocess.Popen(
                [_BINARY, "-F", "-c", str(base / "dovecot.conf")],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                start_new_session=True,
            )
        _wait_until_ready(server, process)
        yield server
    finally:
        if process is not None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait(10)
        shutil.rmtree(base, ignore_errors=True)


def _prepare(
    base: Path,
    users: Mapping[str, str],
    separator: str,
    prefix: str,
    connections: int,
    plugins: str,
    extra: str,
    introspection_url: str,
) -> Dovecot:
    base.chmod(0o755)
    root = os.geteuid() == 0
    me = getpass.getuser() if not root else "nobody"
    group = str(pwd.getpwnam(me).pw_gid)
    for folder in ("run", "state", "mail", "home"):
        (base / folder).mkdir(mode=0o755)
    if root:
        for folder in ("mail", "home"):
            shutil.chown(base / folder, me, int(group))
    certificate = certificates.good()
    (base / "server.pem").write_text(certificate.certificate_pem)
    (base / "server.key").write_text(certificate.key_pem)
    (base / "server.key").chmod(0o600)
    (base / "users").write_text("".join(f"{user}:{{PLAIN}}{password}\n" for user, password in users.items()))
    (base / "users").chmod(0o644)
    (base / "oauth2.conf").write_text(
        f"introspection_mode = post\nintrospection_url = {introspection_url}\n"
        "username_attribute = username\nactive_attribute = active\nactive_value = true\n"
    )
    (base / "oauth2.conf").chmod(0o644)
    imap, imaps, pop3, pop3s = _free_ports(4)
    without_root = "\n".join(
        f"service {name} {{\n  chroot =\n}}" for name in ("imap-login", "pop3-login", "anvil", "imap-urlauth-login")
    )
    (base / "dovecot.conf").write_text(
        CONFIGURATION.format(
            base=base,
            pid=f"{os.getpid()}-{base.name[-8:]}",
            login_user="dovenull" if root else me,
            internal_user="dovecot" if root else me,
            internal_group="dovecot" if root else grp.getgrgid(int(group)).gr_name,
            chroot="" if root else without_root,
            mail_user=me if root else os.geteuid(),
            mail_group=group,
            separator=separator,
            prefix=prefix,
            connections=connections,
            plugins=f"$mail_plugins {plugins}",
            mail_plugins=plugins.split(" imap_")[0] if plugins else "",
            mechanisms=" xoauth2 oauthbearer" if introspection_url else "",
            oauth2=OAUTH2.format(base=base) if introspection_url else "",
            imap=imap,
            imaps=imaps,
            pop3=pop3,
            pop3s=pop3s,
            extra=extra,
        )
    )
    return Dovecot(base, imap, imaps, pop3, pop3s, certificates.authority().pem)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [sock.getsockname()[1] for sock in sockets]
    for sock in sockets:
        sock.close()
    return ports


def _wait_until_ready(server: Dovecot, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 15
    for port in (server.imap, server.pop3):
        while True:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=2) as sock:
                    if sock.recv(1):
                        break
            except OSError:
                pass
            if process.poll() is not None or time.monotonic() > end:
                log = (server.base / "log").read_text() if (server.base / "log").exists() else ""
                raise RuntimeError("dovecot did not start: " + (server.base / "stderr").read_text() + log)
            time.sleep(0.05)
