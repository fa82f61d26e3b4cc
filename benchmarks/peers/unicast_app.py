"""Notiway as a gateway for users of another application.

python unicast_app.py prepare USERS     makes the tables; prints an API key, then a client token for each user
python unicast_app.py send COUNT        sends from Python, stored and delivered; prints the CPU of each, in µs
"""

from __future__ import annotations

import sys

if sys.argv[1:2] == ["send"]:
    from gevent import monkey

    monkey.patch_all()

import cProfile
import json
import os
import pstats
import socket
import statistics
import subprocess
import time

from flask import Flask

from notiway import send_notification
from notiway.gateway import client_tokens
from notiway.gateway.client_tokens import Claims
from notiway.host.app import create_app
from notiway.live import runtime
from notiway.live.carriers import joining
from notiway.pausing import pause
from notiway.store import schema
from notiway.store.credentials import api_keys
from notiway.store.database import db
from notiway.values.principal import Principal

TOKEN_SECONDS = 3_600
BATCHES = 5
BURST = 8  # sends between two pauses, as many as publishers over HTTP
LISTENERS = 50
RECEIVE = """import os, select, sys
epoll = select.epoll()
for number in sys.argv[1:]:
    epoll.register(int(number), select.EPOLLIN)
while True:
    for number, _ in epoll.poll():
        os.read(number, 1 << 20) or sys.exit()
"""

app: Flask = create_app()


def prepare(users: int) -> list[str]:
    """The tables, a key that may publish, and who listens."""
    with app.app_context():
        now = runtime.current()
        schema.migrate(db.obj, now.migrations)
        _, key = api_keys.add("benchmark", ["publish"])
        ends = time.time() + TOKEN_SECONDS
        return [key, *(client_tokens.mint(now.token_secret, Claims(f"u{each}", ends)) for each in range(users))]


def send(count: int) -> dict[str, float]:
    """CPU of this process for a send to one of the users, each with a WebSocket; another process reads what arrives."""
    pairs = [socket.socketpair() for _ in range(LISTENERS)]
    numbers = [theirs.fileno() for _, theirs in pairs]
    receiver = subprocess.Popen([sys.executable, "-c", RECEIVE, *map(str, numbers)], pass_fds=numbers)
    with app.app_context():
        now = runtime.current()
        schema.migrate(db.obj, now.migrations)
        now.start()
        for number, (ours, theirs) in enumerate(pairs):
            theirs.close()
            connection = joining.join(now, ours, "json", Principal(f"u{number}"))
            now.hub.release(connection, ())
        profile = cProfile.Profile() if os.environ.get("PROFILE") else None
        took = []
        for batch in range(BATCHES + 1):
            if profile and batch == BATCHES:
                profile.enable()
            before = time.process_time()
            for number in range(1, count + 1):
                send_notification(
                    f"u{number % LISTENERS}", "Invoice paid", "John paid $500 for invoice #123", type="success"
                )
                if number % BURST == 0:
                    pause()
            while len(now.hub.waiting):
                pause()
            took.append((time.process_time() - before) * 1e6 / count)
        if profile:
            profile.disable()
            pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(45)
        receiver.kill()
        receiver.wait()
        return {"median_us": statistics.median(took[1:]), "least_us": min(took[1:]), "most_us": max(took[1:])}


if __name__ == "__main__":
    if sys.argv[1] == "prepare":
        print("\n".join(prepare(int(sys.argv[2]))))
    else:
        print(json.dumps(send(int(sys.argv[2]))), flush=True)
        os._exit(0)  # the reactor goes on
