"""Opening: whoever is signed out between the look at the cookie or token and the registration does not stay.

A sign-out is told once it is committed. What comes to this process before the registration finds nobody there.
"""

import socket
import threading
from types import SimpleNamespace

import pytest
from conftest import SECRET_KEY
from flask import Flask, request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_login import LoginManager, UserMixin
from pair import WAIT_SECONDS, Client, settle
from servers import wait_until

from notiway import Notiway
from notiway.host import accounts, sessions
from notiway.live import runtime
from notiway.live.carriers import joining, newcomers
from notiway.live.state import State
from notiway.store import membership, schema
from notiway.store.credentials import api_keys, tokens
from notiway.store.database import db
from notiway.values.audience import Audience
from notiway.values.close_codes import CloseCode
from notiway.values.event import Event
from notiway.verbs.sign_out import session_of_key
from notiway.web import auth
from notiway.web.sockets import opening, signalr, sse, websocket
from web.sockets.conftest import UPGRADE

STREAM = "/api/notifications/stream"
HELLO = '{"protocol":"json","version":1}\x1e'


class Meanwhile:
    """Does something between the look at who asks and the registration, as another process could."""

    def __init__(self, monkeypatch):
        self.change = lambda: None
        join = joining.join

        def after_the_change(*args, **options):
            self.change()
            return join(*args, **options)

        monkeypatch.setattr(joining, "join", after_the_change)


@pytest.fixture
def meanwhile(monkeypatch):
    return Meanwhile(monkeypatch)


@pytest.fixture
def enter(app, now):
    """Opens a route in a thread: `enter("/hub", {"Cookie": …})`; its client."""
    entered = []

    def open_one(path, headers):
        ours, theirs = socket.socketpair()

        def view():
            environ = {"werkzeug.socket": ours}
            with app.test_request_context(path, headers=headers, environ_overrides=environ):
                assert app.preprocess_request() is None
                if path.startswith(STREAM):
                    sse.stream()
                else:
                    route = signalr if path.startswith("/hub") else websocket
                    route._open(SimpleNamespace(sock=ours, mode="werkzeug", connected=True))

        thread = threading.Thread(target=view)
        thread.start()
        entered.append((thread, ours, Client(theirs)))
        return entered[-1][2]

    yield open_one
    for thread, ours, client in entered:
        client.close()
        thread.join(WAIT_SECONDS)
        assert not thread.is_alive(), "the view ends with its connection"
        ours.close()


@pytest.fixture
def cookie(browser):
    return {"Cookie": f"notiway_session={browser.client.get_cookie('notiway_session').value}"}


def name_of_session(browser):
    with browser.client.session_transaction() as found:
        return found[auth.SESSION_KEY]


def close_code(client):
    return client.read_all()[-1]


@pytest.fixture
def told(now):
    """Does something, as another process could, and lets its Event come."""

    def then(change, event):
        def both():
            change()
            now.hub.deliver(event)
            settle(now.reactor)

        return both

    return then


@pytest.fixture(params=["session", "everywhere", "deactivated"])
def ended(request, user, browser, told):
    """Ends the session in the database, and tells whoever is registered, which is nobody yet."""
    name = name_of_session(browser)
    ways = {
        "session": (lambda: sessions.end(user.id, name), name),
        "everywhere": (lambda: sessions.end_all(user.id), None),
        "deactivated": (lambda: accounts.deactivate(user.id), None),
    }
    change, which = ways[request.param]
    return told(change, Event("kick", f"user:{user.id}", {"session": which, "code": int(CloseCode.SIGNED_OUT)}))


@pytest.mark.parametrize("path", ["/ws/notifications", "/ws/notifications?format=html", "/hub"])
def test_a_session_that_ended_meanwhile_leaves_no_socket_open(enter, cookie, meanwhile, ended, path):
    meanwhile.change = ended
    assert close_code(enter(path, UPGRADE | cookie)) == ("close", CloseCode.SIGNED_OUT)


def test_a_session_that_ended_meanwhile_leaves_no_stream_open(enter, cookie, meanwhile, ended):
    meanwhile.change = ended
    client = enter(STREAM, cookie)
    client.sock.settimeout(WAIT_SECONDS)
    text = b"".join(iter(lambda: client.sock.recv(65_536), b""))
    assert text.startswith(b"HTTP/1.1 200 OK")
    assert b"event:" not in text


@pytest.fixture(params=["everywhere", "key"])
def lost(request, app, token, told):
    """A client token, and what ends it in the database and tells whoever is registered."""
    with app.app_context(), db.connection_context():
        key_id = api_keys.add("portal", ["token"])[0].id
    given = token("ada", key_id=key_id)
    if request.param == "key":
        kick = Event("kick", "global", {"session": session_of_key(key_id), "code": int(CloseCode.SIGNED_OUT)})
        return given, told(lambda: api_keys.revoke("portal"), kick)
    return given, told(lambda: tokens.end("ada"), Event("kick", "user:ada", {"session": None, "code": 4009}))


@pytest.mark.parametrize("path", ["/ws/notifications", "/hub"])
def test_a_token_that_ended_meanwhile_leaves_no_socket_open(enter, meanwhile, lost, path):
    given, meanwhile.change = lost
    client = enter(f"{path}?access_token={given}", UPGRADE)
    assert close_code(client) == ("close", CloseCode.SIGNED_OUT)


