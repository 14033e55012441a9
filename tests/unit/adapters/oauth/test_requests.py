"""What a token is asked for, by authority and server."""

from __future__ import annotations

import pytest
from postroom.adapters.oauth.requests import graph_of, wanted
from postroom.model.configuration.mailbox import Mailbox

pytestmark = pytest.mark.feature("G03")

US, OWN = "https://login.microsoftonline.us", "https://login.example"
DOD = "https://dod-graph.microsoft.us"
WORLD = "https://graph.microsoft.com"


def mailbox(**options: str | None) -> Mailbox:
    given = {"name": "box", "address": "box@example.com", "type": "GRAPH", "client_id": "c", "directory_id": "d"}
    return Mailbox.model_validate(given | options)


@pytest.mark.parametrize(
    ("authority", "server", "graph", "scope"),
    [
        pytest.param(None, None, WORLD, WORLD, id="worldwide"),
        pytest.param(US, None, "https://graph.microsoft.us", "https://graph.microsoft.us", id="another-cloud"),
        pytest.param(None, "https://gate.example/g", "https://gate.example/g", WORLD, id="gate"),
        pytest.param(US, "https://gate.example", "https://gate.example", "https://graph.microsoft.us", id="gate-us"),
        pytest.param(US, "https://dod-graph.microsoft.us", "https://dod-graph.microsoft.us", DOD, id="us-defence"),
        pytest.param(OWN, None, WORLD, WORLD, id="own-authority"),
        pytest.param(OWN, "https://g.example:8443/x", "https://g.example:8443/x", "https://g.example:8443", id="own"),
    ],
)
def test_a_gateway_takes_its_cloud_s_tokens_and_an_unknown_cloud_its_own(
    authority: str | None, server: str | None, graph: str, scope: str
) -> None:
    given = mailbox(tenant_authority=authority, server=server)
    assert graph_of(given) == graph
    assert wanted(given).scope == f"{scope}/.default"
