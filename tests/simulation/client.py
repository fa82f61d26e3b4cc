"""Client: one tab or device, which does what the documentation of its wire says, and shows what it holds."""

from __future__ import annotations

import json
from typing import Any

from notiway.values.principal import Principal

from . import speech
from .process import VIEWS, Process
from .sockets import Line
from .speech import SEPARATOR, Row, Said

STAY_AWAY = (1008, 4001, 4008)  # close codes after which a client does not come back by itself
COME_BACK = (1011, 1012, 1013)  # and those after which it does: SignalR says so in its own message
LIST_LENGTH = 100
PING_US = 5_000_000


class Client:
    """`rows` are what it shows, by the key that its wire knows them by.

    One that `reconciles` loads the list whenever its line was opened, as the pages do. A SignalR client begins anew
    with what the server replays, unless it `resumes`. The others go on from what they hold.
    """

    def __init__(self, world: Any, name: str, user: str, wire: str, reconciles: bool, resumes: bool) -> None:
        self.world = world
        self.name = name
        self.user = user
        self.wire = wire
        self.reconciles = reconciles
        self.starts_afresh = wire == "signalr" and not resumes
        self.rows: dict[str, Row] = {}
        self.hidden: dict[str, Row] = {}
        self.badge: int | None = None
        self.line: Line | None = None
        self.process: Process | None = None
        self.is_open = False  # greeted by the server
        self.is_stalled = False
        self.newest = ""  # what it resumes from
        self.known_as = ""  # the same as SignalR clients know it
        self.resumed_from = ""
        self.logins = 0
        self.is_signed_out = False
        self._pinged_at = 0
        self._unread = bytearray()
        self.must_load = wire == "sse"  # nothing is replayed to a stream that names no id
        self.wishes: dict[str, bool] = {}  # what it subscribed to on this line, or left
        self.heard: set[str] = set()  # titles, on this line
        self.order: dict[str, int] = {}  # by audience, the last one's place in the deliveries to its process
        self.closed_with = 0
        self.is_sent_away = False  # SignalR's Close allows no reconnect
        self.opened_at = 0  # when this line was, in microseconds

    @property
    def session(self) -> str:
        return f"{self.name}.{self.logins}"

    # The line

    def connect(self, process: Process) -> None:
        world = self.world
        line = self.line = world.new_line(self)
        self.process, self.is_open, self.is_stalled = process, False, False
        self._unread.clear()
        self.wishes.clear()
        self.heard.clear()
        self.order.clear()
        self.closed_with, self.opened_at, self.is_sent_away = 0, world.clock.us, False
        process.lines[line.fd] = line
        query: dict[str, str] = {"format": "html"} if self.wire == "html" else {}
        self.resumed_from = self.newest
        if self.wire in ("json", "html"):
            query["since"] = self.newest
        elif self.wire == "sse" and self.newest:
            query["lastEventId"] = self.newest
        elif self.known_as:
            query["since"] = self.known_as
        if self.is_signed_out:
            self.logins += 1  # the old session opens nothing any more
            self.is_signed_out = False
        principal = Principal(self.user, self.session)
        visitor: Any = (principal, None) if self.wire == "signalr" else principal
        world.trace("  %s opens %s at %s from %s", self.name, self.wire, process.name, self.newest[:13] or "nothing")
        path, view = VIEWS[self.wire]
        process.request(path, query, view, visitor, line)
        if self.starts_afresh:
            self.rows.clear()
            self.hidden.clear()
        if self.wire == "signalr":
            line.incoming += speech.frame('{"protocol":"json","version":1}' + SEPARATOR)

    def cut(self) -> None:
        """The line breaks; of what is under way a part arrives."""
        line = self.line
        if line is None:
            return
        del line.outgoing[self.world.chance.randrange(len(line.outgoing) + 1) :]
        self.read()
        line.is_broken = True
        self.gone()

    def gone(self) -> None:
        if self.line is not None:
            self.world.trace("  %s is without a line (%s)", self.name, self.closed_with)
            self.line = self.process = None
            self.is_open = False
            if self.closed_with not in STAY_AWAY:
                self.world.come_back(self)

    def wants_to_read(self) -> bool:
        line = self.line
        return line is not None and not self.is_stalled and bool(line.outgoing or line.server_left)

    def read(self) -> None:
        line = self.line
        if line is None:
            return
        self._unread += line.outgoing
        line.outgoing.clear()
        if self.wire == "sse":
            self._read_stream()
        else:
            self._read_frames(line)
        if line.server_left and self.line is line:
            line.client_left = True
            self.gone()

    def _read_stream(self) -> None:
        if self._unread.startswith(b"HTTP/1.1"):
            end = self._unread.find(b"\r\n\r\n")
            if end < 0:
                return
            del self._unread[: end + 4]
        for said in speech.sse_said(self._unread):
            self.hear(said)

    def _read_frames(self, line: Line) -> None:
        for opcode, payload in speech.frames(self._unread):
            if opcode == 9:
                line.incoming += b"\x8a\x80\0\0\0\0"
            elif opcode == 8:
                self.closed_with = int.from_bytes(payload[:2], "big")
                if self.is_sent_away and self.closed_with in COME_BACK:
                    self.world.fault(f"{self.name} is closed with {self.closed_with}, but told not to come back")
                line.client_left = True
                self.gone()
                return
            elif opcode == 1:
                self._hear_text(payload.decode())

    def _hear_text(self, text: str) -> None:
        if self.wire == "signalr":
            told = speech.signalr_said(text)
        elif self.wire == "html":
            told = speech.html_said(text)
        else:
            told = speech.json_said(text)
        for said in told:
            self.hear(said)

    # What it hears

    def hear(self, said: Said) -> None:
        self.world.checks.hears(self, said)
        if said.unread is not None:
            self.badge = said.unread
        if said.last_id:
            self.newest = said.last_id
        if said.kind in ("item", "restored"):
            for row in said.rows:
                self._show(row)
        elif said.kind == "connected":
            self.is_open = True
            if self.reconciles or self.must_load:
                self.load()
        elif said.kind == "reset":
            self.load()
        elif said.kind == "bye for ever":
            self.is_sent_away = True
        else:
            self._change(said)

    def _change(self, said: Said) -> None:
        if said.kind == "read_all":
            self.world.checks.hears_read_all(self, said.before)
            for key, row in self.rows.items():
                if row.is_kept and (said.before is None or key <= said.before):
                    row.is_read = True
        for key in said.ids:
            known = self.rows.get(key) or self.hidden.get(key)
            if said.kind == "undeleted":
                self.rows[key] = self.hidden.pop(key, None) or Row(key, "", False)
            elif said.kind == "deleted" and key in self.rows:
                self.hidden[key] = self.rows.pop(key)
            elif said.kind in ("read", "unread") and known is not None:
                known.is_read = said.kind == "read"

    def _show(self, row: Row) -> None:
        if row.is_kept and self.wire in ("json", "html"):
            self.newest = max(self.newest, row.id)
        elif row.is_kept and self.wire == "signalr" and not self.starts_afresh:
            self.newest, self.known_as = self.world.id_of(row.title), row.id.partition(" ")[2]
        if row.id not in self.rows:
            self.rows[row.id] = row
            self.hidden.pop(row.id, None)

    def load(self) -> None:
        """Ask for the list, as `GET /notifications` answers it."""
        line, process = self.line, self.process
        if process is None:
            return

        def fetch() -> None:
            listed = self.world.listed(self.user, LIST_LENGTH)
            if self.line is line:
                self._take_list(listed)

        process.do(fetch)

    def _take_list(self, listed: list[Any]) -> None:
        self.world.trace("  %s loads its list: %d items", self.name, len(listed))
        self.must_load = False  # a list that did not come is asked for on the next line
        self.rows = {each.id: speech.listed_row(each) for each in listed}
        self.hidden.clear()

    # What it says

    def keep_alive(self) -> None:
        """What SignalR's clients do by themselves."""
        if self.is_open and self.world.clock.us - self._pinged_at > PING_US:
            self._pinged_at = self.world.clock.us
            self.say({"type": 6})

    def say(self, message: dict[str, Any]) -> None:
        if self.line is not None:
            text = json.dumps(message) + (SEPARATOR if self.wire == "signalr" else "")
            self.line.incoming += speech.frame(text)

    def invoke(self, target: str, *arguments: Any) -> None:
        self.say({"type": 1, "invocationId": "1", "target": target, "arguments": list(arguments)})

    def subscribe(self, group: str, wanted: bool) -> None:
        self.wishes[f"group:{group}"] = wanted
        if self.wire == "signalr":
            routing = {"audienceType": 3, "audienceValue": group, "tenantId": None}
            self.invoke("Subscribe" if wanted else "Unsubscribe", routing)
        else:
            self.say({"action": "subscribe" if wanted else "unsubscribe", "audience": f"group:{group}"})
