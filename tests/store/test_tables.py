"""Tables: the constraints and indexes that the queries rely on, and values that come back as they were."""

import re

import peewee
import pytest
from fresh import statements

from notiway.store import schema
from notiway.store.database import db
from notiway.store.schema import TABLES
from notiway.store.tables import InboxItem, Notification

INDEXES = {
    "notiway_notification": {("publisher", "dedupe_key"): True, ("audience", "id"): False, ("expires_at",): False},
    "notiway_inbox_item": {("user_id", "notification_id"): False, ("notification_id",): False},
    "notiway_membership": {("user_id", "audience"): True, ("audience",): False},
}


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
    schema.revert(empty, "0006_publishers")
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
    schema.revert(of_before, "0006_publishers")
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
