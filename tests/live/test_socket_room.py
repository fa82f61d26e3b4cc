"""Socket room: a client's socket never blocks, and the kernel keeps little for it unless it reads much."""

import socket

import pytest

from notiway.live import socket_room


def room(sock):
    return sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) // 2  # the kernel doubles what it is given


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    yield ours
    ours.close()
    theirs.close()


def test_a_prepared_socket_never_blocks_and_has_little_room(pair):
    socket_room.prepare(pair)
    assert not pair.getblocking()
    assert room(pair) == socket_room.SMALL_BYTES


def test_small_frames_leave_a_network_socket_at_once():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        socket_room.prepare(client)
        assert client.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_room_can_be_given_and_taken(pair):
    socket_room.prepare(pair)
    before = room(pair)
    socket_room.give(pair, socket_room.SMALL_BYTES * 2)
    assert room(pair) == before * 2


def test_a_socket_that_is_gone_says_so(pair):
    pair.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        socket_room.give(pair, socket_room.SMALL_BYTES)
