"""The hosts of Microsoft and Google: each stands in one module, and what is recognised agrees with what is proposed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from postroom.model.configuration import clouds
from postroom.model.configuration.mailbox import Type
from postroom.model.configuration.oauth import AUTHORITIES, SCOPES, SERVERS, Cloud, Provider

CORE = Path(__file__).parents[3] / "layers" / "core" / "postroom"
HOSTS = sorted(
    {host for cloud in clouds.MICROSOFT for host in (*cloud.authorities, cloud.mail, cloud.exchange, cloud.graph)}
    | {clouds.GOOGLE_IMAP, clouds.GOOGLE_POP3, clouds.GOOGLE_AUTHORITY, clouds.GOOGLE_TOKENS, clouds.GOOGLE_SCOPE}
)


def texts(path: Path) -> Iterator[str]:
    """Read the texts of a module, apart from its docstrings."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_no_other_module_names_a_host_of_theirs() -> None:
    modules = [path for path in CORE.rglob("*.py") if path.name != "clouds.py"]
    found = [f"{path.name}: {text[:60]}" for path in modules for text in texts(path) for host in HOSTS if host in text]
    assert found == []


def test_every_cloud_of_an_application_has_its_authority_its_servers_and_its_scope() -> None:
    wanted = {*((Provider.MICROSOFT, cloud) for cloud in Cloud), (Provider.GOOGLE, Cloud.WORLDWIDE)}
    assert AUTHORITIES.keys() == SERVERS.keys() == SCOPES.keys() == wanted
    assert SCOPES[Provider.MICROSOFT, Cloud.WORLDWIDE] == "https://outlook.office.com/.default"
    assert SCOPES[Provider.MICROSOFT, Cloud.CHINA] == "https://partner.outlook.cn/.default"


@pytest.mark.parametrize("cloud", clouds.MICROSOFT, ids=lambda cloud: cloud.mail)
def test_what_a_cloud_says_of_itself_is_recognised(cloud: clouds.MicrosoftHosts) -> None:
    assert clouds.is_exchange_online(cloud.mail)
    assert clouds.is_exchange_online(f"https://{cloud.exchange.upper()}/EWS/Exchange.asmx")
    assert clouds.is_microsoft_graph(f"https://{cloud.graph}")
    assert [clouds.microsoft_cloud(f"https://{host}/tenant") for host in cloud.authorities] == [cloud] * len(
        cloud.authorities
    )


@pytest.mark.parametrize(
    ("server", "microsoft", "google"),
    [
        ("imap-mail.outlook.com", True, False),
        ("outlook.com.", True, False),
        ("mail.example.com", False, False),
        ("myoutlook.com", False, False),
        ("outlook.com.example.com", False, False),
        ("https://outlook.office365.us:443/EWS/Exchange.asmx", True, False),
        ("IMAP.googlemail.com", False, True),
        ("", False, False),
        (None, False, False),
    ],
)
def test_a_host_counts_with_its_whole_labels(server: str | None, microsoft: bool, google: bool) -> None:
    assert (clouds.is_exchange_online(server), clouds.is_google_mail(server)) == (microsoft, google)


@pytest.mark.parametrize("type_", [Type.IMAP, Type.POP3])
def test_the_servers_of_google_are_googles(type_: Type) -> None:
    assert clouds.is_google_mail(SERVERS[Provider.GOOGLE, Cloud.WORLDWIDE][type_])
