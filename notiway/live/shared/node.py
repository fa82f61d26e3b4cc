"""Node: one process that holds live connections, as it tells the others of itself."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from notiway.values.version import VERSION

CLOCK_MS = 2_000  # that a clock may be wrong: less than any resume overlaps
LATE_MS = 1_000


@dataclass(frozen=True, slots=True)
class Node:
    """What is known of a process. Times are in milliseconds; what a newer version tells beyond this is passed over."""

    id: str
    version: str = ""
    host: str = ""
    pid: int = 0
    connections: int = 0
    ahead: float = 0.0  # of its clock, by that of Redis
    answer: float = 0.0  # how long Redis took for its last answer
    oldest: float = 0.0  # how long the oldest Event has waited in it
    numbers: Mapping[str, Any] = field(default_factory=dict)  # of the application: see host/live_numbers.py

    def to_text(self) -> str:
        """Compact JSON."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def read(cls, text: str | bytes) -> Node | None:
        """The reverse of `to_text`; None for what is no node."""
        try:
            told = json.loads(text)
            known = {spec.name: told[spec.name] for spec in fields(cls) if spec.name in told}
            return cls(**known) if isinstance(known["id"], str) else None
        except (ValueError, TypeError, KeyError):
            return None


def compare(nodes: Sequence[Node]) -> tuple[str, str]:
    """What an operator has to know of the nodes, and how to fix what is wrong with them; empty where nothing is.

    >>> compare([Node("n1", "1.0", "web1", 7), Node("n2", "1.1", "web2", 9)])[1]
    'end the rolling update: restart the nodes of the older version'
    """
    if not nodes:
        return "no process holds live connections", "start the server, with the same NOTIWAY_BROKER_URL"
    lines = [
        f"{each.host}:{each.pid} version {each.version}, {each.connections} connections, clock {each.ahead:+.0f} ms,"
        f" Redis answers in {each.answer:.0f} ms, oldest Event {each.oldest:.0f} ms"
        for each in nodes
    ]
    remedies = []
    if len({each.version for each in nodes}) > 1:
        remedies.append("end the rolling update: restart the nodes of the older version")
    if wrong := [f"{each.host}:{each.pid}" for each in nodes if abs(each.ahead) > CLOCK_MS]:
        remedies.append(f"set the clocks of {', '.join(wrong)} and of Redis by NTP")
    if slow := [f"{each.host}:{each.pid}" for each in nodes if max(each.answer, each.oldest) > LATE_MS]:
        remedies.append(f"Events are late at {', '.join(slow)}: add nodes, or look at the network to Redis")
    return "; ".join(lines), "; ".join(remedies)


def this_process(node_id: str, **told: Any) -> Node:
    """The node of this process.

    >>> this_process("n1", connections=3).connections
    3
    """
    return Node(node_id, VERSION, socket.gethostname(), os.getpid(), **told)
