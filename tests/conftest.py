"""Fixtures: an application on a fresh database, two users, and browsers that are signed in."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from chaos.summary import pytest_terminal_summary as pytest_terminal_summary
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, settings
from jinja2 import FileSystemBytecodeCache
from order import Files, spread
from peewee import DataError
from postgres import Postgres, postgres_server
from werkzeug.test import TestResponse

from notiway.host import accounts, passwords
from notiway.host.app import MIGRATIONS as HOST_MIGRATIONS
from notiway.host.app import create_app
from notiway.live import runtime
from notiway.store import membership, schema
from notiway.store.database import db
from notiway.store.tables import InboxItem, Notification
from notiway.values.audience import Audience
from notiway.values.event import Event
from notiway.verbs.send import send_notification

TESTS = Path(__file__).parent
PASSWORD = "correct horse battery staple"
SECRET_KEY = "a secret of the tests, of more than 32 bytes"
# Where the application of a test and the servers of tests/server have their database: `make test-postgres` sets it.
DATABASE = os.environ.get("TEST_DATABASE", "sqlite")
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial", "Accept": "text/html"}
JSON = {"Accept": "application/json"}
FORMS = {"page": {"Accept": "text/html"}, "htmx": HTMX, "json": JSON}
# A busy machine draws and runs examples slowly, which says nothing of the code.
settings.register_profile("no-clock", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.register_profile("long", settings.get_profile("no-clock"))  # here, for the option is read before any test
settings.load_profile("no-clock")

HOST_SETS = (schema.OWN, HOST_MIGRATIONS)
META_TOKEN = re.compile(r'<meta name="csrf-token" content="([^"]+)">')


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spread the files of each folder over the run (`order.spread`); the tests of a file keep their order."""
    place = {path: number for number, path in enumerate(spread(dict.fromkeys(each.path for each in items), TESTS))}
    items.sort(key=lambda item: place[item.path])


@pytest.hookimpl(optionalhook=True)  # tests of mutants run without xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Files:
    """With `--dist loadfile`, the only way that a run of these tests is spread."""
    return Files(config, log)


class Browser:
    """A test client with a session of its own, that sends the CSRF token as the pages' scripts do.

    >>> browser.put("/notifications/read-all", form="json").json["unreadCount"]  # doctest: +SKIP
    0
    """

    def __init__(self, app: Flask) -> None:
        self.client: FlaskClient = app.test_client()
        self.token = ""

    def sign_in(self, email: str, password: str = PASSWORD, **fields: str) -> TestResponse:
        self.read_token("/login")
        data = {"email": email, "password": password, "csrf_token": self.token, **fields}
        response = self.client.post("/login", data=data)
        if response.status_code == 303:
            self.read_token("/account")
        return response

    def read_token(self, path: str) -> str:
        found = META_TOKEN.search(self.client.get(path).text)
        self.token = found.group(1) if found else ""
        return self.token

    def open(self, method: str, path: str, form: str = "page", csrf: bool = True, **options: Any) -> TestResponse:
        headers = FORMS[form] | ({"X-CSRFToken": self.token} if csrf else {}) | options.pop("headers", {})
        return self.client.open(path, method=method, headers=headers, **options)

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.open("GET", path, **options)

    def post(self, path: str, **options: Any) -> TestResponse:
        return self.open("POST", path, **options)

    def put(self, path: str, **options: Any) -> TestResponse:
        return self.open("PUT", path, **options)

    def delete(self, path: str, **options: Any) -> TestResponse:
        return self.open("DELETE", path, **options)


def state_of(user: accounts.Account, notification_id: str) -> tuple[int | None, int | None, int | None]:
    """When the user's copy was seen, read and deleted, in milliseconds."""
    row = InboxItem.get((InboxItem.user_id == user.id) & (InboxItem.notification == notification_id))
    return row.seen_at, row.read_at, row.deleted_at


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL for the whole run; without one installed the tests that need it fail."""
    with postgres_server() as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path | str]:
    """Where a test has its database: in a folder with SQLite, then in PostgreSQL by this URL. See `fresh.verbs`."""
    if request.param == "sqlite":
        yield tmp_path
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = server.fresh()
    yield url
    server.give_back(url)


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Argon2 with the least work, so that a sign-in costs a test no time."""
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    passwords._nobody.cache_clear()
    yield
    passwords._nobody.cache_clear()


