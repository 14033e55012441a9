"""The embedded servers tell when they have seen the end of every connection."""

from __future__ import annotations

import socket
import threading

from postroom_cli.mailservers.listener import Connection, Listener


def test_a_server_has_settled_when_no_connection_is_served_any_more() -> None:
    served, go_on = threading.Event(), threading.Event()

    def serve(connection: Connection) -> None:
        served.set()
        go_on.wait(5)

    with Listener(serve, tls="none") as server, socket.create_connection((server.host, server.port)):
        assert served.wait(5)
        assert not server.settle(0.01)
        go_on.set()
        assert server.settle()


def test_what_hangs_until_the_server_stops_is_not_waited_for() -> None:
    with Listener(Connection.hang, tls="none") as server, socket.create_connection((server.host, server.port)):
        assert server.settle()
