"""Tunnel: TLS for a client that reads in one thread and writes in another.

Python's `ssl` lets two threads into OpenSSL with one connection, which OpenSSL forbids (python/cpython#143756). What is
written while a session ticket is read may never leave, and the process may crash: `websockets`' synchronous client lost
one handshake in 200 to HAProxy so, which sends its tickets by themselves. Here one thread does both.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
from collections.abc import Iterator

CHUNK_BYTES = 1 << 16
PATIENCE_SECONDS = 60.0


@contextlib.contextmanager
def tunnel(port: int, trusted: ssl.SSLContext) -> Iterator[socket.socket]:
    """A plain socket whose bytes go to `localhost` over TLS, and back."""
    encrypted = trusted.wrap_socket(
        socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS), server_hostname="localhost"
    )
    ours, theirs = socket.socketpair()
    thread = threading.Thread(target=_carry, args=(encrypted, ours), daemon=True)
    thread.start()
    try:
        yield theirs
    finally:
        theirs.close()
        thread.join(PATIENCE_SECONDS)


def _carry(encrypted: ssl.SSLSocket, plain: socket.socket) -> None:
    """Carry bytes until either side ends."""
    sides = {encrypted.fileno(): encrypted, plain.fileno(): plain}
    poll = select.poll()  # `select` takes no descriptor above 1023, and a long run of tests has more
    for number in sides:
        poll.register(number, select.POLLIN)
    with encrypted, plain, contextlib.suppress(OSError):
        while True:
            ready = [encrypted] if encrypted.pending() else [sides[number] for number, _ in poll.poll()]
            if plain in ready:
                if not (said := plain.recv(CHUNK_BYTES)):
                    return
                encrypted.settimeout(PATIENCE_SECONDS)
                encrypted.sendall(said)
            if encrypted in ready:
                encrypted.settimeout(0)
                with contextlib.suppress(ssl.SSLWantReadError):  # a ticket, or part of a record
                    if not (heard := encrypted.recv(CHUNK_BYTES)):
                        return
                    plain.sendall(heard)
