"""The floor: a Python process that accepts sockets and does nothing but send() to them.

It answers the handshake with fixed bytes, so that the crowd is the same for every server.
"""

from __future__ import annotations

import select
import socket
import sys

HANDSHAKE = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
DONE = b"HTTP/1.1 204 No Content\r\n\r\n"


def serve(port: int, payload: int) -> None:
    """Serve for ever: whoever asks for /broadcast makes one, everybody else hears it."""
    frame = bytes((0x81, 126)) + payload.to_bytes(2, "big") + b"x" * payload
    listener = socket.create_server(("127.0.0.1", port), backlog=2048)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # accepted sockets inherit it
    epoll = select.epoll()
    epoll.register(listener, select.EPOLLIN)
    sockets: dict[int, socket.socket] = {}
    sends = {}
    while True:
        for number, _ in epoll.poll():
            if number == listener.fileno():
                client, _ = listener.accept()
                sockets[client.fileno()] = client
                epoll.register(client, select.EPOLLIN)
                continue
            client = sockets[number]
            request = client.recv(4096)
            if request.startswith(b"GET /broadcast"):
                for send in sends.values():
                    send(frame)
                client.send(DONE)
            elif request:
                client.send(HANDSHAKE)
                sends[number] = client.send
            else:
                epoll.unregister(client)
                sends.pop(number, None)
                sockets.pop(number).close()


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]))
