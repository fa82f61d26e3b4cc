"""The users of the standalone gateway. A database of version 0.1 has the table already, and keeps it."""

import peewee


def _models(db):
    class User(peewee.Model):
        id = peewee.CharField(primary_key=True, max_length=200)
        email = peewee.CharField(unique=True)
        name = peewee.CharField()
        password_hash = peewee.CharField()
        is_staff = peewee.BooleanField()
        is_active = peewee.BooleanField()
        tenant_id = peewee.CharField(null=True)
        timezone = peewee.CharField()
        created_at = peewee.BigIntegerField()
        signed_out_at = peewee.BigIntegerField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "notiway_user"

    return [User]


def up(migrator, db):
    db.create_tables(_models(db), safe=True)


def down(migrator, db):
    db.drop_tables(_models(db), safe=False)
