"""Proofs signed with a private key instead of a secret sent: Microsoft's certificates, Google's service accounts.

RFC 7515 (JWS) and RFC 7523. The library is loaded when the first key is used, which most installations never do.
"""

from __future__ import annotations

import base64
import binascii
import json
import ssl
import uuid
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256

from postroom.errors import LoginRefused

LIFE = 600  # seconds that a proof is valid for


def certificate_assertion(pem: str, *, client_id: str, endpoint: str, now: datetime) -> str:
    """Sign Microsoft's client assertion (PS256, `x5t#S256`); `pem` holds the key and its certificate."""
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    if begin not in pem or end not in pem:
        raise _unusable("holds a private key without its certificate")
    try:
        der = ssl.PEM_cert_to_DER_cert(begin + pem.partition(begin)[2].partition(end)[0] + end)
    except (ValueError, binascii.Error) as error:
        raise _unusable("holds a certificate that cannot be read") from error
    moment = int(now.timestamp())
    header = {"alg": "PS256", "typ": "JWT", "x5t#S256": _base64url(sha256(der).digest())}
    claims = {
        "aud": endpoint,
        "iss": client_id,
        "sub": client_id,
        "jti": str(uuid.uuid4()),
        "iat": moment,
        "nbf": moment,
        "exp": moment + LIFE,
    }
    return _signed(header, claims, pem)


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
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    begin = pem.find("-----BEGIN", 0) if "PRIVATE KEY-----" in pem else -1
    while begin >= 0 and "PRIVATE KEY" not in pem[begin:].split("\n", 1)[0]:
        begin = pem.find("-----BEGIN", begin + 1)
    try:
        key = load_pem_private_key(pem[max(begin, 0) :].encode("utf-8"), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # Without `from`: the library's text may quote the key.
        raise _unusable("holds a private key that cannot be read") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise _unusable("holds a private key that is not RSA")
    text = f"{_base64url(_json(header))}.{_base64url(_json(claims))}"
    scheme: padding.AsymmetricPadding = padding.PKCS1v15()
    if header["alg"] == "PS256":  # RFC 7518 §3.5: the salt is as long as the digest
        scheme = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
    return f"{text}.{_base64url(key.sign(text.encode('ascii'), scheme, hashes.SHA256()))}"


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
