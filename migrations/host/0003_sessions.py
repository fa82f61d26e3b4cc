"""The login sessions of the host's users, each of which can end by itself."""

import peewee


def _models(db):
    class Session(peewee.Model):
        id = peewee.CharField(primary_key=True, max_length=64)
        user_id = peewee.CharField(max_length=200, index=True)
        started_at = peewee.BigIntegerField()
        seen_at = peewee.BigIntegerField()
        ends_at = peewee.BigIntegerField()
        address = peewee.CharField(max_length=60)
        user_agent = peewee.CharField(max_length=300)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "notiway_session"

    return [Session]


def up(migrator, db):
    db.create_tables(_models(db), safe=False)
    # "Sign out everywhere" removes the sessions now; a moment went wrong with the clock.
    migrator.migrate(migrator.drop_column("notiway_user", "signed_out_at"))


def down(migrator, db):
    migrator.migrate(migrator.add_column("notiway_user", "signed_out_at", peewee.BigIntegerField(null=True)))
    db.drop_tables(_models(db), safe=False)
