"""Nodes: servers with ports of their own that share a PostgreSQL and a Redis, and nginx before them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import requests
from clients.producer import Producer
from postgres import Postgres
from serving import Site

from deploy.proxies import DEPLOY, nginx_words, replaced, running

PROCESS_CLOCK = 2  # clock_getcpuclockid(3): user + system time of a whole process, in nanoseconds
QUIET_CPU_SECONDS = 0.005  # in LOOK_SECONDS: a node that uses less has come to rest
LOOK_SECONDS = 0.25
SETTLE_SECONDS = 30.0
SETTINGS = {
    "NOTIWAY_JOBS": "web",
    "NOTIWAY_DRAIN_SECONDS": "1",
    "NOTIWAY_TRUSTED_PROXIES": "1",
    "NOTIWAY_PUBLISH_RATE": "1000000 per minute",
    "NOTIWAY_USER_RATE": "100000 per minute",
}


class Nodes:
    """`sites` are the nodes; `door` is nginx, as a site that nobody starts: what asks it is led to any node."""

    def __init__(self, sites: Sequence[Site], door: Site) -> None:
        self.sites, self.door = sites, door

    @cached_property
    def producer(self) -> Producer:
        """A producer that publishes through nginx."""
        made = Producer(self.sites[0])
        made.site = self.door
        return made


@contextmanager
def nodes(folder: Path, count: int, postgres: Postgres, redis_url: str, **settings: Any) -> Iterator[Nodes]:
    """So many running nodes with a database of their own, behind nginx."""
    settings = SETTINGS | {"NOTIWAY_DATABASE_URL": postgres.empty(), "NOTIWAY_BROKER_URL": redis_url} | settings
    with ExitStack() as stack:
        sites = []
        for number in range(count):
            own = folder / f"node{number}"
            own.mkdir()
            sites.append(Site(own, "loud_app:app", **settings))
            stack.callback(sites[-1].close)
        sites[0].prepare("migrate")
        with ThreadPoolExecutor(count) as threads:
            list(threads.map(Site.start, sites))
        door = Site(folder, "loud_app:app", **settings)
        stack.enter_context(running(nginx_words(folder, _site(folder, door.port, sites)), folder, door.port))
        yield Nodes(sites, door)


def _site(folder: Path, port: int, sites: Sequence[Site]) -> str:
    """The configuration of deploy/, without TLS, where each node serves pages and live connections."""
    servers = "\n".join(f"    server 127.0.0.1:{site.port} max_fails=0;" for site in sites)
    changes = {
        "listen 443 ssl http2": f"listen 127.0.0.1:{port}",
        "    ssl_certificate     /etc/ssl/app.example.com.pem;\n": "",
        "    ssl_certificate_key /etc/ssl/app.example.com.key;\n": "",
        "    server 127.0.0.1:5000;": servers,
        "    server 127.0.0.1:5001 max_fails=0;": servers,
        "    server 127.0.0.1:5002 max_fails=0;\n": "",
        "/var/log/nginx/notiway.log": str(folder / "access.log"),
    }
    return replaced((DEPLOY / "nginx" / "notiway.conf").read_text(), changes)


def counted(site: Site, name: str, label: str = "") -> float:
    """The sum of what a node's `/metrics` has under a name, of the lines with this label."""
    lines = requests.get(f"{site.url}/metrics", timeout=30).text.splitlines()
    found = [line for line in lines if line.startswith((f"{name}{{", f"{name} ")) and label in line]
    return sum(float(line.rpartition(" ")[2]) for line in found)


def rested_cpu(site: Site) -> float:
    """User and system time of a node, in seconds, once it has finished what it was doing."""
    deadline = time.monotonic() + SETTLE_SECONDS
    now = _cpu(site)
    while time.monotonic() < deadline:
        time.sleep(LOOK_SECONDS)
        before, now = now, _cpu(site)
        if now - before < QUIET_CPU_SECONDS:
            break
    return now


def _cpu(site: Site) -> float:
    return time.clock_gettime(~site.worker_pid() << 3 | PROCESS_CLOCK)
