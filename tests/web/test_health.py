"""Health: alive, ready, measured."""

from pathlib import Path

import peewee
import pytest
from playhouse.pool import MaxConnectionsExceeded

from notiway.live import runtime
from notiway.store.database import db
from notiway.store.engine import checks
from notiway.values.errors import ConfigError


@pytest.fixture
def running(app):
    with app.app_context():
        return runtime.current()


def test_a_process_that_answers_is_alive(client):
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json) == (200, {"status": "alive"})


def test_it_is_ready_when_database_and_broker_answer(client):
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json) == (200, {"status": "ready"})


def test_it_is_not_ready_while_it_drains_but_still_alive(client, running):
    running.begin_drain()
    answer = client.get("/readyz")
    assert (answer.status_code, list(answer.json["reasons"])) == (503, ["draining"])
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize("error", [peewee.OperationalError("no password=hunter2"), MaxConnectionsExceeded()])
def test_it_is_not_ready_without_its_database_and_tells_no_detail(client, monkeypatch, error):
    def fail(*args):
        raise error

    monkeypatch.setattr(db.obj, "execute_sql", fail)
    answer = client.get("/readyz")
    assert (answer.status_code, list(answer.json["reasons"])) == (503, ["database"])
    assert "hunter2" not in answer.text


def test_without_its_broker_it_serves_pages_and_says_what_it_lacks(client, running, monkeypatch):
    def fail():
        raise ConnectionRefusedError("redis://user:hunter2@cache")

    monkeypatch.setattr(running.broker, "ping", fail)
    answer = client.get("/readyz")
    assert (answer.status_code, list(answer.json["lacks"])) == (200, ["broker"])
    assert "hunter2" not in answer.text


def test_it_is_not_ready_when_writes_fail_and_tells_the_log_why(client, monkeypatch, caplog):
    fault = checks.Trouble("the database cannot be written to", "the disk is full: make room")
    monkeypatch.setattr(checks, "troubles", lambda: [fault])
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["reasons"]) == (503, {"database": fault.text})
    assert fault.remedy in caplog.text


@pytest.mark.parametrize("jobs", ["web", "worker"])
def test_it_is_not_ready_without_the_file_of_its_queue(make_app, jobs, caplog):
    app = make_app(NOTIWAY_JOBS=jobs)
    running = app.extensions[runtime.KEY]
    running.huey.storage.enqueue(b"a task")
    client = app.test_client()
    assert client.get("/readyz").status_code == 200
    Path(running.huey.storage.filename).unlink()
    answer = client.get("/readyz")
    assert (answer.status_code, list(answer.json["reasons"])) == (503, ["jobs"])
    assert "restart" in caplog.text
    assert str(running.huey.storage.filename) not in answer.text


def test_a_queue_that_is_off_keeps_nobody_from_being_ready(client, running):
    Path(running.huey.storage.filename).unlink(missing_ok=True)
    assert client.get("/readyz").status_code == 200


def test_health_needs_no_session_and_starts_none(client):
    for path in ("/healthz", "/readyz", "/metrics"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "name",
    [
        "notiway_connections",
        "notiway_events_published_total",
        "notiway_events_received_total",
        "notiway_frames_total",
        "notiway_backlog_drops_total",
        "notiway_delivery_seconds_bucket",
        "notiway_database_seconds_total",
    ],
)
def test_metrics_are_there_for_prometheus(client, name):
    answer = client.get("/metrics")
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert f"\n# TYPE {name.removesuffix('_bucket')}" in "\n" + answer.text


def test_what_is_sent_and_asked_is_counted(client, send, user, running):
    def value(name):
        lines = [line for line in client.get("/metrics").text.splitlines() if line.startswith(name)]
        return float(lines[0].split()[-1]) if lines else 0.0

    published, queries = (
        value('notiway_events_published_total{kind="created"}'),
        value("notiway_database_queries_total"),
    )
    send(user)
    assert value('notiway_events_published_total{kind="created"}') == published + 1
    assert value("notiway_database_queries_total") > queries


TOKEN = "a token of the operator with 32 bytes"


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("10.1.2.3", {}, 200),
        ("8.8.8.8", {}, 403),
        ("127.0.0.1", {"X-Forwarded-For": "8.8.8.8"}, 403),
        ("127.0.0.1", {"Forwarded": "for=8.8.8.8"}, 403),
        ("8.8.8.8", {"X-Forwarded-For": "127.0.0.1"}, 403),
        ("8.8.8.8", {"Authorization": f"Bearer {TOKEN}"}, 200),
        ("127.0.0.1", {"X-Forwarded-For": "8.8.8.8", "Authorization": f"Bearer {TOKEN}"}, 200),
        ("8.8.8.8", {"Authorization": "Bearer wrong"}, 403),
    ],
)
def test_only_the_operator_sees_metrics_and_reasons(make_app, address, headers, status):
    app = make_app(NOTIWAY_METRICS_TOKEN=TOKEN)
    client = app.test_client()
    asked = {"headers": headers, "environ_base": {"REMOTE_ADDR": address}}
    assert client.get("/metrics", **asked).status_code == status
    with app.app_context():
        runtime.current().begin_drain()
    answer = client.get("/readyz", **asked)
    assert answer.status_code == 503
    assert ("reasons" in answer.json) is (status == 200)


def test_behind_a_trusted_proxy_the_clients_own_address_counts(make_app):
    client = make_app(NOTIWAY_TRUSTED_PROXIES=1).test_client()
    for address, status in (("10.0.0.9", 200), ("8.8.8.8", 403)):
        assert client.get("/metrics", headers={"X-Forwarded-For": address}).status_code == status


def test_without_a_token_no_bearer_opens_the_metrics(make_app):
    client = make_app().test_client()
    asked = {"headers": {"Authorization": "Bearer x"}, "environ_base": {"REMOTE_ADDR": "8.8.8.8"}}
    assert client.get("/metrics", **asked).status_code == 403


@pytest.mark.parametrize(("allowed", "status"), [("8.8.8.0/24", 200), ("all", 200), ("private", 403)])
def test_the_setting_says_which_networks_are_the_operators(make_app, allowed, status):
    client = make_app(NOTIWAY_METRICS_ALLOW=allowed).test_client()
    assert client.get("/metrics", environ_base={"REMOTE_ADDR": "8.8.8.8"}).status_code == status


def test_a_network_that_is_none_is_named_at_the_start(make_app):
    with pytest.raises(ConfigError, match="NOTIWAY_METRICS_ALLOW"):
        make_app(NOTIWAY_METRICS_ALLOW="home")
