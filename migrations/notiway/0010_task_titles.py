"""A task may have a title of its own in place of its template's heading."""

import peewee

TABLE = "notiway_task"


def up(migrator, db):
    migrator.migrate(migrator.add_column(TABLE, "title", peewee.CharField(null=True, max_length=200)))


def down(migrator, db):
    db.execute_sql(f"ALTER TABLE {TABLE} DROP COLUMN title")
