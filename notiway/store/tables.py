"""Tables, no logic. Times are integers: milliseconds since the epoch, UTC. Ids of items are uuid7 text."""

from __future__ import annotations

import json
from typing import Any

import peewee

from notiway.store.database import Table
from notiway.values.clock import now_ms
from notiway.values.item import ANNOUNCEMENT


class JSONText(peewee.TextField):
    """A JSON object in a text column: the same on SQLite and PostgreSQL, and never queried into."""

    def db_value(self, value: Any) -> str | None:
        return None if value is None else json.dumps(value, separators=(",", ":"), ensure_ascii=False)

    def python_value(self, value: Any) -> Any:
        return None if value is None else json.loads(value)


class Membership(Table):
    """One user listens to one tenant or group."""

    user_id = peewee.CharField(max_length=200)
    audience = peewee.CharField(max_length=420)

    class Meta:
        table_name = "notiway_membership"
        primary_key = peewee.CompositeKey("user_id", "audience")
        indexes = ((("audience",), False),)


class Notification(Table):
    """The stored content of one publish: one row, whatever the size of its audience."""

    id = peewee.CharField(primary_key=True, max_length=36)
    audience = peewee.CharField(max_length=420)
    name = peewee.CharField(default="notification")
    type = peewee.CharField(default="info", max_length=10)
    priority = peewee.CharField(default="medium", max_length=10)
    title = peewee.CharField(max_length=200)
    message = peewee.TextField(default="")
    body = JSONText(null=True)
    action_url = peewee.TextField(null=True)
    group_key = peewee.CharField(null=True)
    source = peewee.CharField(null=True)
    actor = peewee.CharField(null=True)
    producer = peewee.CharField(null=True)
    dedupe_key = peewee.CharField(null=True)
    sent_at = peewee.BigIntegerField(null=True)  # by the producer's clock
    created_at = peewee.BigIntegerField(default=now_ms)
    expires_at = peewee.BigIntegerField(null=True)
    recalled_at = peewee.BigIntegerField(null=True)
    publisher = peewee.CharField(null=True)  # whose ids these are: "app", "key:<id>", "stream:<producer>"
    position = peewee.BigIntegerField(constraints=[peewee.SQL("DEFAULT 0")])  # in the log (store/log/positions.py)
    horizon = peewee.BigIntegerField(constraints=[peewee.SQL("DEFAULT 0")])  # all before it was decided by then
    details = JSONText(null=True)  # what is rich about it (values/kinds/details.py)
    answer = JSONText(null=True)  # what became of its actions (values/kinds/answer.py)

    class Meta:
        table_name = "notiway_notification"
        indexes = (
            (("publisher", "dedupe_key"), True),
            (("audience", "id"), False),
            (("audience", "position"), False),
            (("dedupe_key",), False),
            (("expires_at",), False),
            (("created_at", "id"), False),
        )


class InboxItem(Table):
    """One user's copy of a notification: this is what list and badge read. Archived and snoozed are deleted, too."""

    user_id = peewee.CharField(max_length=200)
    notification = peewee.ForeignKeyField(
        Notification, backref="items", on_delete="CASCADE", column_name="notification_id"
    )
    seen_at = peewee.BigIntegerField(null=True)
    read_at = peewee.BigIntegerField(null=True)
    deleted_at = peewee.BigIntegerField(null=True)
    created_at = peewee.BigIntegerField(default=now_ms)
    position = peewee.BigIntegerField(constraints=[peewee.SQL("DEFAULT 0")])  # in the log
    archived_at = peewee.BigIntegerField(null=True)  # where it went that left the list (docs/adr/0024)
    snoozed_until = peewee.BigIntegerField(null=True)
    press = peewee.BigIntegerField(null=True)  # of "mark all as read" that read it (store/changes/presses.py)
    group_key = peewee.CharField(null=True)  # that of its notification: what one row of a list brings together

    class Meta:
        table_name = "notiway_inbox_item"
        primary_key = peewee.CompositeKey("user_id", "notification")
        indexes = ((("user_id", "position", "notification"), False),)
        without_rowid = True  # SQLite clusters the rows by user and id: the feed is one range


Notification.add_index(
    Notification.index(
        Notification.id, name="notiway_notification_announcement", where=(Notification.name == ANNOUNCEMENT)
    )
)

