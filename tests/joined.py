"""Joined: clients that have joined the running hub of an application, each at the other end of a socketpair."""

from __future__ import annotations

import socket
from typing import Any

from pair import Client, settle

from notiway.live.carriers import joining
from notiway.live.connection import Connection
from notiway.live.runtime import Runtime
from notiway.values.principal import Principal


class Joiner:
    """Opens connections: `Joiner(runtime)(Principal("ada"))` gives one and its client; `close` ends them all."""

    def __init__(self, now: Runtime) -> None:
        self.now = now
        self.opened: list[tuple[Connection, Client]] = []

    def __call__(
        self, principal: Principal | None, *args: Any, format: str = "json", **options: Any
    ) -> tuple[Connection, Client]:
        ours, theirs = socket.socketpair()
        connection = joining.join(self.now, ours, format, principal, *args, **options)
        self.opened.append((connection, Client(theirs)))
        return self.opened[-1]

    def close(self) -> None:
        for connection, client in self.opened:
            self.now.reactor.call_soon(connection.lost)
            settle(self.now.reactor)
            client.close()
