"""The other half of a provider: a person consents, and the code that comes of it is redeemed once, with PKCE."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from postroom_cli.mailservers.https import Reply
from postroom_cli.mailservers.tokens import CLIENT, TENANT, TokenService, refusal

MAIL = "https://outlook.office.com/IMAP.AccessAsUser.All https://outlook.office.com/SMTP.Send"
GOOGLE_MAIL = "https://mail.google.com/ openid https://www.googleapis.com/auth/userinfo.email"


@dataclass
class ConsentService(TokenService):
    """What the person at the browser does: `person` is who consents, `granted` what is ticked or registered."""

    person: str = "box0@example.com"
    granted: str = MAIL
    public: bool = False  # registered as a public client, which must send no secret
    gives_refresh_token: bool = True
    names_person: bool = True
    refuses: dict[str, str] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def authorise(self, url: str) -> str:
        """Open the address as a browser does, consent, and return where the browser is sent."""
        parts = urlsplit(url)
        asked = dict(parse_qsl(parts.query, strict_parsing=True))
        google = parts.path == "/google/o/oauth2/v2/auth"
        assert google or parts.path == f"/{TENANT}/oauth2/v2.0/authorize"
        assert parts.scheme == "https"
        assert asked["client_id"] == CLIENT
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert re.fullmatch(r"[\w-]{43}", asked["code_challenge"])
        host = r"127\.0\.0\.1" if google else "localhost"  # what each lets be registered
        assert re.fullmatch(rf"http://{host}:\d+", asked["redirect_uri"])
        if self.refuses:
            return f"{asked['redirect_uri']}/?{urlencode({**self.refuses, 'state': asked['state']})}"
        code = f"code/{len(self.codes)}+{'x' * 1500}"
        offline = asked.get("access_type") == "offline" if google else "offline_access" in asked["scope"].split()
        self.codes[code] = {**asked, "offline": "yes" if offline and self.gives_refresh_token else ""}
        return f"{asked['redirect_uri']}/?{urlencode({'code': code, 'state': asked['state']})}"

    def _microsoft(self, form: dict[str, str]) -> Reply:
        if form.get("grant_type") != "authorization_code" or form.get("client_id") != CLIENT:
            return super()._microsoft(form)
        if self.public and "client_secret" in form:
            return refusal(401, "invalid_client", 700025)
        if not self.public and not {"client_secret", "client_assertion"} & form.keys():
            return refusal(401, "invalid_client", 7000218)
        if "client_secret" in form and form["client_secret"] not in self.secrets:
            return refusal(401, "invalid_client", 7000215)
        return self._redeem(form, 54005)

    def _google(self, form: dict[str, str]) -> Reply:
        if form.get("grant_type") != "authorization_code":
            return super()._google(form)
        return self._redeem(form, None) if form.get("client_secret") in self.secrets else refusal(401, "invalid_client")

    def _redeem(self, form: dict[str, str], number: int | None) -> Reply:
        asked = self.codes.pop(form.get("code", ""), None)
        proof = base64.urlsafe_b64encode(sha256(form.get("code_verifier", "").encode()).digest()).decode().rstrip("=")
        if asked is None or asked["code_challenge"] != proof or asked["redirect_uri"] != form.get("redirect_uri"):
            return refusal(400, "invalid_grant", number)
        more: dict[str, str] = {"scope": self.granted} if self.granted else {}
        if self.names_person:
            more["id_token"] = id_token({"email": self.person, "preferred_username": self.person})
        if asked["offline"]:
            more["refresh_token"] = f"consented-{len(self.forms)}"
            self.refresh_tokens.add(more["refresh_token"])
        return self._issue(**more)


def id_token(claims: dict[str, Any]) -> str:
    """Write an id_token, whose signature nobody looks at."""
    parts = (json.dumps(part).encode() for part in ({"alg": "RS256"}, claims))
    return ".".join([*(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts), "c2ln"])
