"""Schema: migrations make the tables of the models, and go back again."""

import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import peewee
import pytest
from fresh import statements

from notiway.store import schema, writing
from notiway.store.database import open_database, use_database
from notiway.store.engine import guard
from notiway.store.engine.guard import guard_of
from notiway.store.log import pulling
from notiway.store.schema import TABLES
from notiway.store.search import catalogue, grouping
from notiway.store.tables import InboxItem, Notification
from notiway.values.draft import Draft
from notiway.values.errors import Unavailable, WrongInput
from notiway.values.ids import id_floor

WORDS = "notiway_search_words"  # of the search catalogue, and what SQLite keeps beneath: no model stands for it


def tables(opened):
    return {name for name in opened.get_tables() if name.startswith("notiway_") and name != schema.OWN.history_table}


def test_a_migrated_database_has_exactly_the_tables_of_the_models(empty, tmp_path):
    schema.migrate(empty)
    migrated = statements(empty)
    by_models = open_database(f"sqlite:///{tmp_path}/by_models.db")
    try:
        use_database(by_models)
        by_models.create_tables(TABLES)
        assert statements(by_models) == {name: sql for name, sql in migrated.items() if not name.startswith(WORDS)}
    finally:
        by_models.close_all()
    with_models = {name for name in tables(empty) if not name.startswith(WORDS)}
    assert with_models == {table._meta.table_name for table in TABLES}


def test_migrations_go_up_and_down_and_up_again(empty):
    names = schema.pending(empty)
    assert names == sorted(path.stem for path in schema.OWN.folder.glob("[0-9]*.py"))
    assert schema.migrate(empty) == names
    first = statements(empty)
    assert schema.pending(empty) == []
    assert schema.migrate(empty) == []
    assert schema.revert(empty, names[0]) == names[::-1]
    assert tables(empty) == set()
    assert schema.pending(empty) == names
    schema.migrate(empty)
    assert statements(empty) == first


def test_going_down_keeps_the_hosts_own_tables(empty):
    empty.execute_sql("CREATE TABLE host_table (x TEXT)")
    schema.migrate(empty)
    schema.revert(empty)
    assert "host_table" in empty.get_tables()


def test_a_migration_that_is_not_applied_cannot_be_reverted(empty):
    with pytest.raises(WrongInput):
        schema.revert(empty, "0001_first_tables")


def test_migrations_do_not_import_the_models():
    for path in Path(schema.OWN.folder).glob("*.py"):
        assert "notiway.store" not in path.read_text(), path
        assert "import notiway" not in path.read_text()


def test_going_back_says_what_each_migration_made_the_newest_first(empty):
    names = schema.migrate(empty)
    assert list(schema.what_goes(empty)) == names[-1:]
    assert list(schema.what_goes(empty, names[0])) == names[::-1]
    assert all(made and "\n" not in made for made in schema.what_goes(empty, names[0]).values())
    assert schema.pending(empty) == [], "it only looks"


@pytest.mark.parametrize("name", [None, "0001_first_tables", "0099_nothing"])
def test_where_nothing_is_applied_nothing_goes(empty, name):
    assert schema.what_goes(empty, name) == {}


def test_an_unknown_migration_is_refused_and_nothing_is_reverted(empty):
    schema.migrate(empty)
    assert schema.what_goes(empty, "0099_nothing") == {}
    with pytest.raises(WrongInput, match="0099_nothing"):
        schema.revert(empty, "0099_nothing")
    assert schema.pending(empty) == []


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def either(request, tmp_path):
    """A database without tables: SQLite, then PostgreSQL."""
    is_sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path}/either.db" if is_sqlite else request.getfixturevalue("postgres").empty()
    opened = open_database(url)
    use_database(opened)
    yield opened
    opened.close_all()


