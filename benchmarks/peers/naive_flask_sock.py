"""The obvious way with flask-sock: a list of sockets and a loop that sends. Nobody signs in, nothing is counted."""

from __future__ import annotations

import os

from flask import Flask
from flask_sock import Sock

TEXT = "x" * int(os.environ["BENCHMARK_PAYLOAD"])

app = Flask(__name__)
sock = Sock(app)
clients = []


@sock.route("/ws/notifications")
def listen(ws):
    clients.append(ws)
    try:
        while True:
            ws.receive()
    finally:
        clients.remove(ws)


@app.get("/broadcast")
def broadcast():
    for ws in list(clients):
        ws.send(TEXT)
    return "", 204