_MINE = (InboxItem.user_id, InboxItem.notification)
for _name, _columns, _where in (
    ("unread", _MINE, InboxItem.read_at.is_null() & InboxItem.deleted_at.is_null()),
    ("archived", _MINE, InboxItem.archived_at.is_null(False)),
    ("snoozed", _MINE, InboxItem.snoozed_until.is_null(False)),
    ("due", (InboxItem.snoozed_until,), InboxItem.snoozed_until.is_null(False)),
    (
        "group",
        (InboxItem.user_id, InboxItem.group_key, InboxItem.notification),
        InboxItem.group_key.is_null(False) & InboxItem.deleted_at.is_null(),
    ),
):
    InboxItem.add_index(InboxItem.index(*_columns, name=f"notiway_inbox_item_{_name}", where=_where))


class InboxCursor(Table):
    """How far broadcasts have been pulled into a user's inbox, and how often the user changed something there."""

    user_id = peewee.CharField(primary_key=True, max_length=200)
    position = peewee.BigIntegerField()  # every broadcast before it is in the inbox
    changes = peewee.BigIntegerField(constraints=[peewee.SQL("DEFAULT 0")])

    class Meta:
        table_name = "notiway_inbox_cursor"


class Counter(Table):
    """A number that only rises."""

    name = peewee.CharField(primary_key=True, max_length=40)
    value = peewee.BigIntegerField()

    class Meta:
        table_name = "notiway_counter"


class ApiKey(Table):
    """A producer's key; only its hash is stored."""

    id = peewee.CharField(primary_key=True, max_length=36)
    name = peewee.CharField(unique=True)
    hash = peewee.CharField(unique=True)
    scopes = JSONText()
    created_at = peewee.BigIntegerField(default=now_ms)
    last_used_at = peewee.BigIntegerField(null=True)
    revoked_at = peewee.BigIntegerField(null=True)

    class Meta:
        table_name = "notiway_api_key"


class SpentToken(Table):
    """A token that works once and was used: kept until it would have ended anyway."""

    id = peewee.CharField(primary_key=True, max_length=64)
    expires_at = peewee.BigIntegerField(index=True)

    class Meta:
        table_name = "notiway_spent_token"


class SpentId(Table):
    """An id that was used for a notification which is stored no more (store/spent_ids.py)."""

    publisher = peewee.CharField()
    dedupe_key = peewee.CharField()
    notification_id = peewee.CharField(max_length=36)
    audience = peewee.CharField(max_length=420)
    name = peewee.CharField()
    spent_at = peewee.BigIntegerField(index=True)

    class Meta:
        table_name = "notiway_spent_id"
        primary_key = peewee.CompositeKey("publisher", "dedupe_key")


class TokenEnd(Table):
    """Client tokens of a user that were issued up to this moment are over."""

    user_id = peewee.CharField(primary_key=True, max_length=200)
    ended_at = peewee.BigIntegerField()

    class Meta:
        table_name = "notiway_token_end"


class AuditEntry(Table):
    """What staff did: one row for each send and recall, never changed."""

    id = peewee.CharField(primary_key=True, max_length=36)
    at = peewee.BigIntegerField(default=now_ms)
    actor_id = peewee.CharField(max_length=200)
    action = peewee.CharField(max_length=20)
    notification_id = peewee.CharField(max_length=36, null=True, index=True)
    audience = peewee.CharField(max_length=420)
    form_key = peewee.CharField(max_length=36, null=True, unique=True)  # of the form that was sent: it counts once
    details = JSONText()

    class Meta:
        table_name = "notiway_audit"
        indexes = ((("action", "id"), False),)


class Task(Table):
    """A long job of one user, as it was last reported."""

    id = peewee.CharField(primary_key=True, max_length=200)
    user_id = peewee.CharField(max_length=200)
    audience = peewee.CharField(max_length=420)  # who hears of it
    name = peewee.CharField()  # of the events that report it
    status = peewee.CharField(max_length=20)
    done = peewee.BigIntegerField()
    total = peewee.BigIntegerField()  # 0: not known
    message = peewee.TextField()
    created_at = peewee.BigIntegerField(default=now_ms)
    updated_at = peewee.BigIntegerField(default=now_ms, index=True)
    title = peewee.CharField(null=True, max_length=200)

    class Meta:
        table_name = "notiway_task"
        indexes = ((("user_id", "name", "updated_at"), False),)
