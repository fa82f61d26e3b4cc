"""The audit log of what staff sent and recalled."""

import peewee


def _models(db):
    class Base(peewee.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class AuditEntry(Base):
        id = peewee.CharField(primary_key=True, max_length=36)
        at = peewee.BigIntegerField()
        actor_id = peewee.CharField(max_length=200)
        action = peewee.CharField(max_length=20)
        notification_id = peewee.CharField(max_length=36, null=True, index=True)
        audience = peewee.CharField(max_length=420)
        form_key = peewee.CharField(max_length=36, null=True, unique=True)
        details = peewee.TextField()

        class Meta:
            table_name = "notiway_audit"
            indexes = ((("action", "id"), False),)

    return [AuditEntry]


def up(migrator, db):
    db.create_tables(_models(db), safe=False)


def down(migrator, db):
    db.drop_tables(_models(db)[::-1], safe=False)
