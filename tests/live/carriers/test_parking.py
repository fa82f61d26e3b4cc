"""Parking: the socket outlives its request only where the server lets it go."""

import io
import socket
import ssl
import threading
from types import SimpleNamespace

import pytest
from fresh import fresh_database
from pair import WAIT_SECONDS, make_pair
from servers import wait_until

from notiway.live.carriers import can_hold, parking
from notiway.live.carriers.parking import stay, take_carrier, take_socket
from notiway.values.config import Config
from notiway.values.errors import CannotHold


class Carrier:
    """As gevent's socket: has a module name, a file number, and can give it away."""

    __module__ = "gevent._socket3"

    def __init__(self, sock):
        self.sock = sock
        self.detached = False

    def detach(self):
        self.detached = True
        return self.sock.detach()

    def fileno(self):
        return self.sock.fileno()


@pytest.mark.parametrize(("mode", "stays"), [("gunicorn", False), ("werkzeug", True), ("gevent", True)])
def test_only_under_gunicorn_with_gevent_the_view_may_end(mode, stays):
    ours, theirs = socket.socketpair()
    carrier = Carrier(ours)
    made = SimpleNamespace(sock=carrier, mode=mode, connected=True)
    sock, view_stays = take_socket(made)
    assert (view_stays, carrier.detached, made.connected) == (stays, not stays, False)
    sock.send(b"x")
    assert theirs.recv(1) == b"x"
    for each in (sock, ours, theirs):
        each.close()


def test_a_plain_socket_under_gunicorn_is_held_by_its_thread():
    ours, theirs = socket.socketpair()
    sock, view_stays = take_socket(SimpleNamespace(sock=ours, mode="gunicorn", connected=True))
    assert view_stays
    assert sock.fileno() != ours.fileno()
    for each in (sock, ours, theirs):
        each.close()


@pytest.fixture
def database(tmp_path):
    """What a view that stays lets go of."""
    with fresh_database(tmp_path) as opened:
        yield opened


@pytest.fixture
def untold(monkeypatch):
    """As in a process that has refused nothing yet."""
    monkeypatch.setattr(parking, "_is_told", False)


def process(holds_sockets, **settings):
    return SimpleNamespace(holds_sockets=holds_sockets, config=Config(**settings))


def test_a_process_that_holds_connections_takes_them(untold, caplog):
    parking.check_server(process(True))
    assert caplog.records == []


@pytest.mark.parametrize(
    ("settings", "remedy"),
    [({}, "--worker-class gevent"), ({"live": "elsewhere"}, "route /ws/notifications"), ({}, "notiway live")],
)
def test_a_process_that_holds_none_takes_none_and_the_log_says_so_once(untold, caplog, settings, remedy):
    for _ in range(2):
        with pytest.raises(CannotHold, match="its log says what to change"):
            parking.check_server(process(False, **settings))
    (line,) = caplog.messages
    assert remedy in line


@pytest.mark.parametrize(
    ("environ", "can"),
    [
        ({}, False),
        ({"wsgi.input": io.BytesIO()}, False),
        ({"werkzeug.socket": object()}, True),
        ({"gunicorn.socket": Carrier(None)}, True),
        ({"gunicorn.socket": object()}, False),
    ],
)
def test_a_server_can_hold_connections_where_they_hold_up_nobody(environ, can):
    assert can_hold(environ) is can


@pytest.fixture
def parked(database):
    """A connection with its client, ended afterwards."""
    connection, client = make_pair()
    yield connection
    connection.lost()
    client.close()


def view(connection, view_stays=True):
    """A view in a thread of its own, as a server without gevent runs it."""
    thread = threading.Thread(target=stay, args=(connection, view_stays))
    thread.start()
    return thread


def test_a_view_that_holds_the_socket_stays_until_the_connection_ends(parked):
    thread = view(parked)
    wait_until(lambda: parked.on_gone)
    assert thread.is_alive()
    parked.lost()
    thread.join(WAIT_SECONDS)
    assert not thread.is_alive()


def test_a_view_whose_connection_has_ended_already_does_not_wait_for_it(parked):
    parked.lost()
    thread = view(parked)
    thread.join(WAIT_SECONDS)
    assert not thread.is_alive()


def test_a_view_that_may_end_ends_at_once(parked):
    stay(parked, False)
    assert parked.on_gone is None


def test_a_view_that_stays_holds_no_database(parked, database):
    database.connect(reuse_if_open=True)
    parked.lost()
    stay(parked, True)
    assert database.is_closed()


def test_a_tls_socket_is_taken_as_it_is_and_its_view_stays():
    plain, other = socket.socketpair()
    with ssl.create_default_context().wrap_socket(
        plain, server_hostname="localhost", do_handshake_on_connect=False
    ) as secure:
        assert take_carrier(secure, "gunicorn") == (secure, True)
    other.close()
