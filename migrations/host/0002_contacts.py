"""What the import demo imports. A database of version 0.1 has the table already, and keeps it."""

import peewee


def _models(db):
    class Contact(peewee.Model):
        user_id = peewee.CharField(max_length=200)
        email = peewee.CharField(max_length=320)
        name = peewee.CharField()
        city = peewee.CharField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "notiway_contact"
            primary_key = peewee.CompositeKey("user_id", "email")

    return [Contact]


def up(migrator, db):
    db.create_tables(_models(db), safe=True)


def down(migrator, db):
    db.drop_tables(_models(db), safe=False)
