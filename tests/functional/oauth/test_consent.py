"""`postroom oauth login` with a scripted browser, against a provider that checks PKCE, state and redirect (C07)."""

from __future__ import annotations

import http.client
import socket
import threading
import webbrowser
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from postroom.adapters.oauth import requests
from postroom.errors import NotFound
from postroom.model.configuration.mailbox import DEFAULT_PORTS, Type
from postroom.model.configuration.oauth import AUTHORITIES, SERVERS, Cloud, Provider
from postroom.model.mailbox_state import HealthState
from postroom_cli import output
from postroom_cli.commands import oauth as command
from postroom_cli.loopback import Loopback
from postroom_cli.mailservers.tokens import CLIENT, LEAK, SECRET, TENANT, claims, refusal

from tests.functional.cli.conftest import Command, Ran, postroom  # noqa: F401 - the fixture of the command
from tests.functional.oauth.conftest import Site
from tests.support import certificates
from tests.support.fake_consent import GOOGLE_MAIL, ConsentService
from tests.support.mails import mail

STORED = "account.support"


@dataclass
class Flow:
    """A provider, the command, and a person whose browser does what `way` makes of the address of the redirect."""

    site: Site
    service: ConsentService
    run: Command
    way: Callable[[str], str] = lambda redirect: redirect
    opened: list[str] = field(default_factory=list)
    pages: list[tuple[int, str]] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)

    def browse(self, url: str) -> bool:
        """Stand in for webbrowser.open, which returns at once."""
        self.opened.append(url)
        self.threads.append(threading.Thread(target=self._follow, args=(self.way(self.service.authorise(url)),)))
        self.threads[-1].start()
        return True

    def _follow(self, redirect: str) -> None:
        port = urlsplit(redirect).port
        for target in ("/favicon.ico", "/", redirect.partition(f":{port}")[2]):
            self.pages.append(fetch(port or 0, target))

    def login(self, *options: str, stdin: str = f"{SECRET}\n", account: str = "support") -> Ran:
        """Run the command, with the application's secret on standard input."""
        ran = self.run("oauth", "login", account, "--json", *options, stdin=stdin)
        for thread in self.threads:
            thread.join(10)
        for token in (*self.service.refresh_tokens, *self.service.issued, SECRET):
            assert token not in ran.out + ran.err
        return ran

    def configure(self, provider: str = "microsoft", type_: str = "IMAP", *, public: bool = False) -> None:
        """Two accounts of one application, an enabled mailbox of each; the rest comes from account and application."""
        application: dict[str, Any] = {"name": "app", "client_id": CLIENT, "provider": provider}
        if provider == "microsoft":
            application["tenant_id"] = TENANT
        if not public:
            application["client_secret"] = {"secret": "app"}
        nothing = dict.fromkeys(("server", "port", "client_id", "directory_id", "tenant_authority", "client_secret"))
        self.site.configure(
            *({**nothing, "type": type_, "grant": "", "account": account} for account in ("support", "sales")),
            oauth_applications=[application],
            accounts=[
                {
                    "name": account,
                    "application": "app",
                    "server_type": f"{type_.lower()}-and-smtp",
                    "address": f"box{number}@example.com",
                }
                for number, account in enumerate(("support", "sales"))
            ],
        )

    def nothing_stored(self) -> bool:
        """Tell whether the account still has no token."""
        try:
            self.site.secret(STORED)
        except NotFound:
            return True
        return False


def fetch(port: int, target: str, host: str = "") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", target, headers={"Host": host or f"localhost:{port}"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


@pytest.fixture
def flow(site: Site, postroom: Command, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flow]:  # noqa: F811
    service = ConsentService()
    site.issued.service = service
    with service.server(certificates.good()) as endpoint:
        authorities = {Provider.MICROSOFT: endpoint.url, Provider.GOOGLE: f"{endpoint.url}/google"}
        for provider, authority in authorities.items():
            monkeypatch.setitem(AUTHORITIES, (provider, Cloud.WORLDWIDE), authority)
            monkeypatch.setitem(
                SERVERS, (provider, Cloud.WORLDWIDE), dict.fromkeys((Type.IMAP, Type.POP3), "127.0.0.1")
            )
        monkeypatch.setattr(requests, "GOOGLE_ENDPOINT", f"{endpoint.url}/token")
        monkeypatch.setitem(DEFAULT_PORTS, (Type.IMAP, True), site.imap.port)
        monkeypatch.setitem(DEFAULT_PORTS, (Type.POP3, True), site.pop3.port)
        monkeypatch.setattr(command, "WAIT", 20.0)
        made = Flow(site, service, postroom)
        monkeypatch.setattr(webbrowser, "open", made.browse)
        made.configure()
        yield made


