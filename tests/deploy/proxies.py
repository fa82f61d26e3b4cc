"""The proxies of deploy/, the real programs, with free ports and a certificate of the test's own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from servers import accepts, free_port, wait_until
from serving import ROOT

DEPLOY = ROOT / "deploy"
KINDS = ("nginx", "caddy", "haproxy")


class Ports(NamedTuple):
    """Where the application and its two live processes listen."""

    app: int
    first: int
    second: int


class Front(NamedTuple):
    """What a browser sees."""

    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"


def certificate(folder: Path) -> Path:
    """A certificate for localhost, signed by itself; the key lies beside it, and both in one file."""
    made = folder / "site.crt"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    options = ["-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", str(folder / "site.key"), "-out", str(made)]
    subprocess.run(["openssl", "req", "-x509", *subject, *options], check=True, capture_output=True)
    (folder / "site.pem").write_text(made.read_text() + (folder / "site.key").read_text())
    return made


def replaced(text: str, changes: dict[str, str]) -> str:
    """The configuration with what a reader has to change; each must be there."""
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def _nginx(folder: Path, changes: dict[str, str], port: int) -> list[str]:
    text = replaced(
        (DEPLOY / "nginx" / "notiway.conf").read_text(),
        changes
        | {
            "listen 443": f"listen 127.0.0.1:{port}",
            "/etc/ssl/app.example.com.pem": str(folder / "site.crt"),
            "/etc/ssl/app.example.com.key": str(folder / "site.key"),
            "app.example.com": "localhost",
            "/var/log/nginx/notiway.log": str(folder / "access.log"),
        },
    )
    return nginx_words(folder, text)


def nginx_words(folder: Path, site: str) -> list[str]:
    """How to start nginx with this site, and with nothing outside of the folder."""
    (folder / "notiway.conf").write_text(site)
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root; " if os.geteuid() == 0 else ""  # else its workers may not write into the folder
    (folder / "nginx.conf").write_text(
        f"{user}daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;"
        f"events {{ worker_connections 4096; }} http {{ {paths} include {folder}/notiway.conf; }}"
    )
    return ["nginx", "-c", str(folder / "nginx.conf"), "-p", str(folder), "-e", str(folder / "error.log")]


def _caddy(folder: Path, changes: dict[str, str], port: int) -> list[str]:
    site = f"https://localhost:{port} {{\n\ttls {folder}/site.crt {folder}/site.key"
    log = f"log {{\n\t\toutput file {folder}/access.log\n\t}}"
    options = f"grace_period 1s\n\tadmin off\n\tauto_https disable_redirects\n\t{log}\n\t"
    changes = changes | {"app.example.com {": site, "grace_period 10s ": options}
    (folder / "Caddyfile").write_text(replaced((DEPLOY / "caddy" / "Caddyfile").read_text(), changes))
    return ["caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


def _haproxy(folder: Path, changes: dict[str, str], port: int) -> list[str]:
    bind = f"bind 127.0.0.1:{port} ssl crt {folder}/site.pem"
    changes = changes | {"bind :443 ssl crt /etc/haproxy/app.example.com.pem": bind, "maxconn 100000": "maxconn 500"}
    text = replaced((DEPLOY / "haproxy" / "haproxy.cfg").read_text(), changes)
    (folder / "haproxy.cfg").write_text(text)
    (folder / "access.log").write_text("")
    return ["haproxy", "-db", "-f", str(folder / "haproxy.cfg")]


@contextmanager
def proxy(kind: str, folder: Path, ports: Ports) -> Iterator[Front]:
    """Run a proxy with its file of deploy/ before these processes."""
    port = free_port()
    changes = {f"127.0.0.1:{known}": f"127.0.0.1:{ours}" for known, ours in zip((5000, 5001, 5002), ports, strict=True)}
    words = {"nginx": _nginx, "caddy": _caddy, "haproxy": _haproxy}[kind](folder, changes, port)
    with running(words, folder, port):
        yield Front(port, folder / "access.log")


@contextmanager
def running(words: list[str], folder: Path, port: int) -> Iterator[None]:
    """Run a proxy, from when it takes connections at this port."""
    with (folder / "said.log").open("ab") as log:
        process = subprocess.Popen(
            words, stdout=log, stderr=log, env={"HOME": str(folder), "PATH": "/usr/sbin:/usr/bin"}
        )
    try:
        wait_until(lambda: accepts(port) or process.poll() is not None, 30)
        assert process.poll() is None, (folder / "said.log").read_text()
        yield
    finally:
        process.terminate()
        process.wait(90)
