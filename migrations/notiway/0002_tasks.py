"""Tasks that report progress, and the way to the announcements that stand."""

import peewee

ANNOUNCEMENTS = "notiway_notification_announcement"


def _models(db):
    class Base(peewee.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Task(Base):
        id = peewee.CharField(primary_key=True, max_length=200)
        user_id = peewee.CharField(max_length=200)
        audience = peewee.CharField(max_length=420)
        name = peewee.CharField()
        status = peewee.CharField(max_length=20)
        done = peewee.IntegerField()
        total = peewee.IntegerField()
        message = peewee.TextField()
        created_at = peewee.BigIntegerField()
        updated_at = peewee.BigIntegerField(index=True)

        class Meta:
            table_name = "notiway_task"
            indexes = ((("user_id", "name", "updated_at"), False),)

    return [Task]


def up(migrator, db):
    db.create_tables(_models(db), safe=False)
    db.execute_sql(
        f'CREATE INDEX "{ANNOUNCEMENTS}" ON "notiway_notification" ("id") WHERE ("name" = \'system-announcement\')'
    )


def down(migrator, db):
    db.execute_sql(f"DROP INDEX {ANNOUNCEMENTS}")
    db.drop_tables(_models(db)[::-1], safe=False)
