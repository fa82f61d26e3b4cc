"""Moving from SQLite to PostgreSQL: every row of every table, all or none, and clients go on where they were."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from notiway.host import tables as host_tables
from notiway.host.app import MIGRATIONS as HOST
from notiway.live import runtime
from notiway.store import inbox, membership, schema, tables
from notiway.store.attention.table import AttentionSettings
from notiway.store.copies import moving
from notiway.store.database import db, open_database, use_database
from notiway.store.log import resuming
from notiway.store.search import catalogue
from notiway.values.audience import Audience
from notiway.values.errors import WrongInput
from notiway.verbs.send import send_notification

pytestmark = pytest.mark.postgresql
SETS = (schema.OWN, HOST)


@pytest.fixture
def database_kind():
    return "sqlite"


@pytest.fixture
def source(app, user, inside):
    """An application with rows in every table; its file."""
    membership.join(user.id, Audience.group("admins"))
    send_notification(user.id, "Grüße \N{WAVING HAND SIGN} \\ \t\n\"'", body={"é": [1, None, True]}, dedupe_key="k")
    send_notification(Audience.group("admins"), "Group")
    send_notification(Audience.everyone(), "All", expires_at=datetime.now(UTC) + timedelta(hours=1))
    inbox.catch_up(user.id)
    for item in inbox.feed(user.id).items[:1]:
        inbox.mark_read(user.id, [item.id])
    rows = (
        tables.ApiKey(id="key", name="billing", hash="h", scopes={"publish": ["user:*"]}),
        tables.SpentToken(id="t", expires_at=2**40),
        tables.SpentId(publisher="app", dedupe_key="d", notification_id="n", audience="global", name="x", spent_at=1),
        tables.TokenEnd(user_id=user.id, ended_at=7),
        tables.AuditEntry(id="a", actor_id=user.id, action="send", audience="global", details={"reach": 3}),
        tables.Task(id="t", user_id=user.id, audience="global", name="n", status="s", done=2**40, total=0, message=""),
        tables.Counter(name="recalls", value=3),
        AttentionSettings(user_id=user.id, revision=2, settings='{"sound":true}'),
        host_tables.Session(id="s", user_id=user.id, ends_at=2**40, address="::1", user_agent="x"),
        host_tables.Contact(user_id=user.id, email="c@example.com", name="C", city="Köln"),
    )
    for row in rows:
        row.save(force_insert=True)
    catalogue.ask(user.id)
    assert catalogue.follow()
    db.close()
    return Path(runtime.current().database.database)


@pytest.fixture
def target(postgres):
    opened = open_database(postgres.empty())
    yield opened
    opened.close_all()


@pytest.fixture
def moved(source, target):
    """The source's rows in the target, which is what Notiway reads then."""
    before = db.obj
    moving.move(source, target, SETS)
    use_database(target)
    runtime.current().database = target
    yield target
    target.close()
    runtime.current().database = before
    use_database(before)


def contents(opened, table):
    """All rows of a table as text, without the positions, which are others."""
    columns = [each.name for each in opened.get_columns(table) if each.name not in ("position", "horizon")]
    listed = ", ".join(f'"{name}"' for name in sorted(columns))
    rows = opened.execute_sql(f'SELECT {listed} FROM "{table}"').fetchall()
    return sorted([str(int(value) if isinstance(value, bool) else value) for value in row] for row in rows)


def test_every_row_of_every_table_arrives(source, target):
    before = db.obj
    names = [each._meta.table_name for each in (*schema.TABLES, *host_tables.TABLES)]
    assert [name for name in names if not contents(before, name)] == [], "each has a row to be moved"
    copied = moving.move(source, target, SETS)
    names.remove("notiway_search_entry")
    assert set(copied) == set(names)
    for name in names:
        had = [row for row in contents(before, name) if not {"position", "era"} & set(row)]
        assert contents(target, name) == had, name
        assert copied[name] == len(had)


def test_a_user_who_was_online_before_goes_on_without_a_hole(source, target, user):
    all_there = resuming.page(user.id, resuming.beginning(), 50)
    first = resuming.page(user.id, resuming.beginning(), 1)
    exact, in_the_middle, by_id = all_there.cursor, first.cursor, all_there.items[0].id
    send_notification(Audience.everyone(), "While away")
    db.close()
    before = db.obj
    moving.move(source, target, SETS)
    runtime.current().database = target
    use_database(target)
    send_notification(Audience.everyone(), "Afterwards")
    wanted = {"While away", "Afterwards"}
    try:
        for cursor in (exact.as_text(), in_the_middle.as_text(), by_id):
            page = resuming.page(user.id, resuming.since(cursor), 50)
            titles = [item.title for item in page.items]
            assert wanted <= set(titles), cursor
            assert len(titles) == len(set(titles))
            assert titles[-2:] == ["While away", "Afterwards"], "in order"
            assert resuming.page(user.id, page.cursor, 50).items == []
        assert inbox.unread_count(user.id) == 4
    finally:
        target.close()
        runtime.current().database = before
        use_database(before)


