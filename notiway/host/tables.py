"""The host's own tables. Times are milliseconds since the epoch, UTC."""

from __future__ import annotations

import peewee

from notiway.store.database import Table
from notiway.values.clock import now_ms


class User(Table):
    """A user of this application; other hosts bring their own."""

    id = peewee.CharField(primary_key=True, max_length=200)
    email = peewee.CharField(unique=True)
    name = peewee.CharField(default="")
    password_hash = peewee.CharField()
    is_staff = peewee.BooleanField(default=False)
    is_active = peewee.BooleanField(default=True)
    tenant_id = peewee.CharField(null=True)
    timezone = peewee.CharField(default="UTC")
    created_at = peewee.BigIntegerField(default=now_ms)

    class Meta:
        table_name = "notiway_user"


class Session(Table):
    """One login session, by the name that its cookie carries; it is over when the row is gone."""

    id = peewee.CharField(primary_key=True, max_length=64)
    user_id = peewee.CharField(max_length=200, index=True)
    started_at = peewee.BigIntegerField(default=now_ms)
    seen_at = peewee.BigIntegerField(default=now_ms)  # when its user last opened a page, to the minute
    ends_at = peewee.BigIntegerField()
    address = peewee.CharField(max_length=60)
    user_agent = peewee.CharField(max_length=300)

    class Meta:
        table_name = "notiway_session"


class Contact(Table):
    """What the import demo imports."""

    user_id = peewee.CharField(max_length=200)
    email = peewee.CharField(max_length=320)
    name = peewee.CharField()
    city = peewee.CharField()

    class Meta:
        table_name = "notiway_contact"
        primary_key = peewee.CompositeKey("user_id", "email")


TABLES = (User, Session, Contact)
