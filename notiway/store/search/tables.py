"""Tables of the search catalogue (search/catalogue.py)."""

from __future__ import annotations

import peewee

from notiway.store.database import Table
from notiway.store.tables import Notification


class SearchInbox(Table):
    """A large inbox that is searched: the catalogue lists it (store/search/catalogue.py)."""

    user_id = peewee.CharField(primary_key=True, max_length=200)
    asked_at = peewee.BigIntegerField()

    class Meta:
        table_name = "notiway_search_inbox"


class SearchEntry(Table):
    """One item of such an inbox; what it is found by stands under its number, in a table of the database's own kind."""

    number = peewee.BigAutoField()
    user_id = peewee.CharField(max_length=200)
    notification = peewee.ForeignKeyField(Notification, on_delete="CASCADE", column_name="notification_id", index=False)

    class Meta:
        table_name = "notiway_search_entry"
        indexes = ((("notification", "user_id"), True), (("user_id", "number"), False))
