"""The way to what is too old: retention goes by when a notification was stored, and no longer by its id."""

INDEX = "notiway_notification_created_at_id"


def up(migrator, db):
    db.execute_sql(f'CREATE INDEX "{INDEX}" ON "notiway_notification" ("created_at", "id")')


def down(migrator, db):
    db.execute_sql(f'DROP INDEX "{INDEX}"')