@pytest.fixture(scope="session")
def compiled_templates(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """Templates are compiled once, not for every application anew."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


@pytest.fixture
def database_kind(request: pytest.FixtureRequest) -> str:
    """What `make_app` opens; tests that run on both override it."""
    return "sqlite" if request.node.get_closest_marker("sqlite") else DATABASE


@pytest.fixture(scope="session")
def migrated() -> list[bytes]:
    """The SQLite file of the first application after its migrations, for all that come after it; empty until then."""
    return []


@pytest.fixture
def make_app(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    compiled_templates: FileSystemBytecodeCache,
    database_kind: str,
    migrated: list[bytes],
) -> Iterator[Callable[..., Flask]]:
    """Makes applications on fresh databases: `make_app(NOTIWAY_LOGIN_RATE="2 per minute")`."""
    made: list[Flask] = []
    borrowed: list[str] = []

    def place(is_own: bool) -> str:
        if is_own or database_kind == "sqlite":
            return f"sqlite:///{tmp_path}/{len(made)}.db"
        borrowed.append(request.getfixturevalue("postgres").fresh(HOST_SETS))
        return borrowed[-1]

    def make(**settings: Any) -> Flask:
        jobs = {} if database_kind == "sqlite" else {"NOTIWAY_JOBS_URL": f"sqlite:///{tmp_path}/{len(made)}-jobs.db"}
        is_own = "NOTIWAY_DATABASE_URL" in settings
        url = place(is_own)
        file = None if is_own or database_kind != "sqlite" else tmp_path / f"{len(made)}.db"
        if file is not None and migrated:
            file.touch(0o600)
            file.write_bytes(migrated[0])
        app = create_app(
            {
                "TESTING": True,
                "SECRET_KEY": SECRET_KEY,
                "NOTIWAY_DATABASE_URL": url,
                "NOTIWAY_JOBS": "off",
                **jobs,
                **settings,
            }
        )
        app.jinja_env.bytecode_cache = compiled_templates
        made.append(app)
        if file is None or not migrated:
            with app.app_context():
                schema.migrate(db.obj, runtime.current().migrations)
        if file is not None and not migrated:
            with closing(sqlite3.connect(file)) as copied:
                migrated.append(copied.serialize())
        return app

    yield make
    for app in made:
        with app.app_context():
            running = runtime.current()
        running.stop()
        running.database.close_all()
    for url in borrowed:
        request.getfixturevalue("postgres").give_back(url, HOST_SETS)


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def rows(app: Flask) -> Iterator[None]:
    """The database of `app`, for tests that look into its tables. No application context is left open:
    requests would share it, and its `g` with the user that was loaded first."""
    yield
    if not db.is_closed():
        db.close()


@pytest.fixture
def inside(app: Flask) -> Iterator[None]:
    """The application context of `app`, for tests that make no requests."""
    with app.app_context():
        yield
    if not db.is_closed():
        db.close()


@pytest.fixture
def heard(app: Flask, monkeypatch: pytest.MonkeyPatch) -> list[Event]:
    """The Events that reach the broker of `app`."""
    events: list[Event] = []
    monkeypatch.setattr(app.extensions["notiway"].broker, "publish", events.extend)
    monkeypatch.setattr(app.extensions["notiway"].hub, "is_heard", lambda audience: True)
    return events


@pytest.fixture
def make_user(app: Flask) -> Callable[..., accounts.Account]:
    """Adds users to `app`: `make_user("ada@example.com")`."""

    def make(email: str, **values: Any) -> accounts.Account:
        with app.app_context():
            return accounts.add(email, email.partition("@")[0].title(), passwords.hash_password(PASSWORD), **values)

    return make


@pytest.fixture
def user(make_user: Callable[..., accounts.Account]) -> accounts.Account:
    return make_user("ada@example.com")


@pytest.fixture
def other(make_user: Callable[..., accounts.Account]) -> accounts.Account:
    return make_user("bob@example.com")


@pytest.fixture
def visitor(app: Flask) -> Browser:
    """A browser that nobody is signed in with."""
    return Browser(app)


@pytest.fixture
def auth(app: Flask) -> Callable[[accounts.Account], Browser]:
    """Signs a user in, each time in a new browser."""

    def sign_in(account: accounts.Account) -> Browser:
        browser = Browser(app)
        assert browser.sign_in(account.email).status_code == 303
        return browser

    return sign_in


@pytest.fixture
def browser(auth: Callable[[accounts.Account], Browser], user: accounts.Account) -> Browser:
    """A browser that `user` is signed in with."""
    return auth(user)


@pytest.fixture
def send(app: Flask) -> Callable[..., Notification]:
    """Sends notifications: `send(user, "Invoice paid", type="success")`."""

    def deliver(to: Any, title: str = "Invoice paid", *args: Any, **options: Any) -> Notification:
        with app.app_context():
            return send_notification(to, title, *args, **options)

    return deliver


@pytest.fixture
def staff_member(make_user: Callable[..., accounts.Account]) -> accounts.Account:
    return make_user("grace@example.com", is_staff=True)


@pytest.fixture
def staff(auth: Callable[[accounts.Account], Browser], staff_member: accounts.Account) -> Browser:
    """A browser that a member of staff is signed in with."""
    return auth(staff_member)


@pytest.fixture
def join(app: Flask) -> Callable[[accounts.Account, Audience], None]:
    """Makes users members: `join(user, Audience.group("admins"))`."""

    def put(user: accounts.Account, audience: Audience) -> None:
        with app.app_context():
            membership.join(user.id, audience)

    return put


@pytest.fixture
def notiway(app: Flask) -> Callable[..., Result]:
    """Runs a command; `notiway("user", "list")`."""
    runner = app.test_cli_runner()

    def run(*words: str, **options: Any) -> Result:
        return runner.invoke(args=["notiway", *words], **options)

    return run


@pytest.fixture
def refused(notiway: Callable[..., Result]) -> Callable[..., str]:
    """Runs a command that cannot be done, and gives what it said: `refused(1, "key", "revoke", "nobody")`."""

    def run(code: int, *words: str) -> str:
        result = notiway(*words)
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        return str(result.output)

    return run


@pytest.fixture
def picky(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database refuses what PostgreSQL refuses and SQLite takes: NUL in text, and numbers of more than 64 bits."""
    database = app.extensions[runtime.KEY].database
    execute = database.execute_sql

    def checked(sql: str, params: Any = None, *more: Any) -> Any:
        for value in params or ():
            if isinstance(value, str) and "\0" in value:
                raise DataError("PostgreSQL text fields cannot contain NUL bytes")
            if isinstance(value, int) and not -(2**63) <= value < 2**63:
                raise DataError("integer out of range")
        return execute(sql, params, *more)

    monkeypatch.setattr(database, "execute_sql", checked)
