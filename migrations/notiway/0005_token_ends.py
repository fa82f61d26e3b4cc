"""From when on a user's client tokens are good: those before a "sign out everywhere" are over."""

import peewee


def _models(db):
    class TokenEnd(peewee.Model):
        user_id = peewee.CharField(primary_key=True, max_length=200)
        ended_at = peewee.BigIntegerField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "notiway_token_end"

    return [TokenEnd]


def up(migrator, db):
    db.create_tables(_models(db), safe=False)


def down(migrator, db):
    db.drop_tables(_models(db), safe=False)
