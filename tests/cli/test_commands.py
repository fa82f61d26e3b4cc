"""Commands say what they did, and refuse with a reason and an exit code."""

import os
import subprocess
import sys

import pytest
from foreign.tutorial import ROOT

from notiway.host import accounts, passwords
from notiway.live import runtime
from notiway.store import api_keys, inbox, schema
from notiway.store.database import db
from notiway.store.tables import Notification
from notiway.values.clock import now_ms
from notiway.values.ids import id_floor

DAY_MS = 24 * 60 * 60 * 1000


@pytest.fixture
def notiway(app):
    """Runs a command; `notiway("user", "list")`."""
    runner = app.test_cli_runner()

    def run(*words, **options):
        return runner.invoke(args=["notiway", *words], **options)

    return run


@pytest.fixture
def age(app):
    """Puts a copy of a notification into the past, by so many days: ids carry their time."""

    def change(notification, days):
        at = now_ms() - days * DAY_MS
        with app.app_context():
            values = Notification.get_by_id(notification.id).__data__ | {"id": id_floor(at), "created_at": at}
            Notification.insert(**values).execute()

    return change


def test_every_command_of_the_contract_is_there_and_explains_itself(app, notiway):
    names = {"migrate", "cleanup", "user", "key", "send", "demo", "doctor", "config", "worker", "member"}
    assert names <= set(app.cli.commands["notiway"].commands)
    for name in names:
        assert app.cli.commands["notiway"].commands[name].help
        assert notiway(name, "--help").exit_code == 0


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
    result = notiway("migrate", "--down", names[-2], input=answer)
    assert result.exit_code == 1
    assert all(name in result.output for name in names[-2:])
    assert names[0] not in result.output
    assert "audit log" in result.output
    assert "reverted" not in result.output
    assert notiway("migrate").output == "The database is up to date\n"
    assert f"reverted {migrations(app)[-1]}\n" in notiway("migrate", "--down", "last", input="y\n").output


def test_an_unknown_migration_is_refused(notiway):
    result = notiway("migrate", "--down", "0099_nothing")
    assert result.exit_code == 1
    assert "0099_nothing" in result.output


def test_a_command_on_an_empty_database_says_what_to_run(notiway):
    notiway("migrate", "--down", "0001_users", "--yes")
    result = notiway("user", "list")
    assert result.exit_code == 1
    assert "notiway migrate" in result.output


@pytest.mark.parametrize("words", [("config",), ("doctor",), ("migrate",)])
def test_a_wrong_setting_is_told_in_one_line(tmp_path, words):
    environ = os.environ | {"NOTIWAY_QUEUE_LIMIT": "few", "NOTIWAY_DATABASE_URL": f"sqlite:///{tmp_path}/n.db"}
    command = [sys.executable, "-m", "flask", "--app", "app", "notiway", *words]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: ")
    assert "NOTIWAY_QUEUE_LIMIT" in done.stderr
    assert done.stderr.count("\n") == 1


def test_users_are_added_listed_by_id_and_deactivated(notiway, app):
    added = notiway("user", "add", "Ada@Example.com", "--name", "Ada", "--staff", "--password", "a long password")
    assert added.exit_code == 0
    user_id = added.output.split("\t")[0]
    assert notiway("user", "list").output == f"{user_id}\tada@example.com\tAda\tstaff\tactive\n"
    with app.app_context():
        _, stored = accounts.find_with_hash("ada@example.com")
        assert passwords.matches(stored, "a long password")
    assert notiway("user", "deactivate", "ada@example.com").exit_code == 0
    assert notiway("user", "list").output.endswith("\tdeactivated\n")
    with app.app_context():
        assert accounts.find(user_id) is None


