"""TLS for connections to mail servers: verified, 1.2 or newer (docs/threat-model.md 2), and what its failures mean."""

from __future__ import annotations

import ssl
from functools import lru_cache

from postroom.errors import TlsFailed


@lru_cache(maxsize=256)
def client_context(
    ca_pem: str | None = None, versions: tuple[str, ...] = (), *, public_too: bool = False
) -> ssl.SSLContext:
    """Make (once) a context that verifies certificate and host name; `ca_pem` replaces the public authorities.

    `versions`: only these ("TLSv1.2", "TLSv1.3"); empty: both. `public_too`: `ca_pem` joins the public authorities.

    Raises TlsFailed when `ca_pem` holds no certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies certificate and host name by default
    context.minimum_version = ssl.TLSVersion.TLSv1_3 if versions == ("TLSv1.3",) else ssl.TLSVersion.TLSv1_2
    if versions == ("TLSv1.2",):
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    if ca_pem:
        try:
            context.load_verify_locations(cadata=ca_pem)
        except (ssl.SSLError, ValueError) as error:
            raise TlsFailed(
                "The CA certificate given for this server cannot be read",
                code="ca_unreadable",
                step="tls",
                remedy="Give `ca_certificate` one or more certificates in PEM form.",
            ) from error
    if public_too or not ca_pem:
        context.load_default_certs()
    return context


# OpenSSL's verification results (x509_vfy.h): code, what we say, what to do.
_CERTIFICATE_FAULTS: dict[int, tuple[str, str, str]] = {
    9: ("certificate_not_yet_valid", "is not valid yet", "Correct the clock of the mail server, or its certificate."),
    10: ("certificate_expired", "has expired", "Renew the certificate of the mail server."),
    18: (
        "certificate_self_signed",
        "is self-signed",
        "Install a certificate of a public authority, or give this one as `ca_certificate` of the mailbox.",
    ),
    19: (
        "certificate_untrusted",
        "was signed by an authority that is not trusted",
        "Give that authority's certificate as `ca_certificate` of the mailbox, if it is your own.",
    ),
    20: (
        "certificate_untrusted",
        "was signed by an authority that is not trusted",
        "Give that authority's certificate as `ca_certificate` of the mailbox, if it is your own; "
        "or let the server send its intermediate certificates.",
    ),
    62: (
        "certificate_wrong_host",
        "is for another host name",
        "Enter the name that the certificate carries as `server`.",
    ),
    64: (
        "certificate_wrong_host",
        "is not for this address",
        "Enter the name that the certificate carries as `server`, not the address.",
    ),
}

# OpenSSL's reasons for a handshake that came to nothing.
_HANDSHAKE_FAULTS: dict[str, tuple[str, str, str]] = {
    "WRONG_VERSION_NUMBER": (
        "not_tls",
        "The server does not speak TLS on this port",
        "Set `security` to start-tls-required (none where the server knows no TLS at all), "
        "or use the port for TLS (IMAP 993, POP3 995, SMTP 465).",
    ),
    "RECORD_LAYER_FAILURE": (
        "not_tls",
        "The server does not speak TLS on this port",
        "Set `security` to start-tls-required (none where the server knows no TLS at all), "
        "or use the port for TLS (IMAP 993, POP3 995, SMTP 465).",
    ),
    "UNSUPPORTED_PROTOCOL": ("tls_too_old", "The server offers only TLS older than 1.2", "Update the mail server."),
    "TLSV1_ALERT_PROTOCOL_VERSION": (
        "tls_too_old",
        "The server offers only TLS older than 1.2",
        "Update the mail server.",
    ),
    "NO_PROTOCOLS_AVAILABLE": ("tls_too_old", "The server offers only TLS older than 1.2", "Update the mail server."),
    "DH_KEY_TOO_SMALL": ("tls_too_weak", "The server uses a key that is too short", "Update the mail server."),
    "EE_KEY_TOO_SMALL": ("tls_too_weak", "The certificate has a key that is too short", "Renew the certificate."),
}


def tls_failure(error: Exception, *, on: str, step: str = "tls") -> TlsFailed:
    """Say what a failed handshake means, in an administrator's words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        fault = _CERTIFICATE_FAULTS.get(error.verify_code)
        if fault:
            code, what, remedy = fault
            return TlsFailed(f"The certificate of the server {what}", on=on, step=step, code=code, remedy=remedy)
        return TlsFailed(
            f"The certificate of the server was refused: {error.verify_message}",
            on=on,
            step=step,
            code="certificate_refused",
        )
    reason = getattr(error, "reason", None) or ""
    fault = _HANDSHAKE_FAULTS.get(reason)
    if fault:
        code, what, remedy = fault
        return TlsFailed(what, on=on, step=step, code=code, remedy=remedy)
    return TlsFailed(f"The TLS handshake failed: {reason or error}", on=on, step=step)
