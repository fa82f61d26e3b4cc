"""The first tables. The models are frozen here: later changes of notiway/store/tables.py do not reach back."""

import peewee


def _models(db):
    class Base(peewee.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Membership(Base):
        user_id = peewee.CharField(max_length=200)
        audience = peewee.CharField(max_length=420)

        class Meta:
            table_name = "notiway_membership"
            primary_key = peewee.CompositeKey("user_id", "audience")
            indexes = ((("audience",), False),)

    class Notification(Base):
        id = peewee.CharField(primary_key=True, max_length=36)
        audience = peewee.CharField(max_length=420)
        name = peewee.CharField()
        type = peewee.CharField(max_length=10)
        priority = peewee.CharField(max_length=10)
        title = peewee.CharField(max_length=200)
        message = peewee.TextField()
        body = peewee.TextField(null=True)
        action_url = peewee.TextField(null=True)
        group_key = peewee.CharField(null=True)
        source = peewee.CharField(null=True)
        actor = peewee.CharField(null=True)
        producer = peewee.CharField(null=True)
        dedupe_key = peewee.CharField(null=True)
        sent_at = peewee.BigIntegerField(null=True)
        created_at = peewee.BigIntegerField()
        expires_at = peewee.BigIntegerField(null=True)
        recalled_at = peewee.BigIntegerField(null=True)

        class Meta:
            table_name = "notiway_notification"
            indexes = (
                (("producer", "dedupe_key"), True),
                (("audience", "id"), False),
                (("dedupe_key",), False),
                (("expires_at",), False),
            )

    class InboxItem(Base):
        user_id = peewee.CharField(max_length=200)
        notification = peewee.ForeignKeyField(Notification, on_delete="CASCADE", column_name="notification_id")
        seen_at = peewee.BigIntegerField(null=True)
        read_at = peewee.BigIntegerField(null=True)
        deleted_at = peewee.BigIntegerField(null=True)
        created_at = peewee.BigIntegerField()

        class Meta:
            table_name = "notiway_inbox_item"
            primary_key = peewee.CompositeKey("user_id", "notification")
            without_rowid = isinstance(db, peewee.SqliteDatabase)  # PostgreSQL has no such thing

    InboxItem.add_index(
        InboxItem.index(
            InboxItem.user_id,
            InboxItem.notification,
            name="notiway_inbox_item_unread",
            where=(InboxItem.read_at.is_null() & InboxItem.deleted_at.is_null()),
        )
    )

    class InboxCursor(Base):
        user_id = peewee.CharField(primary_key=True, max_length=200)
        pulled_to = peewee.CharField(max_length=36)

        class Meta:
            table_name = "notiway_inbox_cursor"

    class ApiKey(Base):
        id = peewee.CharField(primary_key=True, max_length=36)
        name = peewee.CharField(unique=True)
        hash = peewee.CharField(unique=True)
        scopes = peewee.TextField()
        created_at = peewee.BigIntegerField()
        last_used_at = peewee.BigIntegerField(null=True)
        revoked_at = peewee.BigIntegerField(null=True)

        class Meta:
            table_name = "notiway_api_key"

    class SpentToken(Base):
        id = peewee.CharField(primary_key=True, max_length=64)
        expires_at = peewee.BigIntegerField(index=True)

        class Meta:
            table_name = "notiway_spent_token"

    return [Membership, Notification, InboxItem, InboxCursor, ApiKey, SpentToken]


def up(migrator, db):
    db.create_tables(_models(db), safe=False)


def down(migrator, db):
    db.drop_tables(_models(db)[::-1], safe=False)