def test_a_password_is_asked_for_twice_when_it_is_not_given(notiway):
    assert notiway("user", "add", "a@example.com", input="secret one\nsecret one\n").exit_code == 0
    result = notiway("user", "add", "b@example.com", input="secret one\nsecret two\n" * 3)
    assert result.exit_code == 1
    assert "secret" not in result.output


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (("user", "add", "ada@example.com", "--password", "x"), 1, "already"),
        (("user", "add", "nobody", "--password", "x"), 2, "no e-mail address"),
        (("user", "deactivate", "nobody@example.com"), 1, "no user"),
        (("demo",), 1, "users already"),
        (("key", "add", "billing"), 2, "--scope"),
        (("key", "add", "billing", "--scope", "everything"), 1, "neither publish nor token"),
        (("key", "add", "  ", "--scope", "publish"), 1, "characters"),
        (("key", "add", "billing", "--scope", "publish", "--producer", " "), 1, "producer"),
        (("key", "add", "billing", "--scope", "producer:billing"), 1, "publish, token"),
        (("key", "add", "a\x00b", "--scope", "publish"), 1, "NUL"),
        (("key", "revoke", "nobody"), 1, "no API key"),
        (("send", "nobody", "--title", "Hi"), 1, "no user nobody"),
        (("send", "ada@example.com"), 2, "--title"),
        (("send", "ada@example.com", "--title", "x" * 201), 1, "title"),
        (("send", "ada@example.com", "--title", "Hi", "--type", "loud"), 2, "loud"),
        (("send", "ada@example.com", "--title", "Hi", "--action-url", "javascript:alert(1)"), 1, "action_url"),
        (("cleanup", "--older-than", "-1"), 2, "-1"),
        (("worker",), 1, "NOTIWAY_JOBS"),
        (("member", "add", "ada@example.com", "global"), 2, "only tenants and groups"),
        (("member", "add", "ada@example.com", "moon"), 2, "names no audience"),
        (("member", "add", "nobody@example.com", "tenant:acme"), 1, "no user"),
        (("member", "add", "nobody", "tenant:acme"), 1, "no user"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_reason(notiway, user, words, code, reason):
    result = notiway(*words)
    assert result.exit_code == code
    assert reason in result.output
    assert "Traceback" not in result.output


def test_keys_are_shown_once_stored_as_hashes_and_revoked(notiway, app):
    result = notiway("key", "add", "billing", "--scope", "publish", "--scope", "token")
    key = result.stdout.strip()
    assert key.startswith("nw_")
    listed = notiway("key", "list").output
    assert "billing\tpublish,token\t" in listed
    assert key not in listed
    with app.app_context():
        assert api_keys.find(key).name == "billing"
        assert api_keys.find(key + "x") is None
        assert key not in str(db.execute_sql("SELECT * FROM notiway_api_key").fetchall())
    assert notiway("key", "add", "billing", "--scope", "token").exit_code == 1
    assert notiway("key", "revoke", "billing").exit_code == 0
    assert "revoked" in notiway("key", "list").output
    with app.app_context():
        assert api_keys.find(key) is None


def test_a_key_may_be_bounded_to_the_names_of_producers(notiway):
    assert (
        notiway("key", "add", "b", "--scope", "publish", "--producer", "billing", "--producer", "shop *").exit_code == 0
    )
    assert "b\tpublish,producer:billing,producer:shop *\t" in notiway("key", "list").output


def test_send_reaches_an_id_an_address_and_an_audience(notiway, app, user):
    for to in (user.id, "ADA@example.com", f"user:{user.id}", "global"):
        result = notiway("send", to, "--title", f"To {to}", "--type", "warning", "--source", "shell")
        assert result.exit_code == 0, result.output
    with app.app_context():
        inbox.catch_up(user.id)
        titles = {item.title for item in inbox.feed(user.id).items}
    assert titles == {f"To {to}" for to in (user.id, "ADA@example.com", f"user:{user.id}", "global")}


def test_members_are_added_listed_and_removed(notiway, user):
    for to in (user.id, "ADA@example.com"):
        assert notiway("member", "add", to, "group:acme:admins").exit_code == 0
    assert notiway("member", "list", user.id).output == "group:acme:admins\n"
    assert notiway("member", "list", "group:acme:admins").output == f"{user.id}\n"
    assert notiway("member", "remove", user.id, "group:acme:admins").exit_code == 0
    assert notiway("member", "list", user.id).output == ""


def test_a_command_says_when_open_pages_will_not_hear_it(notiway, user):
    result = notiway("send", user.id, "--title", "Hi")
    assert "heartbeat" in result.stderr  # the test application runs with NOTIWAY_JOBS=off


def test_cleanup_removes_what_is_old_and_says_so(notiway, age, send, user):
    age(send(user), days=91)
    assert notiway("cleanup", "--dry-run").output.startswith("Would remove 1 notifications older than 90 days")
    assert notiway("cleanup", "--older-than", "92").output.startswith("Removed 0 ")
    assert notiway("cleanup").output.startswith("Removed 1 notifications older than 90 days and 0 expired ones\n")
    assert notiway("cleanup").output.startswith("Removed 0 ")


def test_demo_users_are_made_on_an_empty_database_only(notiway):
    assert "staff@example.com" in notiway("demo").output
    assert notiway("user", "list").output.count("\n") == 2
    assert notiway("member", "list", "demo@example.com").output == "tenant:acme\n"
    assert set(notiway("member", "list", "staff@example.com").output.split()) == {"tenant:acme", "group:admins"}
    again = notiway("demo", "--if-empty")
    assert (again.exit_code, again.output) == (0, "")


def test_settings_are_printed_without_secrets(make_app):
    app = make_app(NOTIWAY_JOBS_URL="redis://user:hunter2@cache:6379/1", SECRET_KEY="swordfish-swordfish")
    output = app.test_cli_runner().invoke(args=["notiway", "config"]).output
    assert "SECRET_KEY=(set)" in output
    assert "NOTIWAY_JOBS_URL=redis://user:[hidden]@cache:6379/1" in output
    assert "NOTIWAY_RETENTION_DAYS=90" in output
    assert "hunter2" not in output
    assert "swordfish" not in output
