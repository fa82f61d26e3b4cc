"""The host's tables: made by its own migrations, beside those of the library, which has none of them."""

import peewee
import pytest

from notiway.host.app import MIGRATIONS
from notiway.host.tables import TABLES, User
from notiway.store import schema
from notiway.store import tables as library
from notiway.store.database import open_database, use_database

SETS = (schema.OWN, MIGRATIONS)
OURS = {table._meta.table_name for table in TABLES}


@pytest.fixture
def empty(tmp_path):
    opened = open_database(f"sqlite:///{tmp_path}/host.db")
    use_database(opened)
    yield opened
    opened.close_all()


def columns(opened, table):
    return {(each.name, each.data_type, each.null, each.primary_key) for each in opened.get_columns(table)}


def test_the_library_alone_makes_no_table_of_the_host(empty):
    schema.migrate(empty)
    assert not OURS & set(empty.get_tables())
    assert not OURS & {table._meta.table_name for table in schema.TABLES}


def test_a_migrated_database_has_exactly_the_tables_of_the_host(empty, tmp_path):
    schema.migrate(empty, SETS)
    by_models = open_database(f"sqlite:///{tmp_path}/by_models.db")
    try:
        by_models.bind(TABLES, bind_refs=False, bind_backrefs=False)
        by_models.create_tables(TABLES)
        for table in OURS:
            assert columns(empty, table) == columns(by_models, table)
    finally:
        for table in TABLES:
            table.bind(library.Table._meta.database)
        by_models.close_all()


def test_a_database_that_has_the_tables_from_before_keeps_what_they_hold(empty):
    schema.migrate(empty, SETS)
    schema.revert(empty, "0003_sessions", SETS)
    User.create(id="1", email="a@example.com", password_hash="x")
    empty.execute_sql(f"DELETE FROM {MIGRATIONS.history_table}")  # as version 0.1 left it: tables without this history
    assert schema.migrate(empty, SETS)[:2] == ["0001_users", "0002_contacts"]
    assert User.get_by_id("1").email == "a@example.com"


def test_the_last_migration_and_one_by_name_are_undone_wherever_they_lie(empty):
    schema.migrate(empty, SETS)
    library_last, host_last = (sorted(each.folder.glob("[0-9]*.py"))[-1].stem for each in SETS)
    assert list(schema.what_goes(empty, None, SETS)) == [host_last]
    assert schema.revert(empty, None, SETS) == [host_last]
    assert schema.revert(empty, library_last, SETS) == [library_last]
    assert schema.pending(empty, SETS) == [library_last, host_last]


def test_an_address_belongs_to_one_user(empty):
    schema.migrate(empty, SETS)
    User.create(id="1", email="a@example.com", password_hash="x")
    with pytest.raises(peewee.IntegrityError):
        User.create(id="2", email="a@example.com", password_hash="x")
