"""While the database is locked, full or away, every route says so in the form that was asked for, and does nothing."""

import io
import json
import logging
import sqlite3
from contextlib import contextmanager

import pytest
from conftest import HTMX, JSON

from notiway.live import runtime
from notiway.store import inbox
from notiway.store.credentials import api_keys
from notiway.store.database import db
from notiway.store.engine import turns
from notiway.store.search import walking
from notiway.store.tables import Notification

HTML = {"Accept": "text/html"}
PAGES = [
    ("PUT", "/notifications/{id}/read", {}),
    ("POST", "/notifications/{id}/delete", {}),
    ("POST", "/notifications/bulk", {"action": "read", "ids": "{id}"}),
    ("PUT", "/notifications/read-all", {}),
    ("POST", "/notifications/send", {"title": "Half", "type": "info"}),
    ("POST", "/dashboard/announce", {"title": "Half"}),
    ("POST", "/staff/send", {"title": "Half", "to": "global", "confirm": "global", "form_key": "{id}"}),
    ("POST", "/account/sign-out-everywhere", {}),
]


@pytest.fixture
def path(app):
    return app.extensions[runtime.KEY].database.database


@contextmanager
def locked(path):
    """Another process holds the write lock."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.close()


@contextmanager
def exhausted(database):
    """Other requests hold all the connections."""
    database.close()
    database.close_idle()
    wait, database._wait_timeout = database._wait_timeout, 0.01
    taken = [database._connect() for _ in range(database._max_connections)]
    try:
        yield
    finally:
        database._wait_timeout = wait
        for connection in taken:
            database._close(connection)


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(turns, "LOCK_WAIT_SECONDS", 0.02)


def assert_told(answer, form):
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "Try again in a few seconds" in answer.text
    if form == "json":
        assert answer.json["error"]["code"] == "Unavailable"
    elif form == "htmx":
        assert answer.text.strip().startswith('<div class="notiway-error" data-notiway-error="Unavailable">')
    else:
        assert "<!doctype html>" in answer.text.lower()
        assert "notiway-bell" not in answer.text


@pytest.mark.parametrize("form", ["page", "htmx", "json"])
@pytest.mark.parametrize(("method", "route", "fields"), PAGES, ids=[route for _, route, _ in PAGES])
@pytest.mark.sqlite
def test_a_change_is_refused_while_another_process_writes(
    auth, staff_member, send, app, path, caplog, method, route, fields, form
):
    staff = auth(staff_member)
    sent = send(staff_member).id
    with locked(path), caplog.at_level(logging.WARNING):
        answer = staff.open(
            method,
            route.format(id=sent),
            form=form,
            data={name: value.format(id=sent) for name, value in fields.items()},
        )
    assert_told(answer, form)
    assert "database is locked" in caplog.text, "the reason is in the log"
    assert "look for a long transaction" in caplog.text, "and the remedy"
    assert "cannot rollback" not in caplog.text
    with app.app_context():
        assert inbox.unread_count(staff_member.id) == 1
        assert Notification.select().count() == 1


@pytest.mark.parametrize("form", ["page", "htmx", "json"])
@pytest.mark.parametrize("route", ["/notifications", "/notifications/recent", "/dashboard", "/account", "/staff/send"])
def test_a_page_is_refused_while_all_connections_are_in_use(browser, app, caplog, route, form):
    with exhausted(app.extensions[runtime.KEY].database):
        answer = browser.get(route, form=form)
    assert_told(answer, form)
    assert "NOTIWAY_DATABASE_POOL" in caplog.text
    assert browser.get(route, form=form).status_code != 503


def test_a_page_that_does_not_exist_is_not_found_even_then(browser, app):
    with exhausted(app.extensions[runtime.KEY].database):
        answer = browser.get("/no/such/page", form="json")
    assert answer.status_code == 404


@pytest.fixture
def key(app):
    with app.app_context():
        return api_keys.add("billing", ["publish", "token"])[1]


def envelope(number):
    return {
        "id": f"order-{number}",
        "type": "order-shipped",
        "routing": {"audienceType": 4, "audienceValue": "user-1"},
        "metadata": {"isPersisted": number != 2},
    }


@pytest.mark.parametrize("body", [envelope(1), [envelope(1), envelope(2), envelope(3)]], ids=["one", "several"])
@pytest.mark.sqlite
def test_nothing_of_what_is_published_is_taken_and_the_second_try_is_no_duplicate(client, app, path, key, body):
    def publish():
        return client.post(
            "/api/notifications", data=json.dumps(body), headers={"Authorization": f"Bearer {key}"} | JSON
        )

    with locked(path):
        assert_told(publish(), "json")
    answer = publish().json
    assert not any(each["duplicate"] for each in (answer if isinstance(answer, list) else [answer]))


@pytest.mark.parametrize(
    ("method", "route"),
    [
        ("POST", "/api/notifications"),
        ("POST", "/api/tokens"),
        ("POST", "/hub/negotiate"),
        ("GET", "/api/notifications"),
        ("GET", "/api/notifications/stream"),
    ],
)
def test_the_api_is_unavailable_while_all_connections_are_in_use(app, browser, key, method, route):
    headers = {"Authorization": f"Bearer {key}"} if route in ("/api/tokens",) or method == "POST" != "/hub" else {}
    if route == "/hub/negotiate" or method == "GET":
        headers = {}
    with exhausted(app.extensions[runtime.KEY].database):
        answer = browser.client.open(route, method=method, json={}, headers=headers | JSON)
    assert_told(answer, "json")


class SlowBody(io.BytesIO):
    """A body that notes how many database connections are held while it comes in."""

    def __init__(self, data, database):
        super().__init__(data)
        self.database = database
        self.held = set()

    def read(self, *args):
        self.held.add(len(self.database._in_use))
        return super().read(*args)

    def readinto(self, buffer):
        self.held.add(len(self.database._in_use))
        return super().readinto(buffer)


@pytest.mark.parametrize(
    ("method", "route", "body"),
    [
        ("POST", "/notifications/send", {"title": "Hi", "type": "info"}),
        ("POST", "/notifications/bulk", {"action": "read", "ids": []}),
        ("PUT", "/notifications/read-all", {}),
        ("POST", "/staff/preview", {"title": "Hi"}),
        ("POST", "/api/notifications", envelope(1)),
        ("POST", "/api/tokens", {"userId": "1"}),
    ],
)
def test_a_body_that_trickles_in_holds_no_database_connection(auth, staff_member, app, key, method, route, body):
    staff = auth(staff_member)
    database = app.extensions[runtime.KEY].database
    database.close()
    data = json.dumps(body).encode()
    slow = SlowBody(data, database)
    headers = {"Authorization": f"Bearer {key}"} if route.startswith("/api/") else {}
    answer = staff.open(
        method,
        route,
        form="json",
        input_stream=slow,
        content_length=len(data),
        content_type="application/json",
        headers=headers,
    )
    assert answer.status_code < 500
    assert slow.held == {0}


def test_rows_that_cannot_be_read_to_their_end_are_told_too(browser, monkeypatch):
    error = sqlite3.DatabaseError("database disk image is malformed")
    error.sqlite_errorcode = 11

    def fail(*args, **options):
        raise error

    monkeypatch.setattr(walking, "read_items", fail)
    assert_told(browser.get("/notifications", form="json"), "json")


@pytest.mark.sqlite
def test_a_fault_of_the_program_stays_an_error_500(make_app, caplog):
    app = make_app(TESTING=False)

    def broken():
        db.execute_sql("SELECT * FROM no_such_table")

    app.add_url_rule("/broken", view_func=broken)
    answer = app.test_client().get("/broken", headers=JSON)
    assert (answer.status_code, answer.json["error"]["code"]) == (500, "Error")
    assert "Retry-After" not in answer.headers
    assert "no such table" in caplog.text


def test_the_bell_is_left_out_of_a_page_while_nobody_knows_whose_it_is(app, browser, monkeypatch):
    def own():
        with exhausted(app.extensions[runtime.KEY].database):
            bare = "before{{ notiway.bell() }}{{ notiway.announcements() }}{{ notiway.tasks('import') }}after"
            return app.jinja_env.from_string(bare).render()

    monkeypatch.setitem(app.view_functions, "dashboard.home", own)
    answer = browser.get("/")
    assert (answer.status_code, answer.text) == (200, "beforeafter")


def test_too_many_attempts_say_in_every_form_when_to_come_back(app):
    from notiway.values.errors import Throttled
    from notiway.web import reply

    for headers in (HTML, HTMX, JSON):
        with app.test_request_context(headers=headers):
            assert app.make_response(reply.failure(Throttled("slowly", 30))).headers["Retry-After"] == "30"