@pytest.mark.feature("C07")
@pytest.mark.parametrize(
    ("provider", "type_", "granted"),
    [
        ("microsoft", "IMAP", "https://outlook.office.com/IMAP.AccessAsUser.All"),
        ("microsoft", "POP3", "https://outlook.office.com/POP.AccessAsUser.All"),
        ("microsoft", "IMAP", ""),
        ("google", "IMAP", GOOGLE_MAIL),
        ("google", "POP3", GOOGLE_MAIL),
    ],
)
def test_consent_in_the_browser_opens_the_mailbox_that_waited_for_it(
    flow: Flow, provider: str, type_: str, granted: str
) -> None:
    flow.configure(provider, type_)
    flow.service.granted = granted
    content = mail(subject="waits for consent")
    flow.site.deliver(type_, content)
    flow.site.poll("box0", "box1")
    assert flow.site.health().state is HealthState.NEEDS_ATTENTION
    ran = flow.login()
    assert (ran.status, ran.json) == (
        0,
        {
            "account": "support",
            "consented": "box0@example.com",
            "secret": STORED,
            "stored": True,
            "warnings": [],
            "tried_again": ["box0"],
            "sent_again": [],
        },
    )
    assert [status for status, _page in flow.pages] == [404, 404, 200]
    assert flow.site.secret(STORED) in flow.service.refresh_tokens
    flow.site.begin_anew()
    flow.site.poll("box0")
    assert flow.site.well()
    assert flow.site.raw() == [content]
    assert flow.site.health("box1").state is HealthState.NEEDS_ATTENTION  # of the other account nobody has consented


@pytest.mark.feature("C07")
def test_an_application_serves_many_accounts_each_with_its_own_consent(flow: Flow) -> None:
    tokens = {}
    for number, account in enumerate(("support", "sales")):
        flow.service.person = f"box{number}@example.com"
        assert flow.login(account=account).status == 0
        tokens[account] = flow.site.secret(f"account.{account}")
        flow.site.deliver("IMAP", mail(subject=account), user=flow.service.person)
    assert len(set(tokens.values())) == 2
    flow.site.poll("box0", "box1")
    assert len(flow.site.raw()) == 2


@pytest.mark.feature("C07")
def test_where_the_browser_is_elsewhere_the_address_is_pasted(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    def person(prompt: str) -> str:
        assert prompt.startswith("http://localhost:")
        return flow.service.authorise(notes[1])

    notes: list[str] = []
    monkeypatch.setattr(command, "enter_line", person)
    monkeypatch.setattr(output, "note", lambda text: notes.append(text) if "proves itself" not in text else 0)
    ran = flow.login("--no-browser")
    assert ran.status == 0
    assert flow.opened == []
    assert flow.site.secret(STORED) in flow.service.refresh_tokens


@pytest.mark.parametrize(
    ("stdin", "code"),
    [
        (f"{SECRET}\n", "consent_cancelled"),
        (f"{SECRET}\nhttp://localhost:1/\n", "redirect_unreadable"),
        (f"{SECRET}\nhttp://localhost:1/?code=x&state=y\n", "wrong_state"),
        ("", "invalid"),
        ('{"private_key": 1}\n', "invalid"),
        ("-----BEGIN PRIVATE KEY-----\nx\n", "invalid"),
    ],
    ids=["nothing pasted", "no code", "another state", "no secret", "a service account's key", "a certificate's key"],
)
def test_what_is_pasted_is_checked(flow: Flow, stdin: str, code: str) -> None:
    ran = flow.login("--no-browser", stdin=stdin)
    assert ran.json["error"]["code"] == code
    assert flow.service.forms == []
    assert flow.nothing_stored()


def test_a_public_client_needs_no_secret(flow: Flow) -> None:
    flow.configure(public=True)
    flow.service.public = True
    assert flow.login(stdin="").status == 0
    assert "client_secret" not in flow.service.forms[-1]


def test_the_secret_may_come_from_a_file(flow: Flow, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    assert flow.login("--secret-file", str(tmp_path / "secret"), stdin="").status == 0
    assert flow.login("--secret-file", str(tmp_path / "none"), stdin="").json["error"]["problems"][0]["path"] == (
        "--secret-file"
    )


def test_a_key_with_its_certificate_signs_a_proof_instead(flow: Flow, tmp_path: Path) -> None:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "application")])
    begin = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, private.public_key(), x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=1))
        .sign(private, hashes.SHA256())
    )
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "app.pem").write_bytes(pem + certificate.public_bytes(Encoding.PEM))
    assert flow.login("--secret-file", str(tmp_path / "app.pem"), stdin="").status == 0
    form = flow.service.forms[-1]
    _header, said = claims(form["client_assertion"])
    assert said["aud"].endswith(f"/{TENANT}/oauth2/v2.0/token")
    assert (said["iss"], said["sub"]) == (CLIENT, CLIENT)
    assert "client_secret" not in form


