"""Ids that producers used, for some days after their notifications are gone."""

import peewee


def _models(db):
    class SpentId(peewee.Model):
        publisher = peewee.CharField()
        dedupe_key = peewee.CharField()
        notification_id = peewee.CharField(max_length=36)
        audience = peewee.CharField(max_length=420)
        name = peewee.CharField()
        spent_at = peewee.BigIntegerField(index=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "notiway_spent_id"
            primary_key = peewee.CompositeKey("publisher", "dedupe_key")

    return [SpentId]


def up(migrator, db):
    db.create_tables(_models(db), safe=False)


def down(migrator, db):
    db.drop_tables(_models(db), safe=False)
