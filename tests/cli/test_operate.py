"""Operating commands: migrations up and down, cleanup, settings without secrets, and the doctor's exit code."""

import re
from dataclasses import fields

import pytest

from notiway.live import runtime
from notiway.ops import doctor, jobs
from notiway.store import schema
from notiway.store.database import db
from notiway.store.tables import Notification
from notiway.values.clock import now_ms
from notiway.values.config import SECRETS, Config
from notiway.values.ids import id_floor

DAY_MS = 24 * 60 * 60 * 1000


@pytest.fixture
def age(app):
    """Puts a copy of a notification into the past, by so many days: ids carry their time."""

    def change(notification, days):
        at = now_ms() - days * DAY_MS
        with app.app_context():
            values = Notification.get_by_id(notification.id).__data__ | {"id": id_floor(at), "created_at": at}
            Notification.insert(**values).execute()

    return change


def migrations(app):
    """All there are, the library's before the host's."""
    with app.app_context():
        sets = runtime.current().migrations
    return [path.stem for each in sets for path in sorted(each.folder.glob("[0-9]*.py"))]


def test_migrate_up_down_and_up_again(notiway, app):
    assert notiway("migrate").output == "The database is up to date\n"
    names = migrations(app)
    for name in names[::-1]:
        assert notiway("migrate", "--down", "last", "--yes").output == f"reverted {name}\n"
    with app.app_context():
        assert db.get_tables() == ["notiway_host_migration", "notiway_migration"]
    assert notiway("migrate", "--down", "last").output == "There is nothing to revert\n"
    assert notiway("migrate").output == "".join(f"applied {name}\n" for name in names)


@pytest.mark.parametrize("answer", ["n\n", ""])
def test_going_back_names_what_is_lost_and_asks_first(notiway, app, answer):
    names = [path.stem for path in sorted(schema.OWN.folder.glob("[0-9]*.py"))]
    result = notiway("migrate", "--down", "0003_staff", input=answer)
    assert result.exit_code == 1
    assert all(name in result.output for name in names[names.index("0003_staff") :])
    assert names[0] not in result.output
    assert "audit log" in result.output
    assert "reverted" not in result.output
    assert notiway("migrate").output == "The database is up to date\n"
    assert f"reverted {migrations(app)[-1]}\n" in notiway("migrate", "--down", "last", input="y\n").output


def test_an_unknown_migration_is_refused(notiway):
    result = notiway("migrate", "--down", "0099_nothing")
    assert result.exit_code == 1
    assert "0099_nothing" in result.output


def test_cleanup_removes_what_is_old_and_says_so(notiway, age, send, user):
    age(send(user), days=91)
    assert notiway("cleanup", "--dry-run").output.startswith("Would remove 1 notifications older than 90 days")
    assert notiway("cleanup", "--older-than", "92").output.startswith("Removed 0 ")
    assert notiway("cleanup").output.startswith("Removed 1 notifications older than 90 days and 0 expired ones\n")
    assert notiway("cleanup").output.startswith("Removed 0 ")


def test_settings_are_printed_without_secrets(make_app):
    app = make_app(NOTIWAY_JOBS_URL="redis://user:hunter2@cache:6379/1", SECRET_KEY="swordfish-swordfish")
    output = app.test_cli_runner().invoke(args=["notiway", "config"]).output
    assert "SECRET_KEY=(set)" in output
    assert "NOTIWAY_JOBS_URL=redis://user:[hidden]@cache:6379/1" in output
    assert "NOTIWAY_RETENTION_DAYS=90" in output
    assert "hunter2" not in output
    assert "swordfish" not in output


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (("cleanup", "--older-than", "-1"), 2, "-1"),
        (("worker",), 1, "NOTIWAY_JOBS"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_reason(refused, user, words, code, reason):
    assert reason in refused(code, *words)


def test_the_worker_works_on_this_applications_queue(make_app, monkeypatch):
    app = make_app(NOTIWAY_JOBS="worker")
    ran = []
    monkeypatch.setattr(jobs, "run_worker", lambda *given: ran.append(given))
    assert app.test_cli_runner().invoke(args=["notiway", "worker"]).exit_code == 0
    assert ran == [(app.extensions["notiway"].huey, app)]


@pytest.mark.parametrize(("faults", "code"), [(0, 0), (1, 1)])
def test_the_doctor_fails_when_it_found_a_fault_and_says_what_to_do(notiway, monkeypatch, faults, code):
    asked = []

    def examine(app, url, user_id):
        asked.append((url, user_id))
        yield doctor.Finding("database", "answers")
        yield from [doctor.Finding("broker", "is down", "Start Redis")] * faults

    monkeypatch.setattr(doctor, "examine", examine)
    result = notiway("doctor", "--url", "http://127.0.0.1:9", "--user", "7")
    assert (result.exit_code, asked) == (code, [("http://127.0.0.1:9", "7")])
    assert "ok     database" in result.output
    assert ("FAULT  broker" in result.output) is ("Start Redis" in result.output) is bool(faults)


def test_no_setting_that_is_a_secret_is_printed(make_app):
    """By its name, whatever its value looks like."""
    app = make_app(
        NOTIWAY_TOKEN_SECRET="plain words which no pattern would find",
        NOTIWAY_METRICS_TOKEN="other words which no pattern would find",
    )
    output = app.test_cli_runner().invoke(args=["notiway", "config"]).output
    assert "words" not in output
    assert "NOTIWAY_TOKEN_SECRET=(set)" in output
    assert "NOTIWAY_METRICS_TOKEN=(set)" in output
    assert "NOTIWAY_TOKEN_SECRET=(not set)" in make_app().test_cli_runner().invoke(args=["notiway", "config"]).output


def test_every_setting_whose_name_tells_of_a_secret_is_known_as_one():
    telling = {each.name for each in fields(Config) if re.search(r"secret|password|passphrase|token$|key$", each.name)}
    assert telling == SECRETS
