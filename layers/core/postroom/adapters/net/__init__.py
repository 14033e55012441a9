"""Connections: checked addresses, TLS, deadlines, HTTP, and traces of protocols."""

from typing import TYPE_CHECKING

from postroom.room import lazily

if TYPE_CHECKING:
    from postroom.adapters.net import dial
    from postroom.adapters.net.connect import Network, open_stream, resolve
    from postroom.adapters.net.cut_off import agreed, is_too_little, looks_cut_off
    from postroom.adapters.net.dial import Rules, check_greets
    from postroom.adapters.net.host_limits import HostLimits
    from postroom.adapters.net.http import AT_A_TIME, Answer, HttpClient, Streamed, retry_after
    from postroom.adapters.net.protocol_trace import trace_of
    from postroom.adapters.net.said import names_credentials, passes, pause_told
    from postroom.adapters.net.spool import Spool, Spooled
    from postroom.adapters.net.stream import Reader, Stream, Trace
    from postroom.adapters.net.tls import client_context
else:
    __getattr__ = lazily(
        __name__,
        {
            "connect": ["Network", "open_stream", "resolve"],
            "cut_off": ["agreed", "is_too_little", "looks_cut_off"],
            "dial": ["Rules", "check_greets"],
            "host_limits": ["HostLimits"],
            "http": ["AT_A_TIME", "Answer", "HttpClient", "Streamed", "retry_after"],
            "protocol_trace": ["trace_of"],
            "said": ["names_credentials", "passes", "pause_told"],
            "spool": ["Spool", "Spooled"],
            "stream": ["Reader", "Stream", "Trace"],
            "tls": ["client_context"],
        },
    )

__all__ = [
    "AT_A_TIME",
    "Answer",
    "HostLimits",
    "HttpClient",
    "Network",
    "Reader",
    "Rules",
    "Spool",
    "Spooled",
    "Stream",
    "Streamed",
    "Trace",
    "agreed",
    "check_greets",
    "client_context",
    "dial",
    "is_too_little",
    "looks_cut_off",
    "names_credentials",
    "open_stream",
    "passes",
    "pause_told",
    "resolve",
    "retry_after",
    "trace_of",
]
