"""Models and migrations: the tables that a migration makes are those that the models describe."""

import re
from pathlib import Path

import peewee
import pytest

from notiway.store import schema
from notiway.store.database import db, open_database, use_database
from notiway.store.tables import TABLES, InboxItem, Notification
from notiway.values.errors import WrongInput

INDEXES = {
    "notiway_notification": {("publisher", "dedupe_key"): True, ("audience", "id"): False, ("expires_at",): False},
    "notiway_inbox_item": {("user_id", "notification_id"): False, ("notification_id",): False},
    "notiway_membership": {("user_id", "audience"): True, ("audience",): False},
}


@pytest.fixture
def empty(tmp_path):
    opened = open_database(f"sqlite:///{tmp_path}/models.db")
    use_database(opened)
    yield opened
    opened.close_all()


def statements(opened):
    """Every table and index of Notiway as SQL, written in one way."""
    rows = opened.execute_sql(
        "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name LIKE 'notiway_%' AND tbl_name <> ?",
        (schema.OWN.history_table,),
    ).fetchall()
    return {name: re.sub(r"\s+", " ", sql.replace("IF NOT EXISTS ", "")) for name, sql in rows}


def tables(opened):
    return {name for name in opened.get_tables() if name.startswith("notiway_") and name != schema.OWN.history_table}


def test_a_migrated_database_has_exactly_the_tables_of_the_models(empty, tmp_path):
    schema.migrate(empty)
    migrated = statements(empty)
    by_models = open_database(f"sqlite:///{tmp_path}/by_models.db")
    try:
        use_database(by_models)
        by_models.create_tables(TABLES)
        assert statements(by_models) == migrated
    finally:
        by_models.close_all()
    assert tables(empty) == {table._meta.table_name for table in TABLES}


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


@pytest.mark.parametrize("table", INDEXES)
def test_tables_have_the_indexes_that_the_queries_need(empty, table):
    schema.migrate(empty)
    # The primary key of a table without rowid is the table itself, and no index of its own.
    found = {tuple(index.columns): index.unique for index in empty.get_indexes(table)}
    assert INDEXES[table].items() <= found.items()


def test_the_unread_index_holds_only_what_is_unread(empty):
    schema.migrate(empty)
    sql = statements(empty)["notiway_inbox_item_unread"]
    assert re.search(r'"user_id", "notification_id"\) WHERE .*read_at.* IS NULL.*deleted_at.* IS NULL', sql)


def test_a_notification_and_its_inbox_items_go_together(empty):
    schema.migrate(empty)
    Notification.create(id="n", audience="user:1", title="Hi")
    InboxItem.create(user_id="1", notification="n")
    Notification.delete_by_id("n")
    assert InboxItem.select().count() == 0


def test_the_same_dedupe_key_of_one_publisher_is_stored_once(empty):
    schema.migrate(empty)
    Notification.create(id="a", audience="global", title="Hi", publisher="p", dedupe_key="k")
    Notification.create(id="b", audience="global", title="Hi", publisher="q", dedupe_key="k")
    Notification.create(id="c", audience="global", title="Hi", publisher="p")
    Notification.create(id="d", audience="global", title="Hi", publisher="p")
    with pytest.raises(peewee.IntegrityError):
        Notification.create(id="e", audience="global", title="Hi", publisher="p", dedupe_key="k")


@pytest.fixture
def of_before(empty):
    """A database as it was before publishers, with notifications of the application and of two keys."""
    schema.migrate(empty)
    schema.revert(empty, "0004_publishers")
    key = "INSERT INTO notiway_api_key (id, name, hash, scopes, created_at) VALUES (?, ?, ?, '[]', 1)"
    row = (
        "INSERT INTO notiway_notification (id, audience, name, type, priority, title, message, producer, dedupe_key,"
        " created_at) VALUES (?, 'global', 'n', 'info', 'medium', 'Hi', '', ?, ?, 1)"
    )
    empty.execute_sql(key, ("key-1", "billing", "x"))
    for values in (("a", "app", "k"), ("b", "billing", "k"), ("c", "a claimed name", "k"), ("d", "billing", None)):
        empty.execute_sql(row, values)
    return empty


def test_rows_of_before_belong_to_who_is_known_to_have_sent_them(of_before):
    schema.migrate(of_before)
    found = {row.id: row.publisher for row in Notification.select()}
    assert found == {"a": "app", "b": "key:key-1", "c": None, "d": "key:key-1"}
    with pytest.raises(peewee.IntegrityError):
        Notification.create(id="e", audience="global", title="Hi", publisher="key:key-1", dedupe_key="k")


def test_going_back_keeps_every_row_and_one_id_of_each_producer(of_before):
    schema.migrate(of_before)
    Notification.create(id="e", audience="global", title="Hi", producer="billing", publisher="key:2", dedupe_key="k")
    schema.revert(of_before, "0004_publishers")
    rows = of_before.execute_sql("SELECT id, producer, dedupe_key FROM notiway_notification ORDER BY id").fetchall()
    assert rows == [
        ("a", "app", "k"), ("b", "billing", "k"), ("c", "a claimed name", "k"), ("d", "billing", None),
        ("e", "billing", None),
    ]  # fmt: skip


@pytest.mark.parametrize("body", [None, {}, {"a": [1, None, "ü"]}])
def test_a_body_comes_back_as_it_was(empty, body):
    schema.migrate(empty)
    Notification.create(id="n", audience="global", title="Hi", body=body)
    assert Notification.get_by_id("n").body == body


def test_every_table_is_prefixed_and_bound_to_the_one_database():
    assert all(table._meta.table_name.startswith("notiway_") for table in TABLES)
    assert all(table._meta.database is db for table in TABLES)