@pytest.mark.parametrize("path", ["/ws/notifications", STREAM])
def test_whoever_is_still_signed_in_stays(enter, cookie, meanwhile, now, path):
    client = enter(path, UPGRADE | cookie)
    client.sock.settimeout(WAIT_SECONDS)
    text = b""
    while b"unread" not in text:
        text += client.sock.recv(65_536)
    settle(now.reactor)
    assert [each.state for each in now.hub.listeners.of("global")] == [State.OPEN]


@pytest.mark.parametrize("path", ["/ws/notifications", STREAM])
def test_while_nothing_was_told_nothing_is_asked_twice(enter, cookie, meanwhile, now, monkeypatch, path):
    asked = []
    monkeypatch.setattr(opening, "is_still", lambda principal: asked.append(principal) or True)
    enter(path, UPGRADE | cookie)
    wait_until(lambda: [each.state for each in now.hub.listeners.of("global")] == [State.OPEN])
    settle(now.reactor)
    assert asked == []
    meanwhile.change = lambda: now.hub.deliver(Event("sync", "user:somebody", {"unread": 0}))
    enter(path, UPGRADE | cookie)
    wait_until(lambda: len(asked) == 1)


def test_a_group_that_was_joined_or_left_meanwhile_is_heard_or_not(enter, cookie, meanwhile, now, user, told):
    crew, ops = Audience.group("crew"), Audience.group("ops")
    membership.join(user.id, ops)

    def change():
        membership.join(user.id, crew)
        membership.leave(user.id, ops)

    meanwhile.change = told(change, Event("joined", f"user:{user.id}", {"audience": crew.key}))
    enter("/ws/notifications", UPGRADE | cookie)
    wait_until(lambda: now.hub.listeners.of(crew.key) and not now.hub.listeners.of(ops.key))
    (connection,) = now.hub.listeners.of("global")
    assert set(connection.audiences) == {"global", f"user:{user.id}", crew.key}


@pytest.mark.parametrize("is_early", [True, False])
def test_a_hub_client_that_said_hello_before_the_second_look_connects_again(
    enter, cookie, meanwhile, now, user, told, monkeypatch, is_early
):
    """What was read for its hello knows nothing of the group, and nothing else would tell it of that."""
    crew = Audience.group("crew")
    looks = threading.Event()
    may_look = threading.Event()

    def look(principal):
        looks.set()
        assert may_look.wait(WAIT_SECONDS)
        membership.join(user.id, crew)
        return True

    done = threading.Event()
    open_again = newcomers.open_again
    monkeypatch.setattr(newcomers, "open_again", lambda connection: (open_again(connection), done.set()))
    monkeypatch.setattr(opening, "is_still", look)
    meanwhile.change = told(lambda: None, Event("sync", "user:somebody", {"unread": 0}))
    client = enter("/hub", UPGRADE | cookie)
    assert looks.wait(WAIT_SECONDS)
    if is_early:
        client.send(HELLO)
        assert client.read() == ["{}\x1e"]
    may_look.set()
    if is_early:
        assert client.read_all()[-1] == ("close", int(CloseCode.TRY_AGAIN))
        return
    assert done.wait(WAIT_SECONDS)
    client.send(HELLO)
    assert client.read() == ["{}\x1e"]
    (connection,) = now.hub.listeners.of(crew.key)
    assert connection.state is State.OPEN


def test_the_users_are_asked_anew_and_not_remembered_from_the_first_look(tmp_path):
    """An application may keep what it loaded for as long as its context, as SQLAlchemy's session does."""
    app = Flask("shop")
    app.config.update(
        SECRET_KEY=SECRET_KEY,
        NOTIWAY_DATABASE_URL=f"sqlite:///{tmp_path}/shop.db",
        NOTIWAY_JOBS="off",
        TESTING=True,
    )
    users = {"7": True}
    login = LoginManager(app)

    @login.user_loader
    def load(user_id):
        found = UserMixin()
        found.id = user_id
        return found if users[user_id] else None

    Notiway(app)
    with app.app_context():
        schema.migrate(db.obj, runtime.current().migrations)
    with app.test_request_context("/ws/notifications"):
        session["_user_id"] = "7"
        cookie = app.session_interface.inner.get_signing_serializer(app).dumps(dict(session))
    with app.test_request_context("/ws/notifications", headers={"Cookie": f"session={cookie}"}):
        principal = auth.principal()
        seen = request.environ["PATH_INFO"]
        assert opening.is_still(principal)
        users["7"] = False
        assert auth.current_user_id() == "7", "what this request has read is kept"
        assert not opening.is_still(principal)
        assert request.environ["PATH_INFO"] == seen
    app.extensions["notiway"].database.close_all()


def test_a_session_that_a_store_keeps_is_read_anew(tmp_path):
    """Another process may have removed it; what a cookie holds by itself stays as it was."""
    store = {}

    class Stored(SecureCookieSessionInterface):
        def open_session(self, app, request):
            return SecureCookieSession(store)

    app = Flask("shop")
    app.session_interface = Stored()
    app.config.update(
        SECRET_KEY=SECRET_KEY,
        NOTIWAY_DATABASE_URL=f"sqlite:///{tmp_path}/shop.db",
        NOTIWAY_JOBS="off",
        TESTING=True,
    )
    login = LoginManager(app)

    @login.user_loader
    def load(user_id):
        found = UserMixin()
        found.id = user_id
        return found

    Notiway(app)
    with app.app_context():
        schema.migrate(db.obj, runtime.current().migrations)
    store["_user_id"] = "7"
    with app.test_request_context("/ws/notifications"):
        principal = auth.principal()
        assert opening.is_still(principal)
        store.clear()
        assert not opening.is_still(principal)
    app.extensions["notiway"].database.close_all()
