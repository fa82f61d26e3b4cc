"""A notification may have an icon, a picture and actions; and what became of these."""

import peewee

TABLE = "notiway_notification"
COLUMNS = ("details", "answer")


def up(migrator, db):
    migrator.migrate(*(migrator.add_column(TABLE, name, peewee.TextField(null=True)) for name in COLUMNS))


def down(migrator, db):
    for name in COLUMNS:
        db.execute_sql(f"ALTER TABLE {TABLE} DROP COLUMN {name}")
