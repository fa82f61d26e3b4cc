"""The table of what users have said about how notifications may ask for attention."""

from __future__ import annotations

import peewee

from notiway.store.database import Table


class AttentionSettings(Table):
    """One user who has changed something. `settings` is JSON: what differs from the defaults."""

    user_id = peewee.CharField(primary_key=True, max_length=200)
    revision = peewee.BigIntegerField()  # rises with each change
    settings = peewee.TextField()

    class Meta:
        table_name = "notiway_attention"
