"""The extension in other applications than ours: what they leave out, and what they bring themselves."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import flask_login
import peewee
import pytest
from conftest import SECRET_KEY
from flask import Flask, render_template_string, request
from flask.testing import FlaskClient
from flask_wtf.csrf import CSRFProtect
from jinja2 import BaseLoader, ChoiceLoader, DictLoader

from notiway import ConfigError, InvalidNotification, Notiway, send_notification
from notiway.live import runtime
from notiway.store import inbox, schema
from notiway.store.database import db
from notiway.store.engine import turns
from notiway.values.audience import Audience
from notiway.values.errors import Unavailable
from notiway.values.event import Event
from notiway.values.item import ANNOUNCEMENT
from notiway.values.people import UnknownUsers

TOKEN = re.compile(r'"X-CSRFToken": "([^"]+)"')
Mount = Callable[..., Flask]


class WithId(flask_login.UserMixin):
    def __init__(self, number: str) -> None:
        self.id = int(number)


class WithoutId(flask_login.UserMixin):
    """Only `get_id()` tells who this is."""

    def __init__(self, name: str) -> None:
        self.name = name

    def get_id(self) -> str:
        return self.name


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Mount]:
    """Mounts Notiway into a bare application: `mount(NOTIWAY_URL_PREFIX="/bell")`."""
    mounted: list[Flask] = []

    def make(
        *,
        user: type = WithId,
        login: bool = True,
        database: peewee.Database | None = None,
        unknown_users: UnknownUsers | None = None,
        migrated: bool = True,
        **more: Any,
    ) -> Flask:
        app = Flask("shop", instance_path=str(tmp_path))
        app.config.update(TESTING=True, SECRET_KEY=SECRET_KEY, NOTIWAY_JOBS="off", **more)
        if login:
            flask_login.LoginManager(app).user_loader(lambda user_id: user(user_id) if user_id == "7" else None)
        Notiway(app, database=database, unknown_users=unknown_users)
        app.add_url_rule("/in", "in", view_func=lambda: str(flask_login.login_user(user("7"))))
        app.add_url_rule("/out", "out", view_func=lambda: str(flask_login.logout_user()))
        app.add_url_rule(
            "/page", "page", view_func=lambda: render_template_string("{{ notiway.head() }}|{{ notiway.bell() }}")
        )
        if migrated:
            with app.app_context():
                schema.migrate(db.obj)
        mounted.append(app)
        return app

    yield make
    for app in mounted:
        with app.app_context():
            running = runtime.current()
            running.stop()
            getattr(running.database, "close_all", running.database.close)()  # a pool would only put it back


def signed_in(app: Flask) -> FlaskClient:
    client = app.test_client()
    client.get("/in")
    return client


def send(app: Flask, title: str) -> str:
    with app.app_context():
        return str(send_notification("7", title).id)


def test_without_a_login_view_a_stranger_gets_the_application_s_401(mount: Mount) -> None:
    client = mount().test_client()
    for path in ("/notifications", "/n/anything"):
        assert client.get(path).status_code == 401
    assert "notiway-bell" not in client.get("/page").text


def test_without_flask_login_the_page_says_what_is_missing(mount: Mount) -> None:
    client = mount(login=False).test_client()
    with pytest.raises(ConfigError, match="LoginManager"):
        client.get("/page")


def test_changes_need_the_token_though_the_application_checks_none(mount: Mount) -> None:
    app = mount()
    client, notification = signed_in(app), send(app, "Order placed")
    path = f"/notifications/{notification}/read"
    assert client.put(path).status_code == 403
    found = TOKEN.search(client.get("/page").text)
    assert found is not None
    assert client.put(path, headers={"X-CSRFToken": found[1], "Accept": "application/json"}).status_code == 200


def test_the_application_s_own_csrf_protection_takes_the_same_token(mount: Mount) -> None:
    app = mount()
    CSRFProtect(app)
    client, notification = signed_in(app), send(app, "Order placed")
    path = f"/notifications/{notification}/read"
    assert client.put(path).status_code == 400
    found = TOKEN.search(client.get("/page").text)
    assert found is not None
    assert client.put(path, headers={"X-CSRFToken": found[1], "Accept": "application/json"}).status_code == 200


def test_styles_and_scripts_are_drawn_once_and_nothing_is_inline(mount: Mount) -> None:
    head, _, bell = signed_in(mount()).get("/page").text.partition("|")
    assert "<link" in head
    assert "notiway-bell" in bell
    assert "<link" not in bell
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", head + bell)


PARTS = "{{ notiway.announcements() }}{{ notiway.bell() }}{{ notiway.tasks('import') }}"


def page_with_all_parts(app: Flask) -> FlaskClient:
    app.add_url_rule("/parts", "parts", view_func=lambda: f"A page. {render_template_string(PARTS)}")
    return signed_in(app)


def test_before_the_tables_are_made_the_bell_is_empty_and_the_log_says_once_what_to_do(
    mount: Mount, caplog: pytest.LogCaptureFixture
) -> None:
    app = mount(migrated=False)
    client = page_with_all_parts(app)
    caplog.clear()
    for _ in range(3):
        page = client.get("/parts")
        assert page.status_code == 200
        assert page.text.startswith("A page.")
        assert 'data-count="0"' in page.text
        assert 'data-notiway-tasks="import"' in page.text
        assert 'id="notiway-banners"' in page.text
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 1
    assert "notiway migrate" in told[0]
    with app.app_context():
        schema.migrate(db.obj)
    send(app, "Order placed")
    assert 'data-count="1"' in client.get("/parts").text


def test_a_page_that_was_drawn_without_its_bell_does_not_ring_for_all_that_ever_was(mount: Mount) -> None:
    app = mount(migrated=False)
    page = page_with_all_parts(app).get("/parts").text
    found = re.search(r"since=([0-9a-f-]{36})", page)
    assert found is not None
    with app.app_context():
        schema.migrate(db.obj)
    assert found[1] < send(app, "Later")
    assert f'data-newest="{found[1]}"' in page


def test_the_bell_does_not_wait_for_a_database_that_another_process_writes_to(
    mount: Mount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "LOCK_WAIT_SECONDS", 3600)
    app = mount()
    client = page_with_all_parts(app)
    send(app, "Order placed")
    with app.app_context():
        path = runtime.current().database.database
        send_notification(Audience.everyone(), "A broadcast that is still to be pulled")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    page = client.get("/parts")
    other.close()
    assert page.status_code == 200
    assert 'data-count="1"' in page.text, "what can be read is shown"
    assert 'data-count="2"' in client.get("/parts").text


@pytest.mark.parametrize(
    "error",
    [OSError("gone"), sqlite3.DatabaseError("malformed"), peewee.InterfaceError("closed"), Unavailable("away")],
    ids=lambda error: type(error).__name__,
)
def test_no_fault_of_the_store_breaks_a_page_of_the_application(
    mount: Mount, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    client = page_with_all_parts(mount())

    def fail(*_: object) -> None:
        raise error

    for name in ("catch_up", "newest_id", "unread_count"):
        monkeypatch.setattr(inbox, name, fail)
    page = client.get("/parts")
    assert page.status_code == 200
    assert 'data-count="0"' in page.text


@pytest.mark.parametrize(
    "name",
    ["bell/_bell.html", "banner/_banners.html", "_assets.html", "panel/_inbox.html", "item/_item.html"],
)
@pytest.mark.parametrize("text", ["{% if %}", "{{ nothing.at.all }}", '{% include "not-there.html" %}'])
def test_no_template_of_the_application_s_own_breaks_its_pages(
    mount: Mount, caplog: pytest.LogCaptureFixture, name: str, text: str
) -> None:
    app = mount()
    loaders: list[BaseLoader] = [DictLoader({f"notiway/{name}": text}), cast("BaseLoader", app.jinja_loader)]
    app.jinja_loader = ChoiceLoader(loaders)
    parts = "A page. {{ notiway.head() }}{{ notiway.inbox() }}{{ notiway.bell() }}"
    app.add_url_rule("/all", "all", view_func=lambda: render_template_string(parts))
    client = signed_in(app)
    send(app, "Order placed")
    app.testing = False
    caplog.clear()
    for _ in range(3):
        page = client.get("/all")
        assert page.status_code == 200
        assert page.text.startswith("A page.")
    failures = [record for record in caplog.records if record.levelname == "ERROR"]
    assert 1 <= len({record.getMessage() for record in failures}) <= 2
    assert len(failures) <= 6, "a template of items is told for each list that it is in"


def test_signing_out_works_whatever_the_store_does(
    mount: Mount, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    client = signed_in(mount(migrated=False, NOTIWAY_LIVE_URL="https://live.example.com"))
    client.get("/page")
    assert client.get("/out").status_code == 200
    assert "were not closed" in caplog.text
    assert "notiway-bell" not in client.get("/page").text


def test_without_a_secret_key_the_page_stands_without_its_bell(mount: Mount, caplog: pytest.LogCaptureFixture) -> None:
    app = mount()
    client = signed_in(app)
    app.testing = False
    app.config["SECRET_KEY"] = None
    assert client.get("/page").status_code == 200


def test_a_broker_that_is_down_breaks_no_page_of_the_application(
    mount: Mount, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    app = mount()
    running = app.extensions[runtime.KEY]

    def fail(*_: object, **__: object) -> None:
        raise ConnectionRefusedError("no broker")

    monkeypatch.setattr(running.broker, "start", fail)
    monkeypatch.setattr(running, "start_jobs", fail)
    client = page_with_all_parts(app)
    assert [client.get("/parts").status_code for _ in range(2)] == [200, 200]
    assert caplog.text.count("NOTIWAY_BROKER_URL") == 1
    assert caplog.text.count("NOTIWAY_JOBS_URL") == 1


def test_a_prefix_moves_every_path(mount: Mount) -> None:
    app = mount(NOTIWAY_URL_PREFIX="/bell")
    client = signed_in(app)
    assert client.get("/bell/notifications").status_code == 200
    assert client.get("/notifications").status_code == 404
    links = re.findall(r'(?:href|src|action|hx-get|hx-put|hx-ws:connect)="(/[^"]*)"', client.get("/page").text)
    assert [link for link in links if not link.startswith("/bell/")] == []
    with client.get(next(link for link in links if link.endswith(".css"))) as sheet:
        assert sheet.status_code == 200


@pytest.mark.parametrize("user", [WithId, WithoutId])
def test_a_sign_out_ends_the_sockets_of_its_session(mount: Mount, user: type) -> None:
    app = mount(user=user)
    client = signed_in(app)
    with app.app_context():
        running = runtime.current()
    heard: list[Event] = []
    running.start()
    running.broker.start(heard.append)
    client.get("/out")
    assert [(event.kind, event.audience) for event in heard] == [("kick", "user:7")]
    assert heard[0].data["session"]


def test_a_database_of_the_application_shares_its_transactions(mount: Mount, tmp_path: Path) -> None:
    database = peewee.SqliteDatabase(str(tmp_path / "shop.db"), pragmas={"journal_mode": "wal", "foreign_keys": 1})

    class Order(peewee.Model):
        class Meta:
            database = peewee.DatabaseProxy()

    Order.bind(database)
    app = mount(database=database)
    with app.app_context():
        database.create_tables([Order])
        with pytest.raises(RuntimeError), database.atomic():
            Order.create()
            send_notification("7", "Order placed")
            raise RuntimeError
        assert (Order.select().count(), inbox.unread_count("7")) == (0, 0)
        with database.atomic():
            Order.create()
            send_notification("7", "Order placed")
        assert (Order.select().count(), inbox.unread_count("7")) == (1, 1)


def test_where_a_layout_has_no_place_for_them_the_bell_brings_them(app, send, auth, user):
    bare = "{{ notiway.head() }}<nav>{{ notiway.bell() }}</nav>"
    app.add_url_rule("/bare", "bare", view_func=lambda: render_template_string(bare))
    placed = "<body>{{ notiway.announcements() }}{{ notiway.bell() }}</body>"
    app.add_url_rule("/placed", "placed", view_func=lambda: render_template_string(placed))
    send(Audience.everyone(), "Maintenance", name=ANNOUNCEMENT)
    browser = auth(user)
    for path, floats in (("/bare", True), ("/placed", False)):
        page = browser.get(path).text
        assert page.count('class="notiway-banner"') == 1
        assert page.count('id="notiway-banners"') == 1
        assert ("notiway-banners--floating" in page) is floats


class NeedsRequest(WithId):
    """A user of an application whose loader looks at the request."""

    def __init__(self, number: str) -> None:
        super().__init__(number)
        self.path = request.path


def test_a_user_loader_finds_a_request_in_a_job_too(mount: Mount) -> None:
    app = mount(user=NeedsRequest)
    with app.app_context():
        assert runtime.current().unknown_users(["7", "8"]) == {"8"}


@pytest.mark.parametrize(("login", "unknown"), [(True, {"8", "9"}), (False, {"7", "8", "9"})])
def test_who_exists_is_what_the_user_loader_says(mount: Mount, login: bool, unknown: set[str]) -> None:
    app = mount(login=login)
    with app.app_context():
        assert runtime.current().unknown_users(["7", "8", "9"]) == unknown
    with app.test_request_context():
        assert runtime.current().unknown_users(["7", "8", "9"]) == unknown


def test_an_application_may_say_for_many_at_once_who_exists(mount: Mount) -> None:
    asked = []

    def unknown_users(user_ids: Iterable[str]) -> set[str]:
        asked.append(sorted(user_ids))
        return {"8"}

    app = mount(unknown_users=unknown_users)
    with app.app_context(), pytest.raises(InvalidNotification, match="no user 8"):
        send_notification(["7", "8"], "Order placed")
    assert asked == [["7", "8"]]


def test_a_stranger_is_shown_nothing(mount: Mount) -> None:
    app = mount()
    parts = "{{ notiway.bell() }}{{ notiway.announcements() }}{{ notiway.tasks('import') }}"
    app.add_url_rule("/parts", view_func=lambda: render_template_string(parts))
    assert app.test_client().get("/parts").text == ""
    assert "notiway-tasks" in signed_in(app).get("/parts").text


def test_the_socket_of_a_page_goes_on_where_the_page_ends(mount: Mount) -> None:
    app = mount()
    newest = [send(app, title) for title in ("first", "second")][-1]
    assert f"/ws/notifications?format=html&amp;since={newest}" in signed_in(app).get("/page").text


def test_allowed_origins_may_read_answers_and_others_may_not(make_app):
    app = make_app(NOTIWAY_ALLOWED_ORIGINS="https://shop.example.com")
    for origin, allowed in (("https://shop.example.com", True), ("https://evil.test", False)):
        answer = app.test_client().options("/api/notifications", headers={"Origin": origin})
        assert (answer.headers.get("Access-Control-Allow-Origin") == origin) is allowed


def is_a_page_for_people(rule: Any) -> bool:
    return "GET" in rule.methods and not rule.arguments and rule.endpoint.startswith("notiway")


@pytest.mark.parametrize("base", ["notiway/layout.html", "foreign.html"])
def test_every_page_is_drawn_in_an_application_without_csrf_protection(mount: Mount, base: str) -> None:
    app = mount(NOTIWAY_BASE_TEMPLATE=base, NOTIWAY_METRICS_ALLOW="all", PROPAGATE_EXCEPTIONS=False)
    layout = "<title>Shop</title>{{ csrf_token() }}{{ notiway.bell() }}{% block content %}{% endblock %}"
    app.jinja_loader = ChoiceLoader([DictLoader({"foreign.html": layout}), cast("BaseLoader", app.jinja_loader)])
    send(app, "Order placed")
    drawn = {}
    for reader in (app.test_client(), signed_in(app)):
        for path in sorted(rule.rule for rule in app.url_map.iter_rules() if is_a_page_for_people(rule)):
            answer = reader.get(path, headers={"Accept": "text/html"})
            drawn[path] = answer.status_code
            assert answer.status_code != 500, path
    assert drawn["/api/docs"] == drawn["/notifications"] == 200


def test_a_misspelt_setting_is_named_at_the_start_and_its_value_is_not(
    mount: Mount, caplog: pytest.LogCaptureFixture
) -> None:
    mount(NOTIWAY_TOKEN_SECRETS="hush")
    assert "NOTIWAY_TOKEN_SECRETS is no setting of Notiway (NOTIWAY_TOKEN_SECRET?)" in caplog.text
    assert "hush" not in caplog.text


def test_a_route_of_the_application_runs_no_hook_of_notiway_but_the_end_of_its_context(mount: Mount) -> None:
    app = mount()
    app.add_url_rule("/plain", "plain", view_func=lambda: "hello")
    running = app.extensions[runtime.KEY]
    try:
        assert app.test_client().get("/plain").text == "hello"
        assert running._started
        hooks = (app.before_request_funcs, app.after_request_funcs, app.teardown_request_funcs)
        found = [hook for each in hooks for hook in each.get(None, []) if hook.__module__.startswith("notiway")]
        assert found == []
        ends = [each for each in app.teardown_appcontext_funcs if each.__module__.startswith("notiway")]
        assert [each.__module__ for each in ends] == ["notiway.web.connections"]
    finally:
        running.stop()


def test_kinds_are_declared_before_or_after_mounting_and_belong_to_the_application(
    mount: Mount, tmp_path: Path
) -> None:
    early = Notiway()
    early.kind("order-shipped", label="Order shipped", priority="high")
    app = Flask("early", instance_path=str(tmp_path))
    app.secret_key = SECRET_KEY
    flask_login.LoginManager(app).user_loader(lambda user_id: WithId(user_id))
    early.init_app(app).stop()
    early.kind("order-lost", label="Order lost")
    assert [kind.name for kind in app.extensions[runtime.KEY].kinds.all()] == ["order-shipped", "order-lost"]
    with pytest.raises(ConfigError, match="differently"):
        early.kind("order-lost", label="Order gone")
    assert mount().extensions[runtime.KEY].kinds.all() == []
