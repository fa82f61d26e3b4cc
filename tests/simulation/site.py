"""Site: what all schedules of one process of this machine share: the database, and an application for each slot."""

from __future__ import annotations

import re
from typing import Any

from flask import Flask

from notiway.extension import Notiway
from notiway.live import runtime
from notiway.live.carriers.hub_protocol import SignalRTransport
from notiway.live.carriers.inbound import Inbound
from notiway.live.carriers.sse import StreamTransport
from notiway.live.carriers.websocket import WebSocketTransport
from notiway.live.delivery.format import Format
from notiway.values.event import Event
from notiway.web.sockets import actions, invocations

from . import contexts
from .database import Database
from .stand_ins import SimulatedFault

SLOTS = 3  # processes that a schedule has at most
BREAKS = re.compile(r"breaks-(\w+)")  # in a title: the wire that cannot show it


class FragileWire:
    """A real wire that fails where the title of a notification says so."""

    def __init__(self, wire: Any) -> None:
        self._wire = wire
        self.name = wire.name
        self.counts = wire.counts
        self.redraws = False
        self.connected = wire.connected
        self.heartbeat = wire.heartbeat
        self.error = wire.error
        self.reset = getattr(wire, "reset", None)

    def render(self, event: Event) -> str | None:
        notification = event.data.get("notification")
        if notification is not None:
            broken = BREAKS.search(notification["title"])
            if broken is not None and broken[1] == self.name:
                raise SimulatedFault(f"{self.name} cannot show it")
        text: str | None = self._wire.render(event)
        return text


class Slot:
    """One of the machines: its application stays, whatever processes come and go."""

    def __init__(self, number: int, database: Database) -> None:
        self.number = number
        self.app = Flask("simulation")
        self.app.config.update(
            TESTING=True, SECRET_KEY="simulation", NOTIWAY_JOBS="off", NOTIWAY_OPEN_GROUPS="open-*",
            NOTIWAY_DATABASE_URL="sqlite:///:memory:", NOTIWAY_USERS="external", NOTIWAY_QUEUE_LIMIT=4096,
        )  # fmt: skip
        Notiway(self.app, database=database.opened, unknown_users=lambda ids: set(), user_is_active=lambda _: True)
        self.base: runtime.Runtime = self.app.extensions[runtime.KEY]
        self.app.before_request_funcs.clear()
        contexts.lighten(self.app)
        self._wires = {name: FragileWire(format.wire) for name, format in self.base.formats.items()}
        self._act, self._invoke = actions.handler(self.app), invocations.handler(self.app)

    def formats(self, inbound: Inbound) -> dict[str, Format]:
        heard = inbound.put, self.base.config.max_message_bytes, inbound.control
        frames = WebSocketTransport(*heard)
        return {
            "json": Format(self._wires["json"], frames, self._act),
            "html": Format(self._wires["html"], frames, self._act),
            "signalr": Format(self._wires["signalr"], SignalRTransport(*heard), self._invoke),
            "sse": Format(self._wires["sse"], StreamTransport()),
        }


class Site:
    """The database and the slots."""

    def __init__(self) -> None:
        self.database = Database()
        self.slots = [Slot(number, self.database) for number in range(SLOTS)]
