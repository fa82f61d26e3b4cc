"""Channels: on which Redis channels an audience is told and heard."""

from __future__ import annotations

import secrets
from urllib.parse import parse_qs, urlsplit

from notiway.values import broker_url

OF_ONE = "connection:"  # audiences of a single connection begin so
OF_NODE = "node:"
NODE_BYTES = 6
NODE_ENDS = "."  # in the id of a connection, behind the node that gave it


def new_node() -> str:
    """A name for a process."""
    return secrets.token_urlsafe(NODE_BYTES)


class Channels:
    """The names of channels. Redis' Pub/Sub knows no databases, so the number of the database is in each of them.

    >>> Channels("redis://localhost/3").told("user:42")
    ['notiway:3:user:42']
    """

    def __init__(self, url: str) -> None:
        self._prefix = f"notiway:{_database(url)}:"

    def of_node(self, node: str) -> str:
        """What a process hears for all its connections: a channel for each of those would be one for each tab."""
        return f"{self._prefix}{OF_NODE}{node}"

    def told(self, audience: str) -> list[str]:
        """Where an audience is told. A connection may have its id from another node than the one that holds it."""
        channel = self._prefix + audience
        node = node_of(audience)
        return [channel] if node is None else [self.of_node(node), channel]

    def heard(self, audience: str, node: str) -> str:
        """Where this node hears an audience."""
        return self.of_node(node) if node_of(audience) == node else self._prefix + audience

    def audience(self, channel: str) -> str | None:
        """The audience that is told on a channel; None for a node's, which is many."""
        name = channel.removeprefix(self._prefix)
        return None if name.startswith(OF_NODE) else name


def node_of(audience: str) -> str | None:
    """The node that is named in the id of a connection; None for every other audience."""
    node, ends, _ = audience.removeprefix(OF_ONE).partition(NODE_ENDS)
    return node if ends and audience.startswith(OF_ONE) else None


def _database(url: str) -> str:
    parts = urlsplit(url)
    given = parse_qs(parts.query).get("db")
    if given:
        return given[-1]
    if parts.scheme in broker_url.SENTINEL:
        return str(broker_url.sentinels(url).database)
    return "0" if parts.scheme == "unix" else parts.path.strip("/") or "0"
