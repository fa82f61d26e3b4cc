"""What users have said about how notifications may ask for attention: one row for each who has changed something."""

import peewee


def _models(db):
    class AttentionSettings(peewee.Model):
        user_id = peewee.CharField(primary_key=True, max_length=200)
        revision = peewee.BigIntegerField()
        settings = peewee.TextField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "notiway_attention"

    return [AttentionSettings]


def up(migrator, db):
    db.create_tables(_models(db), safe=False)


def down(migrator, db):
    db.drop_tables(_models(db), safe=False)