def without(name: str) -> Callable[[Flow], None]:
    def change(flow: Flow) -> None:
        setattr(flow.service, name, False)

    return change


def with_(name: str, value: Any) -> Callable[[Flow], None]:
    def change(flow: Flow) -> None:
        setattr(flow.service, name, value)

    return change


def later(redirect: str) -> Callable[[Flow], None]:
    def change(flow: Flow) -> None:
        flow.way = lambda real: f"{real.partition('?')[0]}?{redirect}"

    return change


def scripted(status: int, error: str, number: int) -> Callable[[Flow], None]:
    def change(flow: Flow) -> None:
        flow.service.script.append(refusal(status, error, number))

    return change


@pytest.mark.feature("C07")
@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        (with_("refuses", {"error": "access_denied", "error_description": LEAK}), 4, "consent_denied"),
        (with_("refuses", {"error": "consent_required", "error_description": LEAK}), 4, "consent_required"),
        (with_("refuses", {"error": "server_error"}), 1, "token_service_unavailable"),
        (later("code=x&state=another"), 1, "wrong_state"),
        (with_("person", "ann@example.com"), 4, "wrong_account"),
        (with_("granted", "https://outlook.office.com/SMTP.Send"), 4, "consent_incomplete"),
        (without("gives_refresh_token"), 1, "no_refresh_token"),
        (with_("secrets", {"a newer one"}), 4, "client_secret_wrong"),
        (with_("public", True), 4, "client_secret_unwanted"),
        (scripted(400, "invalid_grant", 54005), 4, "code_refused"),
        (scripted(400, "invalid_grant", 70008), 4, "code_refused"),
        (scripted(503, "temporarily_unavailable", 90006), 1, "token_service_unavailable"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_failure_has_its_code_and_remedy_and_stores_nothing(
    flow: Flow, change: Callable[[Flow], None], status: int, code: str
) -> None:
    change(flow)
    ran = flow.login()
    assert (ran.status, ran.json["error"]["code"]) == (status, code)
    assert ran.json["error"]["remedy"]
    assert "tried again by itself" not in ran.json["error"]["remedy"]
    assert LEAK not in ran.out + ran.err
    assert flow.nothing_stored()


def test_a_failed_consent_leaves_the_earlier_token(flow: Flow) -> None:
    flow.site.enter(STORED, "earlier")
    flow.service.person = "ann@example.com"
    assert flow.login().json["error"]["code"] == "wrong_account"
    assert flow.site.secret(STORED) == "earlier"
    assert flow.login("--any-account").json["consented"] == "ann@example.com"
    assert flow.site.secret(STORED) != "earlier"


def test_a_provider_that_names_nobody_is_believed_with_a_warning(flow: Flow) -> None:
    flow.service.names_person = False
    ran = flow.login()
    assert ran.status == 0
    assert "box0@example.com" in ran.json["warnings"][0]


def test_a_person_who_does_nothing_is_waited_for_so_long(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    assert command.WAIT == 20.0
    monkeypatch.setattr(command, "WAIT", 0.1)
    monkeypatch.setattr(webbrowser, "open", lambda _url: False)
    ran = flow.login()
    assert (ran.status, ran.json["error"]["code"]) == (1, "consent_timeout")
    assert "--no-browser" in ran.err


def test_a_port_in_use_is_named(flow: Flow) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        ran = flow.login("--port", str(other.getsockname()[1]))
    assert ran.json["error"]["code"] == "port_in_use"


def test_only_the_redirect_itself_is_answered(flow: Flow) -> None:
    with Loopback() as loopback:
        for target, host in (("/?code=a", "evil.example:80"), ("/x?code=a", ""), ("/?state=a", ""), ("/?code=", "")):
            assert fetch(loopback.port, target, host)[0] == 404
        assert fetch(loopback.port, "/?code=a&state=b") == (200, fetch(loopback.port, "/?code=c")[1])
        assert loopback.wait(5) == "/?code=a&state=b"
    with pytest.raises(OSError, match=r"."):
        fetch(loopback.port, "/?code=a")


def test_an_unknown_account_is_not_found(flow: Flow) -> None:
    ran = flow.run("oauth", "login", "nobody", "--json")
    assert (ran.status, ran.json["error"]["code"]) == (3, "not_found")


def test_people_read_sentences(flow: Flow) -> None:
    ran = flow.run("oauth", "login", "support", stdin=f"{SECRET}\n")
    assert ran.out == "box0@example.com has consented; the refresh token of support was stored.\n"
    assert flow.opened[0] in ran.err
    for thread in flow.threads:
        thread.join(10)
