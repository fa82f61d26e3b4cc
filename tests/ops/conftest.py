"""Fixtures: a server that answers whatever it is asked with the same bytes."""

from __future__ import annotations

import socket
import threading

import pytest


@pytest.fixture
def answering():
    """A server on loopback that answers every connection with these bytes and hangs up; its URL."""
    listeners = []

    def serve(answer):
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def work():
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                with client:
                    client.recv(65536)
                    client.sendall(answer)

        threading.Thread(target=work, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield serve
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