def insert(opened, table, rows):
    for row in rows:
        values = ", ".join([opened.param] * len(row))
        opened.execute_sql(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({values})", list(row.values()))


def test_an_older_database_goes_up_with_its_rows_and_comes_down_with_them(either):
    schema.migrate(either)
    schema.revert(either, "0007_positions")
    ids = [id_floor(number) for number in range(1, 6)]
    common = {"name": "n", "type": "info", "priority": "medium", "title": "Hi", "message": "", "created_at": 0}
    # Written in another order than that of their ids.
    insert(either, "notiway_notification", [{"id": each, "audience": "global", **common} for each in ids[::-1]])
    insert(either, "notiway_inbox_item", [{"user_id": "ada", "notification_id": ids[0], "created_at": 0}])
    insert(either, "notiway_membership", [{"user_id": "cy", "audience": "group:g"}])
    cursors = [{"user_id": "ada", "pulled_to": ids[2]}, {"user_id": "bob", "pulled_to": ids[4]}]
    insert(either, "notiway_inbox_cursor", cursors)

    schema.migrate(either)
    rows = list(Notification.select().order_by(Notification.position))
    assert [row.id for row in rows] == ids
    assert [row.horizon for row in rows] == [row.position + 1 for row in rows]
    assert InboxItem.get().position == rows[0].position
    assert [pulling.catch_up(user_id) for user_id in ("ada", "bob", "cy")] == [3, 1, 5], "nobody is a newcomer"
    later = writing.insert(Draft("Later"), "global")[0]
    assert Notification.get_by_id(later.id).position > rows[-1].position
    assert [pulling.catch_up(user_id) for user_id in ("ada", "bob", "cy")] == [1, 1, 1]

    schema.revert(either, "0007_positions")
    found = either.execute_sql("SELECT user_id, pulled_to FROM notiway_inbox_cursor ORDER BY user_id").fetchall()
    assert found == [(user_id, later.id) for user_id in ("ada", "bob", "cy")]
    schema.migrate(either)
    assert pulling.catch_up("ada") == 0
    schema.revert(either, "0001_first_tables")
    assert not [name for name in either.get_tables() if name != schema.OWN.history_table]


def schema_names():
    return sorted(path.stem for path in schema.OWN.folder.glob("[0-9]*.py"))


def test_a_migration_that_fails_is_told_and_not_tried_for_ever(tmp_path, monkeypatch):
    opened = open_database(f"sqlite:///{tmp_path}/failed.db")
    tries = []

    def fail(*args, **options):
        tries.append(1)
        raise peewee.OperationalError("near SELEC: syntax error")

    monkeypatch.setattr(schema.Runner, "_run", fail)
    with pytest.raises(peewee.OperationalError, match="SELEC"):
        schema.migrate(opened)
    assert len(tries) == 1
    opened.close_all()


def test_the_search_catalogue_comes_and_goes_without_touching_what_is_stored(either, monkeypatch):
    schema.migrate(either)
    schema.revert(either, "0011_search")
    execute, seen = either.execute_sql, []
    monkeypatch.setattr(either, "execute_sql", lambda sql, *params: seen.append(sql) or execute(sql, *params))
    schema.migrate(either)
    assert not [
        sql
        for sql in seen
        if re.search(r"(UPDATE|INTO|JOIN|ALTER TABLE) \"?notiway_(notification|inbox)", sql)
        and not re.search(
            r'ADD COLUMN "(details|answer|archived_at|snoozed_until|press|group_key)" [\w()]+$', sql
        )  # empty: no row is written
    ]
    seen.clear()
    row = {"id": id_floor(1), "audience": "user:ada", "name": "n", "type": "info", "priority": "low", "title": "Hi"}
    insert(either, "notiway_notification", [{**row, "message": "", "created_at": 0}])
    insert(either, "notiway_inbox_item", [{"user_id": "ada", "notification_id": id_floor(1), "created_at": 0}])
    catalogue.ask("ada")
    assert catalogue.follow() == 1
    schema.revert(either, "0011_search")
    assert "notiway_search_entry" not in tables(either)
    schema.migrate(either)
    catalogue.ask("ada")
    assert catalogue.follow() == 1


def test_a_sqlite_without_fts5_gets_all_the_other_tables(empty, monkeypatch):
    execute = empty.execute_sql

    def without_fts5(sql, *params):
        return execute(sql.replace("name = 'fts5'", "name = 'not built in'"), *params)

    monkeypatch.setattr(empty, "execute_sql", without_fts5)
    schema.migrate(empty)
    assert {name for name in tables(empty) if "search" in name} == {"notiway_search_entry", "notiway_search_inbox"}
    use_database(empty)
    catalogue.ask("ada")
    assert catalogue.follow() == 0
    schema.revert(empty, "0001_first_tables")
    assert tables(empty) == set()


@pytest.mark.postgresql
def test_the_index_of_holders_is_replaced_and_brought_back(postgres):
    opened = open_database(postgres.empty())
    use_database(opened)
    old = "notiway_inbox_item_notification_id"

    def indexes():
        return {index.name for index in opened.get_indexes("notiway_inbox_item")} & {old, f"{old}_user_id"}

    schema.migrate(opened)
    assert indexes() == {f"{old}_user_id"}
    schema.revert(opened, "0012_holders")
    assert indexes() == {old}
    opened.execute_sql(f"CREATE INDEX {old}_user_id ON notiway_inbox_item (user_id)")  # as an interrupted attempt
    schema.migrate(opened)
    [made] = [each for each in opened.get_indexes("notiway_inbox_item") if each.name == f"{old}_user_id"]
    assert made.columns == ["notification_id", "user_id"]
    opened.close_all()


MIGRATING = """
import sys
from notiway.store import schema
from notiway.store.database import open_database, use_database
from notiway.values.errors import WrongInput
opened = open_database(sys.argv[1])
use_database(opened)
print("ready", flush=True)
for line in sys.stdin:
    try:
        done = schema.migrate(opened) if line.strip() == "up" else schema.revert(opened, line.strip())
    except WrongInput:  # the other one was quicker
        done = []
    opened.close()
    print("done", *done, flush=True)
"""


@contextmanager
def two_processes(url):
    """Two processes that migrate in the same moment: a function that says where to, and what each of them did."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen([sys.executable, "-c", MIGRATING, url], **pipes) for _ in range(2)]
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * 2

    def at_once(direction):
        for process in processes:
            process.stdin.write(f"{direction}\n")
            process.stdin.flush()
        answers = [process.stdout.readline().split() for process in processes]
        assert [answer[:1] for answer in answers] == [["done"]] * 2
        return sorted(name for answer in answers for name in answer[1:])

    yield at_once
    for process in processes:
        process.communicate(timeout=60)
        assert process.returncode == 0


def test_two_processes_migrate_at_once_up_and_down_with_rows(either, tmp_path, request):
    is_sqlite = isinstance(either, peewee.SqliteDatabase)
    url = f"sqlite:///{tmp_path}/either.db" if is_sqlite else request.getfixturevalue("postgres").url(either.database)
    with two_processes(url) as at_once:
        assert at_once("up") == schema_names()
        one = writing.insert(Draft("Stays"), "global")[0]
        assert pulling.catch_up("ada") == 1
        either.close()
        later = [name for name in schema_names() if name >= "0007"]
        assert at_once("0007_positions") == later
        assert at_once("up") == later
    assert [row.id for row in Notification.select()] == [one.id]
    assert pulling.catch_up("ada") == 0, "the cursor came back, too"
    assert InboxItem.select().count() == 1


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def test_whoever_migrates_waits_for_another_process_and_not_without_end(kind, tmp_path, request, monkeypatch):
    if kind == "sqlite":
        first, second = (open_database(f"sqlite:///{tmp_path}/both.db") for _ in range(2))
    else:
        postgres = request.getfixturevalue("postgres")
        first = open_database(postgres.empty())
        second = open_database(postgres.url(first.database))
    monkeypatch.setattr(guard, "ALONE_SECONDS", 0.1)
    with guard_of(first).alone():
        with pytest.raises(Unavailable, match="being changed"):
            schema.migrate(second)
        assert second.get_tables() == []
    assert schema.migrate(second) == schema_names()
    for each in (first, second):
        each.close_all()


def test_items_that_are_there_already_learn_their_group(either):
    schema.migrate(either)
    schema.revert(either, "0016_groups")
    row = {"audience": "user:ada", "name": "n", "type": "info", "priority": "low", "title": "Hi", "message": ""}
    for number, key in enumerate(("disk:7", None, "disk:7"), 1):
        insert(either, "notiway_notification", [{**row, "id": id_floor(number), "created_at": 0, "group_key": key}])
        insert(either, "notiway_inbox_item", [{"user_id": "ada", "notification_id": id_floor(number), "created_at": 0}])
    schema.migrate(either)
    assert [item.id for item in grouping.members("ada", "disk:7")] == [id_floor(3), id_floor(1)]
