"""Process: one simulated web process, with the real hub, badges, wires and carriers on a reactor without epoll."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import quote

from flask import g

from notiway.live import runtime
from notiway.live.badges import Badges
from notiway.live.carriers.inbound import Inbound
from notiway.live.hub import Hub
from notiway.live.limits.pace import Pace
from notiway.live.limits.seen_ids import SeenIds
from notiway.live.reactor import Reactor
from notiway.web.sockets import handshake, signalr, sse, websocket

from .clock import MICRO
from .ear import Ear
from .site import Slot
from .sockets import Line, Poll

HEARTBEAT_SECONDS = 15.0
NEVER = 2**62  # microseconds


class Loop(Reactor):
    """The real reactor, turned by the world."""

    def __init__(self, lines: dict[int, Line]) -> None:
        super().__init__()
        self._epoll = Poll(lines)
        self._wake_read = -1
        self.turn = self._turn

    def has_work(self) -> bool:
        return bool(self._calls or self._jobs or self._epoll.has_news())


class Process:
    """A web process in its slot. It ends by a crash, or by draining."""

    def __init__(self, slot: Slot, world: Any) -> None:
        self.slot = slot
        self.name = f"p{slot.number}"
        self.world = world
        self.lines: dict[int, Line] = {}
        self.is_leaving = False
        world.building = self
        clock = world.clock.monotonic
        self.loop = Loop(self.lines)
        self.hub = Hub(
            self.loop, connections_per_user=50, heartbeat_seconds=HEARTBEAT_SECONDS, queue_total=world.queue_total
        )
        inbound = Inbound(self.loop, clock=clock)
        self.badges = Badges(self.loop, self.hub, context=slot.app.app_context)
        parts: dict[str, Any] = {
            "reactor": self.loop,
            "hub": self.hub,
            "inbound": inbound,
            "badges": self.badges,
            "formats": slot.formats(inbound),
            "broker": Ear(self, world.network, is_remote=world.is_remote),
            "seen_ids": SeenIds(clock),
            "pace": Pace(clock),
            "_started": True,  # it holds connections, and others do too
            "config": dataclasses.replace(slot.base.config, broker_url="redis://simulated"),
        }
        self.runtime = dataclasses.replace(slot.base, **parts, **_more(self))
        slot.app.extensions[runtime.KEY] = self.runtime

        remember = self.hub._replayed.remember

        def note(connection: Any, ids: Any) -> None:
            listed = list(ids)
            connection.sock.replayed.update(listed)
            remember(connection, listed)

        self.hub._replayed.remember = note  # type: ignore[method-assign]

    @property
    def beats_at(self) -> int:
        """When its next heartbeat is due, in microseconds."""
        due = self.hub.heartbeat.begin.due  # type: ignore[attr-defined]
        return NEVER if due == math.inf else int(due * MICRO) + 1

    def do(self, work: Callable[[], Any]) -> Any:
        """Run something as a task of this process, inside its application."""

        def inside() -> None:
            with self.slot.app.app_context():
                work()

        return self.world.tasks.spawn(self, inside)

    def request(self, path: str, query: dict[str, str], view: Callable[[], Any], visitor: Any, line: Line) -> None:
        """Serve the opening request of a live client as a task."""
        text = "&".join(f"{key}={quote(value)}" for key, value in query.items())
        environ = ENVIRON | {
            "PATH_INFO": path,
            "QUERY_STRING": text,
            handshake.VISITOR: visitor,
            "simulation": line,
            signalr.SINCE: query.get("since"),
        }

        heard = self.hub.heard  # as the visitor is known from here on

        def serve() -> None:
            with self.slot.app.request_context(environ):
                g.notiway_heard = heard
                view()

        self.world.tasks.spawn(self, serve)


def _more(process: Process) -> dict[str, Any]:
    """Parts that not every version of Notiway has."""
    try:
        from notiway.live.carriers.replaying import Replaying
    except ImportError:
        return {}
    return {"replaying": Replaying(process.hub, process.slot.app.app_context)}


ENVIRON: dict[str, Any] = {
    "REQUEST_METHOD": "GET",
    "SCRIPT_NAME": "",
    "SERVER_NAME": "simulation",
    "SERVER_PORT": "80",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "wsgi.url_scheme": "http",
    "wsgi.input": None,
    "HTTP_HOST": "simulation",
    "gunicorn.socket": None,
}
# How each wire is opened: the path, and the real view behind the handshake.
VIEWS: dict[str, tuple[str, Callable[[], Any]]] = {
    "json": ("/ws/notifications", partial(websocket._open, None)),
    "html": ("/ws/notifications", partial(websocket._open, None)),
    "sse": ("/api/notifications/stream", sse.stream),
    "signalr": ("/hub", partial(signalr._open, None)),
}
