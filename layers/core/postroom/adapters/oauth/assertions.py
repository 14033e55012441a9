"""Private keys instead of a secret sent: reads Microsoft's certificates, signs for Google's service accounts.

RFC 7515 (JWS) and RFC 7523. The library is loaded when the first key is used, which most installations never do.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from postroom.errors import LoginRefused

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

LIFE = 600  # seconds that a proof is valid for


def certificate_and_key(pem: str) -> tuple[str, str]:
    """Take certificate and private key apart, both in PEM, in whichever order they stand; checks that they are usable.

    Raises LoginRefused, which quotes neither.
    """
    from cryptography.x509 import load_pem_x509_certificate

    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    if begin not in pem or end not in pem:
        raise _unusable("holds a private key without its certificate")
    certificate = begin + pem.partition(begin)[2].partition(end)[0] + end
    try:
        load_pem_x509_certificate(certificate.encode("utf-8"))
    except ValueError as error:
        raise _unusable("holds a certificate that cannot be read") from error
    key = _key_in(pem)
    _load(key)
    return certificate, key


def google_assertion(key: Mapping[str, str], *, scope: str, account: str, endpoint: str, now: datetime) -> str:
    """Sign the request of a Google service account that acts for `account` (domain-wide delegation)."""
    moment = int(now.timestamp())
    header = {"alg": "RS256", "typ": "JWT", **({"kid": key["private_key_id"]} if "private_key_id" in key else {})}
    claims = {
        "iss": key["client_email"],
        "sub": account,
        "scope": scope,
        "aud": endpoint,
        "iat": moment,
        "exp": moment + LIFE,
    }
    return _signed(header, claims, key["private_key"])


def _signed(header: Mapping[str, str], claims: Mapping[str, object], pem: str) -> str:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    key = _load(_key_in(pem))
    text = f"{_base64url(_json(header))}.{_base64url(_json(claims))}"
    return f"{text}.{_base64url(key.sign(text.encode('ascii'), padding.PKCS1v15(), hashes.SHA256()))}"


def _key_in(pem: str) -> str:
    """Cut the private key out of a file that may hold certificates, too."""
    begin = pem.find("-----BEGIN", 0) if "PRIVATE KEY-----" in pem else -1
    while begin >= 0 and "PRIVATE KEY" not in pem[begin:].split("\n", 1)[0]:
        begin = pem.find("-----BEGIN", begin + 1)
    return pem[max(begin, 0) :]


def _load(pem: str) -> RSAPrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem.encode("utf-8"), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # Without `from`: the library's text may quote the key.
        raise _unusable("holds a private key that cannot be read") from None
    if not isinstance(key, RSAPrivateKey):
        raise _unusable("holds a private key that is not RSA")
    return key


def _json(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("utf-8")


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _unusable(why: str) -> LoginRefused:
    return LoginRefused(
        f"The application's secret {why}",
        step="login",
        code="key_unusable",
        remedy="Enter an unencrypted RSA private key in PEM, followed by its certificate, or the JSON file of a "
        "Google service account.",
    )
