"""Flask-SocketIO under gevent: `emit` to everybody. Nobody signs in, nothing is counted."""

from __future__ import annotations

import os

from flask import Flask
from flask_socketio import SocketIO

AROUND = len('42["message",""]')  # what Socket.IO writes around a text
TEXT = "x" * (int(os.environ["BENCHMARK_PAYLOAD"]) - AROUND)

app = Flask(__name__)
socketio = SocketIO(app, async_mode="gevent")


@app.get("/broadcast")
def broadcast():
    socketio.emit("message", TEXT)
    return "", 204
