"""An item may be archived, or snoozed until a moment; and one that was read with all others knows by which press."""

import peewee

TABLE = "notiway_inbox_item"
COLUMNS = ("archived_at", "snoozed_until", "press")
INDEXES = {
    "archived": (("user_id", "notification_id"), "archived_at"),
    "snoozed": (("user_id", "notification_id"), "snoozed_until"),
    "due": (("snoozed_until",), "snoozed_until"),
}
# An index over millions of rows is made while others write; that cannot be part of a transaction.
atomic = False


def up(migrator, db):
    there = {each.name for each in db.get_columns(TABLE)}  # an attempt that was interrupted may have made some
    missing = [name for name in COLUMNS if name not in there]
    migrator.migrate(*(migrator.add_column(TABLE, name, peewee.BigIntegerField(null=True)) for name in missing))
    at_ease = "" if isinstance(db, peewee.SqliteDatabase) else "CONCURRENTLY "
    for name, (columns, filled) in INDEXES.items():
        _drop(db, name)
        listed = ", ".join(f'"{column}"' for column in columns)
        db.execute_sql(f'CREATE INDEX {at_ease}"{TABLE}_{name}" ON "{TABLE}" ({listed}) WHERE ("{filled}" IS NOT NULL)')


def down(migrator, db):
    for name in INDEXES:
        _drop(db, name)
    for name in COLUMNS:
        db.execute_sql(f"ALTER TABLE {TABLE} DROP COLUMN {name}")


def _drop(db, name):
    db.execute_sql(f'DROP INDEX IF EXISTS "{TABLE}_{name}"')
