"""Rows: what is there for a user, and the item that a row becomes."""

import pytest
from fresh import fresh_database

from notiway.store.rows import FROM_INBOX, FROM_UNREAD, SEVERAL, VISIBLE, read_items
from notiway.store.tables import InboxItem, Notification
from notiway.values.item import Item

NOW = 1_800_000_000_000
EVERY_FIELD = {
    "audience": "group:admins", "name": "disk-full", "type": "error", "priority": "urgent", "title": "Ünï 🔔",
    "message": "'; --", "created_at": 1, "body": {"n": [1, None, "ü"]}, "action_url": "/disk", "group_key": "g",
    "source": "s", "actor": "a", "producer": "p", "expires_at": 2**41, "dedupe_key": "k", "sent_at": 2,
    "details": {"icon": "truck"}, "answer": {"status": "done"},
}  # fmt: skip
UNREAD = f"{FROM_UNREAD} AND i.read_at IS NULL AND i.deleted_at IS NULL"
STATE = {"seen_at": 3, "read_at": 4, "deleted_at": 5}


@pytest.fixture(autouse=True)
def database(place):
    with fresh_database(place) as opened:
        yield opened


def add(notification_id="n", user_id="ada", state=(), **values):
    Notification.create(**{"id": notification_id, "audience": f"user:{user_id}", "title": "Hi", **values})
    InboxItem.create(user_id=user_id, notification=notification_id, **dict(state))


def visible(user_id="ada", source=FROM_INBOX):
    found = read_items(f"{source} AND {VISIBLE} ORDER BY n.id", (user_id, NOW))
    return [item.id for item in found]


def test_every_column_comes_back_in_its_field():
    add(state=STATE, **EVERY_FIELD)
    assert read_items(FROM_INBOX, ("ada",)) == [Item(id="n", persisted=True, **EVERY_FIELD, **STATE)]


def test_what_was_never_set_is_none():
    add()
    (item,) = read_items(FROM_INBOX, ("ada",))
    unset = ("body", "action_url", "group_key", "source", "actor", "producer", "expires_at", "dedupe_key", "sent_at")
    assert {getattr(item, name) for name in (*unset, *STATE)} == {None}


def test_of_a_notification_to_several_each_sees_itself_addressed():
    add(audience=SEVERAL)
    InboxItem.create(user_id="bob", notification="n")
    assert [item.audience for user_id in ("ada", "bob") for item in read_items(FROM_INBOX, (user_id,))] == [
        "user:ada",
        "user:bob",
    ]


@pytest.mark.parametrize(
    ("values", "there"),
    [
        ({}, True),
        ({"expires_at": NOW + 1}, True),
        ({"expires_at": NOW}, False),
        ({"recalled_at": 1}, False),
        ({"recalled_at": 1, "expires_at": NOW + 1}, False),
    ],
)
@pytest.mark.parametrize("source", [FROM_INBOX, UNREAD], ids=["inbox", "unread"])
def test_what_is_recalled_or_over_is_not_there(values, there, source):
    add(**values)
    assert visible(source=source) == (["n"] if there else [])


def test_nobody_reads_another_users_rows():
    add("mine")
    add("theirs", "bob")
    assert (visible(), visible("bob"), visible("cy")) == (["mine"], ["theirs"], [])
