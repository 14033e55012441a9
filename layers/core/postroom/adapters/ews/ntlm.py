"""NTLM over our own connections, with the channel binding that Exchange's Extended Protection asks for (RFC 5929)."""

from __future__ import annotations

import logging
from typing import Any

import requests_ntlm
from requests_ntlm import requests_ntlm as library

from postroom.errors import LoginRefused

_SpnegoError: Any = library.spnego.exceptions.SpnegoError  # type: ignore[attr-defined]  # not named in its __all__


class Ntlm(requests_ntlm.HttpNtlmAuth):
    """Logs a connection in. Raises LoginRefused when the server's side of the exchange makes no sense."""

    def __init__(self, user: str, password: str) -> None:
        # It logs the messages that prove the password, which could be guessed from them at leisure.
        logging.getLogger("spnego").setLevel(logging.CRITICAL)
        super().__init__(user, password)

    def response_hook(self, r: Any, **kwargs: Any) -> Any:
        """Answer a 401 with the messages of NTLM, on the same connection."""
        try:
            return super().response_hook(r, **kwargs)
        except (PermissionError, KeyError, ValueError, _SpnegoError) as error:
            raise LoginRefused(
                "The server began an NTLM login and broke it off",
                step="login",
                code="login_refused",
                remedy="Enter the right password, or choose another mechanism with the property "
                "`mail.ews.auth.mechanisms`.",
            ) from error

    def _get_server_cert(self, response: Any) -> bytes | None:
        # The library reaches for the socket under the answer; ours lies under a Stream.
        certificate = response.raw._fp.fp.raw._stream._sock.getpeercert(True)
        return library._get_certificate_hash(certificate) if certificate else None
