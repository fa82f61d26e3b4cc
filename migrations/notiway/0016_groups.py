"""Items of one group are found together: an inbox item knows the group key of its notification."""

import peewee

TABLE = "notiway_inbox_item"
INDEX = f"{TABLE}_group"
COLUMN = "group_key"
AT_ONCE = 500  # notifications whose items are filled in by one statement
# An index over millions of rows is made while others write; that cannot be part of a transaction.
atomic = False


def up(migrator, db):
    if COLUMN not in {column.name for column in db.get_columns(TABLE)}:  # an attempt may have been interrupted
        migrator.migrate(migrator.add_column(TABLE, COLUMN, peewee.CharField(null=True)))
    last = ""
    key = f"SELECT n.{COLUMN} FROM notiway_notification n WHERE n.id = notification_id"
    while rows := _next(db, last):
        marks = ", ".join([db.param] * len(rows))
        db.execute_sql(f"UPDATE {TABLE} SET {COLUMN} = ({key}) WHERE notification_id IN ({marks})", rows)
        last = rows[-1]
    is_sqlite = isinstance(db, peewee.SqliteDatabase)
    db.execute_sql(f"DROP INDEX IF EXISTS {INDEX}")  # one that was not finished is not valid
    db.execute_sql(
        f'CREATE INDEX {"" if is_sqlite else "CONCURRENTLY "}"{INDEX}" ON "{TABLE}"'
        f' ("user_id", "{COLUMN}", "notification_id") WHERE (("{COLUMN}" IS NOT NULL) AND ("deleted_at" IS NULL))'
    )


def down(migrator, db):
    db.execute_sql(f"DROP INDEX IF EXISTS {INDEX}")
    db.execute_sql(f"ALTER TABLE {TABLE} DROP COLUMN {COLUMN}")


def _next(db, last):
    """The ids of the next notifications that have a group key."""
    found = db.execute_sql(
        f"SELECT id FROM notiway_notification WHERE {COLUMN} IS NOT NULL AND id > {db.param}"
        f" ORDER BY id LIMIT {AT_ONCE}",
        (last,),
    )
    return [row[0] for row in found.fetchall()]
