"""Who holds a notification is found in order, without sorting all of its holders (PostgreSQL)."""

import peewee

TABLE = "notiway_inbox_item"
OLD, NEW = f"{TABLE}_notification_id", f"{TABLE}_notification_id_user_id"
# An index over millions of rows is made while others write; that cannot be part of a transaction.
atomic = False


def up(migrator, db):
    _replace(db, OLD, NEW, "notification_id, user_id")


def down(migrator, db):
    _replace(db, NEW, OLD, "notification_id")


def _replace(db, old, new, columns):
    if isinstance(db, peewee.SqliteDatabase):  # there every index of this table ends with the user already
        return
    db.execute_sql(f"DROP INDEX IF EXISTS {new}")  # an attempt that was interrupted leaves one that is not valid
    db.execute_sql(f"CREATE INDEX CONCURRENTLY {new} ON {TABLE} ({columns})")
    db.execute_sql(f"DROP INDEX IF EXISTS {old}")
