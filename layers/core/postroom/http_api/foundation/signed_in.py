"""Who calls, as API Gateway has proved it: a token of the OpenID provider, or an AWS signature."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from postroom.model.access import PrincipalKind, SignIn

AWS = "aws"
"""In place of an issuer, of those who sign with AWS credentials."""

_SESSION = re.compile(r"(arn:[^:]+:sts::\d+:assumed-role/[^/]+)/.+")


def sign_in_of(event: Mapping[str, Any]) -> SignIn:
    """Read who calls from an event of the HTTP API.

    A name is what histories show; an address counts only if the issuer has verified it.
    """
    authorizer = event.get("requestContext", {}).get("authorizer") or {}
    if signed := authorizer.get("iam"):
        arn = str(signed.get("userArn") or signed.get("callerId") or "unknown")
        # Every session of a role is the role: its name is chosen by who assumes it.
        session = _SESSION.fullmatch(arn)
        who = session[1] if session else arn
        return SignIn(AWS, who, who.rpartition("/")[2], PrincipalKind.MACHINE)
    claims = (authorizer.get("jwt") or {}).get("claims") or {}
    address = str(claims.get("email") or "").lower()
    verified = str(claims.get("email_verified", "")).lower() == "true"
    subject = str(claims.get("sub") or "")
    names = (claims.get("name"), address, claims.get("username"), claims.get("cognito:username"), subject)
    return SignIn(
        issuer=str(claims.get("iss") or ""),
        subject=subject,
        name=next((str(name) for name in names if name), "unknown"),
        kind=PrincipalKind.PERSON,
        address=address if verified else "",
        groups=frozenset(_words(claims.get("cognito:groups")) | _words(claims.get("groups"))),
    )


def _words(claim: object) -> set[str]:
    """Read a list as API Gateway passes it on: `[a b]`."""
    if isinstance(claim, list):
        return {str(one) for one in claim}
    return set(str(claim or "").strip("[]").replace(",", " ").split())
