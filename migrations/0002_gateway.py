"""The gateway: when a producer sent, looking up by the producer's id, and tokens that work once."""

import peewee


def _spent_token(db):
    class SpentToken(peewee.Model):
        id = peewee.CharField(primary_key=True, max_length=64)
        expires_at = peewee.BigIntegerField(index=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "notiway_spent_token"

    return SpentToken


def up(migrator, db):
    migrator.migrate(
        migrator.add_column("notiway_notification", "sent_at", peewee.BigIntegerField(null=True)),
        migrator.add_index("notiway_notification", ("audience", "dedupe_key")),
    )
    db.create_tables([_spent_token(db)], safe=False)


def down(migrator, db):
    db.drop_tables([_spent_token(db)], safe=False)
    migrator.migrate(
        migrator.drop_index("notiway_notification", "notiway_notification_audience_dedupe_key"),
        migrator.drop_column("notiway_notification", "sent_at"),
    )
