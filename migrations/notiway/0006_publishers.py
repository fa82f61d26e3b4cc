"""Who published a notification, by key: ids are kept apart by that, and no longer by the name a producer claims."""

import peewee

TABLE = "notiway_notification"
BY_PRODUCER = f"{TABLE}_producer_dedupe_key"
BY_PUBLISHER = f"{TABLE}_publisher_dedupe_key"


def up(migrator, db):
    migrator.migrate(migrator.add_column(TABLE, "publisher", peewee.CharField(null=True)))
    # What is known of old rows: the application's own, and those of a key that named no other producer.
    # The rest keep no id apart: should their producer send one again, it is taken as new.
    db.execute_sql(f"UPDATE {TABLE} SET publisher = 'app' WHERE producer = 'app'")
    db.execute_sql(
        f"UPDATE {TABLE} SET publisher = (SELECT 'key:' || k.id FROM notiway_api_key k WHERE k.name = producer)"
        " WHERE publisher IS NULL"
    )
    db.execute_sql(f"DROP INDEX {BY_PRODUCER}")
    db.execute_sql(f'CREATE UNIQUE INDEX "{BY_PUBLISHER}" ON "{TABLE}" ("publisher", "dedupe_key")')


def down(migrator, db):
    # Two publishers may have used one id under one name: the first keeps it.
    db.execute_sql(
        f"UPDATE {TABLE} SET dedupe_key = NULL WHERE EXISTS (SELECT 1 FROM {TABLE} earlier"
        f" WHERE earlier.producer = {TABLE}.producer AND earlier.dedupe_key = {TABLE}.dedupe_key"
        f" AND earlier.id < {TABLE}.id)"
    )
    db.execute_sql(f"DROP INDEX {BY_PUBLISHER}")
    db.execute_sql(f"ALTER TABLE {TABLE} DROP COLUMN publisher")
    db.execute_sql(f'CREATE UNIQUE INDEX "{BY_PRODUCER}" ON "{TABLE}" ("producer", "dedupe_key")')
