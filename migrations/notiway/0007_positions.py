"""Positions: each row says where in the log it stands, and a cursor names a position instead of an id."""

import peewee

LOWEST = -(2**62)
# Where several transactions write at once, a row's position is the number of its transaction.
OWN_TRANSACTION = "(pg_current_xact_id()::text::bigint)"
OLDEST_UNDECIDED = "(pg_snapshot_xmin(pg_current_snapshot())::text::bigint)"
COLUMNS = (
    ("notiway_notification", "position", OWN_TRANSACTION),
    ("notiway_notification", "horizon", OLDEST_UNDECIDED),
    ("notiway_inbox_item", "position", OWN_TRANSACTION),
)
INDEXES = (
    ("notiway_notification_audience_position", "notiway_notification", ("audience", "position")),
    (
        "notiway_inbox_item_user_id_position_notification_id",
        "notiway_inbox_item",
        ("user_id", "position", "notification_id"),
    ),
)


def _models(db):
    class Base(peewee.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Counter(Base):
        name = peewee.CharField(primary_key=True, max_length=40)
        value = peewee.BigIntegerField()

        class Meta:
            table_name = "notiway_counter"

    class InboxCursor(Base):
        user_id = peewee.CharField(primary_key=True, max_length=200)
        position = peewee.BigIntegerField()
        changes = peewee.BigIntegerField(constraints=[peewee.SQL("DEFAULT 0")])

        class Meta:
            table_name = "notiway_inbox_cursor"

    class OldCursor(Base):
        user_id = peewee.CharField(primary_key=True, max_length=200)
        pulled_to = peewee.CharField(max_length=36)

        class Meta:
            table_name = "notiway_inbox_cursor"

    return Counter, InboxCursor, OldCursor


def up(migrator, db):
    one_writer = isinstance(db, peewee.SqliteDatabase)
    counter, cursor, old_cursor = _models(db)
    for table, column, _ in COLUMNS:
        kind = "INTEGER NOT NULL DEFAULT 0" if one_writer else "BIGINT"
        db.execute_sql(f'ALTER TABLE "{table}" ADD COLUMN "{column}" {kind}')
    # By id; below every transaction number where the numbers are those.
    below = "0" if one_writer else "(SELECT COUNT(*) + 1 FROM notiway_notification)"
    db.execute_sql(
        f"UPDATE notiway_notification SET position = numbered.number - {below},"
        f" horizon = numbered.number - {below} + 1"
        " FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY id) AS number FROM notiway_notification) AS numbered"
        " WHERE numbered.id = notiway_notification.id"
    )
    db.execute_sql(
        "UPDATE notiway_inbox_item SET position = n.position FROM notiway_notification AS n"
        " WHERE n.id = notiway_inbox_item.notification_id"
    )
    if not one_writer:
        for table, column, default in COLUMNS:
            db.execute_sql(f'ALTER TABLE "{table}" ALTER COLUMN "{column}" SET NOT NULL')
            db.execute_sql(f'ALTER TABLE "{table}" ALTER COLUMN "{column}" SET DEFAULT {default}')
    for name, table, columns in INDEXES:
        listed = ", ".join(f'"{column}"' for column in columns)
        db.execute_sql(f'CREATE INDEX "{name}" ON "{table}" ({listed})')
    db.create_tables([counter], safe=False)
    db.execute_sql(
        "INSERT INTO notiway_counter (name, value) SELECT 'position', COUNT(*) FROM notiway_notification"
        " HAVING COUNT(*) > 0"
    )
    # Whoever has looked before begins where that was, or at the lowest of all: nobody is taken for a newcomer.
    db.execute_sql(
        "CREATE TEMPORARY TABLE notiway_moved AS SELECT known.user_id AS user_id, COALESCE((SELECT n.position"
        " FROM notiway_notification n WHERE n.id <= c.pulled_to ORDER BY n.id DESC LIMIT 1),"
        f" {LOWEST}) AS position FROM (SELECT user_id FROM notiway_inbox_cursor"
        " UNION SELECT user_id FROM notiway_inbox_item UNION SELECT user_id FROM notiway_membership) AS known"
        " LEFT JOIN notiway_inbox_cursor c ON c.user_id = known.user_id"
    )
    db.drop_tables([old_cursor], safe=False)
    db.create_tables([cursor], safe=False)
    db.execute_sql("INSERT INTO notiway_inbox_cursor (user_id, position) SELECT user_id, position FROM notiway_moved")
    db.execute_sql("DROP TABLE notiway_moved")


def down(migrator, db):
    counter, cursor, old_cursor = _models(db)
    db.execute_sql(
        "CREATE TEMPORARY TABLE notiway_moved AS SELECT c.user_id AS user_id, COALESCE((SELECT MAX(n.id)"
        " FROM notiway_notification n WHERE n.position < c.position), '') AS pulled_to FROM notiway_inbox_cursor c"
    )
    db.drop_tables([cursor], safe=False)
    db.create_tables([old_cursor], safe=False)
    db.execute_sql("INSERT INTO notiway_inbox_cursor (user_id, pulled_to) SELECT user_id, pulled_to FROM notiway_moved")
    db.execute_sql("DROP TABLE notiway_moved")
    db.drop_tables([counter], safe=False)
    for name, _, _ in INDEXES:
        db.execute_sql(f'DROP INDEX "{name}"')
    for table, column, _ in COLUMNS:
        db.execute_sql(f'ALTER TABLE "{table}" DROP COLUMN "{column}"')
