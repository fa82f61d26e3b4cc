"""The doctor names each fault and how to fix it. What it says of a running server: tests/test_gunicorn.py."""

from pathlib import Path

import peewee
import pytest
from servers import answer, free_port

from notiway.live import runtime
from notiway.live.shared.node import Node
from notiway.ops import doctor
from notiway.store import schema
from notiway.store.database import db
from notiway.values.errors import BrokerDown


@pytest.fixture(autouse=True)
def in_context(app):
    with app.app_context():
        yield


@pytest.fixture
def configure(monkeypatch):
    """Changes settings of the running application: `configure(jobs="web")`."""

    def change(**values):
        for name, value in values.items():
            object.__setattr__(runtime.current().config, name, value)

    return change


def test_a_database_that_does_not_answer_is_named_and_nothing_that_needs_it_is_tried(app, monkeypatch):
    def fail(*args):
        raise peewee.OperationalError("no such host")

    monkeypatch.setattr(db.obj, "execute_sql", fail)
    findings = {finding.name: finding for finding in doctor.examine(app, f"http://127.0.0.1:{free_port()}")}
    assert "NOTIWAY_DATABASE_URL" in findings["database"].remedy
    assert "migrations" not in findings


@pytest.mark.sqlite
def test_a_damaged_database_is_to_be_restored_and_not_migrated(app):
    path = Path(runtime.current().database.database)
    runtime.current().database.close_all()
    path.write_bytes(path.read_bytes()[:4096] + b"\xff" * 100_000)
    findings = {finding.name: finding for finding in doctor.examine(app, f"http://127.0.0.1:{free_port()}")}
    assert "restore a backup" in findings["database"].remedy
    assert "migrations" not in findings


def test_a_database_without_tables_answers_and_needs_its_migrations(app):
    schema.revert(db.obj, "0001_first_tables", runtime.current().migrations)
    assert doctor.check_database().ok
    assert not doctor.check_migrations().ok


def test_a_queue_whose_file_is_gone_is_named(configure):
    configure(jobs="web")
    storage = runtime.current().huey.storage
    storage.enqueue(b"a task")
    Path(storage.filename).unlink()
    assert "restart" in doctor.check_jobs().remedy


def test_pending_migrations_are_named():
    schema.revert(db.obj, "0001_first_tables")
    finding = doctor.check_migrations()
    assert "0001_first_tables" in finding.text
    assert "notiway migrate" in finding.remedy


def test_a_broker_that_is_down_is_named(monkeypatch):
    def fail():
        raise ConnectionRefusedError("refused")

    monkeypatch.setattr(runtime.current().broker, "ping", fail)
    assert "NOTIWAY_BROKER_URL" in doctor.check_broker().remedy


def test_two_workers_with_the_memory_broker_are_a_fault_with_a_shared_one_not(configure):
    assert doctor.check_workers("1").ok
    assert "WEB_CONCURRENCY=1" in doctor.check_workers("2").remedy
    configure(broker_url="redis://cache:6379/0")
    assert doctor.check_workers("2").ok


def test_background_work_must_be_on_and_done(configure):
    assert "NOTIWAY_JOBS=web" in doctor.check_jobs().remedy
    configure(jobs="worker")
    assert doctor.check_jobs().ok
    huey = runtime.current().huey
    for _ in range(doctor.LONGEST_QUEUE + 1):
        huey.storage.enqueue(b"a task")
    assert "notiway worker" in doctor.check_jobs().remedy


@pytest.mark.parametrize(("key", "ok"), [(None, False), ("short", False), ("x" * 32, True)])
def test_a_secret_must_be_there_and_long(app, key, ok):
    app.secret_key = key
    assert doctor.check_secret(app).ok is ok


@pytest.mark.sqlite
@pytest.mark.parametrize("name", ["0.db", "0.db-wal", "jobs.db", "secret_key"])
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_file_that_others_may_read_or_write_is_named(app, tmp_path, name, mode):
    app.instance_path = str(tmp_path)
    path = tmp_path / name
    path.touch()
    for each in tmp_path.iterdir():
        each.chmod(0o600)
    assert doctor.check_files(app).ok
    path.chmod(mode)
    finding = doctor.check_files(app)
    assert finding.remedy == f"run: chmod 600 {path}"
    assert str(path) in finding.text


def test_a_server_that_does_not_run_is_named():
    assert "make run" in doctor.check_server(f"http://127.0.0.1:{free_port()}").remedy


@pytest.mark.parametrize("url", ["file:///etc/passwd", "127.0.0.1:5000", "ftp://host"])
def test_only_web_addresses_are_asked(url):
    assert "--url" in doctor.check_server(url).remedy


def test_a_server_that_is_not_ready_says_why(answering):
    finding = doctor.check_server(answering(answer(503, b'{"reasons": {"broker": "does not answer"}}')))
    assert not finding.ok
    assert "broker" in finding.text


@pytest.mark.parametrize(
    ("reply", "advice"),
    [
        (answer(403), "Host header"),
        (answer(401), "SECRET_KEY"),
        (answer(404), "Upgrade"),
        (answer(200, b"<html>"), "Upgrade"),
        (b"not HTTP at all\r\n\r\n", "Upgrade"),
        (b"", "Upgrade"),
    ],
)
def test_a_socket_that_does_not_open_gets_fitting_advice(answering, reply, advice):
    finding = doctor.check_socket(answering(reply), "session=x")
    assert not finding.ok
    assert advice in finding.remedy


def test_another_site_that_gets_in_is_a_fault(answering):
    assert doctor.check_origin(answering(answer(403)), "session=x").ok
    assert not doctor.check_origin(answering(answer(404)), "session=x").ok


def test_without_a_user_the_socket_is_not_tried_and_it_says_how_to_get_one(app, answering):
    last = list(doctor.examine(app, answering(answer(200))))[-1]
    assert (last.name, last.ok) == ("websocket", False)
    assert "user add" in last.remedy


# Several processes


class Nodes:
    """A presence that others share."""

    is_shared = True

    def __init__(self, *nodes):
        self._nodes = nodes

    def nodes(self):
        if not self._nodes:
            raise BrokerDown("nobody there")
        return list(self._nodes)


def test_the_nodes_are_listed_and_those_of_two_versions_are_a_fault(monkeypatch):
    now = runtime.current()
    assert doctor.check_nodes().ok, "one that is alone"
    monkeypatch.setattr(now, "presence", Nodes(Node("n1", "1.0", "web1", 7)))
    assert doctor.check_nodes().ok
    assert "web1:7" in doctor.check_nodes().text
    monkeypatch.setattr(now, "presence", Nodes(Node("n1", "1.0"), Node("n2", "1.1")))
    assert "older version" in doctor.check_nodes().remedy
    monkeypatch.setattr(now, "presence", Nodes())
    assert "NOTIWAY_BROKER_URL" in doctor.check_nodes().remedy


def test_a_server_that_no_event_reaches_is_a_fault(answering):
    finding = doctor.check_event(answering(answer(200)), "session=x")
    assert (finding.name, finding.ok) == ("events", False)
