"""Ways to mail servers: connectors, access tokens, and the walk without credentials."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from postroom.environment import Environment

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from postroom.bootstrap.stores import Stores
    from postroom.model.configuration import OAuthApplication, Type
    from postroom.ports import Connector, LooksTogether, Probe, Tokens


def connectors(settings: Environment) -> Mapping[Type, Connector]:
    """Make the connectors of a fetching function; their libraries are imported when a mailbox needs them.

    Reads private_mail_networks and allow_plaintext_credentials.
    """
    from postroom.adapters import LateConnector, LateLooks
    from postroom.adapters.imap import ImapConnector
    from postroom.model.configuration import Type

    networks = settings.private_mail_networks
    plaintext = settings.allow_plaintext_credentials

    def pop3() -> Connector:
        from postroom.adapters.pop3 import Pop3Connector

        return Pop3Connector(allowed_networks=networks, allow_plaintext_credentials=plaintext)

    def graph() -> LooksTogether:
        from postroom.adapters.graph import GraphConnector

        return GraphConnector(allowed_networks=networks)

    def ews() -> Connector:
        from postroom.adapters.ews import EwsConnector

        return EwsConnector(allowed_networks=networks)

    return {
        Type.IMAP: ImapConnector(allowed_networks=networks, allow_plaintext_credentials=plaintext),
        Type.POP3: LateConnector(pop3),
        Type.GRAPH: LateLooks(graph),
        Type.EWS: LateConnector(ews),
    }


def tokens(settings: Environment, stores: Stores, *, clock: Callable[[], datetime]) -> Tokens:
    """Make what gets access tokens, when the first mailbox needs one; reads private_mail_networks."""
    from postroom.adapters import LateTokens

    def make() -> Tokens:
        from postroom.adapters.oauth import OAuthTokens

        return OAuthTokens(
            secrets=stores.stored_secrets,
            store=stores.secrets,
            clock=clock,
            allowed_networks=settings.private_mail_networks,
        )

    return LateTokens(make)


def probe(settings: Environment) -> Probe:
    """Make the walk to a mail server; reads private_mail_networks."""
    from postroom.adapters import NetworkProbe

    return NetworkProbe(allowed_networks=settings.private_mail_networks)


def redeem(
    application: OAuthApplication,
    code: str,
    *,
    verifier: str,
    redirect_uri: str,
    scope: str,
    secret: str,
    now: datetime,
    settings: Environment,
) -> Mapping[str, Any]:
    """Redeem the code of a person's consent for tokens: the fields of the answer; reads private_mail_networks."""
    from postroom.adapters.oauth import redeem as ask

    return ask(
        application,
        code,
        verifier=verifier,
        redirect_uri=redirect_uri,
        scope=scope,
        secret=secret,
        now=now,
        allowed_networks=settings.private_mail_networks,
    )