def test_nothing_is_pulled_a_second_time(moved, user):
    assert inbox.catch_up(user.id) == 0
    send_notification(Audience.group("admins"), "New")
    assert inbox.catch_up(user.id) == 1


def test_searches_find_what_was_moved(moved, user):
    while catalogue.follow():
        pass
    assert [item.title for item in inbox.feed(user.id, text="Group").items] == ["Group"]


def test_a_target_with_rows_is_refused_and_named(source, target):
    schema.migrate(target, SETS)
    target.execute_sql("INSERT INTO notiway_counter (name, value) VALUES ('x', 1)")
    with pytest.raises(WrongInput) as caught:
        moving.move(source, target, SETS)
    assert [fault.path for fault in caught.value.faults] == ["notiway_counter"]
    assert contents(target, "notiway_notification") == []


def test_what_fails_in_the_middle_leaves_nothing_and_can_be_done_again(source, target):
    def fail(table, rows):
        if table == "notiway_inbox_item":
            raise OSError("the line broke")

    with pytest.raises(OSError, match="broke"):
        moving.move(source, target, SETS, fail)
    for name in target.get_tables():
        assert name.endswith("_migration") or contents(target, name) == [], name
    assert moving.move(source, target, SETS)["notiway_inbox_item"]


def test_large_tables_go_in_parts(source, target, monkeypatch):
    monkeypatch.setattr(moving, "ROWS_AT_ONCE", 2)
    seen = []
    copied = moving.move(source, target, SETS, lambda table, rows: seen.append((table, rows)))
    assert [rows for table, rows in seen if table == "notiway_inbox_item"] == [2, 3]
    assert copied["notiway_inbox_item"] == 3


def test_nobody_writes_to_the_source_meanwhile(source, target, monkeypatch):
    found = []

    def write(table, rows):
        if found:
            return
        with closing(sqlite3.connect(source, timeout=0)) as other, pytest.raises(sqlite3.OperationalError) as caught:
            other.execute("DELETE FROM notiway_task")
        found.append(str(caught.value))

    moving.move(source, target, SETS, write)
    assert found == ["database is locked"]


def test_a_host_s_own_tables_come_too_with_their_numbers(source, target):
    with closing(sqlite3.connect(source)) as other:
        other.execute("CREATE TABLE shop_item (id INTEGER PRIMARY KEY, name TEXT, parent_id INTEGER)")
        other.executemany("INSERT INTO shop_item VALUES (?, ?, NULL)", [(7, "a\0b"), (9, "c")])
        other.commit()
    with pytest.raises(WrongInput, match=r"lacks tables.*shop_item"):
        moving.move(source, target, SETS)
    target.execute_sql("CREATE TABLE shop_item (id SERIAL PRIMARY KEY, name TEXT, parent_id INTEGER)")
    assert moving.move(source, target, SETS)["shop_item"] == 2
    assert target.execute_sql("SELECT name FROM shop_item ORDER BY id").fetchall() == [
        ("a\N{REPLACEMENT CHARACTER}b",),
        ("c",),
    ]
    target.execute_sql("INSERT INTO shop_item (name) VALUES ('next')")
    assert target.execute_sql("SELECT MAX(id) FROM shop_item").fetchone() == (10,)


def test_or_are_left_out_by_name(source, target):
    with closing(sqlite3.connect(source)) as other:
        other.execute("CREATE TABLE shop_item (id INTEGER PRIMARY KEY)")
    assert "shop_item" not in moving.move(source, target, SETS, without=("shop_item",))


def test_a_value_that_does_not_fit_is_told_with_its_table(source, target):
    with closing(sqlite3.connect(source)) as other:
        other.execute("UPDATE notiway_task SET status = ?", ("x" * 21,))
        other.commit()
    with pytest.raises(WrongInput, match=r"notiway_task.*too long"):
        moving.move(source, target, SETS)
    assert contents(target, "notiway_notification") == []


def test_tables_of_another_version_are_refused(source, target):
    with closing(sqlite3.connect(source)) as other:
        other.execute("DELETE FROM notiway_migration WHERE name LIKE '0012%'")
        other.commit()
    with pytest.raises(WrongInput, match="notiway migrate"):
        moving.move(source, target, SETS)


def test_only_sqlite_moves_and_only_to_postgresql(source, target, tmp_path):
    with pytest.raises(WrongInput, match="no SQLite file"):
        moving.move(tmp_path / "nothing.db", target)
    with pytest.raises(WrongInput, match="PostgreSQL"):
        moving.move(source, open_database("sqlite:///:memory:"))
