"""Inbox: one user's list, count and changes; nobody else's."""

import pytest
from fresh import verbs
from peewee import SQL

from notiway.store import inbox, membership, sql
from notiway.store.database import db
from notiway.store.log import counting, resuming
from notiway.store.search import finding, walking
from notiway.store.tables import InboxCursor, InboxItem, Notification
from notiway.values.audience import Audience
from notiway.values.clock import moment, now_ms
from notiway.values.errors import NotFound
from notiway.values.ids import id_floor, new_id
from notiway.verbs.send import send_notification

EVERYONE = Audience.everyone()
ADMINS = Audience.group("admins")
BAD_IDS = ["", "x", "' OR 1=1 --", "*", "0" * 36, "\x00", "\ud800", id_floor(0), "01A1FB6F-C229-72E7-B053-226348921859"]


@pytest.fixture(autouse=True)
def broker(place):
    with verbs(place) as notebook:
        yield notebook


def send(to, title="Hi", *args, **options):
    return send_notification(to, title, *args, **options).id


def titles(user_id="ada", **filters):
    return [item.title for item in inbox.feed(user_id, **filters).items]


def everything():
    """All that is stored about inboxes, to see that nothing changed."""
    return sorted(InboxItem.select().tuples())


# What a user sees


@pytest.mark.parametrize("raw", ["{", "", '{"a": NaN}', '{"a":' * 900 + "1" + "}" * 900], ids=range(4))
def test_a_stored_body_that_cannot_be_read_costs_the_body_and_nothing_else(raw, caplog):
    broken = send("ada", "Broken", body={"a": 1})
    whole = send("ada", "Whole", body={"a": 2})
    Notification.update(body=SQL(db.param, [raw])).where(Notification.id == broken).execute()
    assert titles() == ["Whole", "Broken"]
    assert [item.body for item in resuming.page("ada", resuming.beginning(), 9).items] == [None, {"a": 2}]
    assert inbox.mark_read("ada", [broken, whole])
    assert broken in caplog.text


def test_the_feed_is_newest_first_and_only_the_users():
    for title in "abc":
        send("ada", title)
    send("bob", "not hers")
    assert titles() == ["c", "b", "a"]
    assert titles("bob") == ["not hers"]
    assert titles("nobody") == []


def test_an_item_carries_all_that_was_sent():
    sent = send_notification(
        "ada", "T", "M", type="error", priority="urgent", name="disk-full", action_url="/d", group_key="g",
        source="s", actor="a", body={"n": [1]},
    )  # fmt: skip
    item = inbox.get("ada", sent.id)
    assert (item.title, item.message, item.type, item.priority, item.name) == ("T", "M", "error", "urgent", "disk-full")
    assert (item.action_url, item.group_key, item.source, item.actor, item.body) == ("/d", "g", "s", "a", {"n": [1]})
    assert (item.audience, item.producer, item.persisted, item.is_read) == ("user:ada", "app", True, False)


def test_each_of_several_users_sees_itself_addressed():
    sent = send(["ada", "bob"])
    assert inbox.get("ada", sent).audience == "user:ada"
    assert inbox.get("bob", sent).audience == "user:bob"


def test_pages_follow_each_other_without_gap_or_double():
    sent = [send("ada", str(number)) for number in range(7)]
    seen, cursor = [], None
    for _ in range(4):
        page = inbox.feed("ada", before=cursor, limit=3)
        seen += [item.id for item in page.items]
        send("ada", "arrives meanwhile")
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == sent[::-1]


def test_a_page_that_is_just_full_is_the_last_one():
    for _ in range(3):
        send("ada")
    assert inbox.feed("ada", limit=3).next_cursor is None


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["d", "c", "b", "a"]),
        ({"state": "unread"}, ["d", "c", "b"]),
        ({"state": "read"}, ["a"]),
        ({"type": "error"}, ["c", "b"]),
        ({"source": "billing"}, ["b"]),
        ({"priority": "urgent"}, ["d"]),
        ({"type": "error", "state": "unread", "source": "billing"}, ["b"]),
        ({"type": "' OR 1=1 --"}, []),
    ],
)
def test_filters_are_combined(filters, expected):
    inbox.mark_read("ada", [send("ada", "a")])
    send("ada", "b", type="error", source="billing")
    send("ada", "c", type="error")
    send("ada", "d", priority="urgent")
    assert titles(**filters) == expected


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("invoice", True),
        ("INVOICE", True),
        ("paid $5", True),
        ("100%", True),
        ("100_", False),
        ("1%0", False),
        ("under_score", True),
        ("underXscore", False),
        ("back\\slash", True),
        ("Ärger", True),
        ("x' OR 'a'='a", False),
        ("message", False),
    ],
)
def test_text_is_looked_for_as_it_is_written(text, found):
    send("ada", "Invoice 100% Ärger", "John paid $500 under_score back\\slash")
    assert bool(titles(text=text)) is found


def test_sources_are_those_of_the_users_items():
    for source in ("b", "a", "b"):
        send("ada", source=source)
    send("bob", source="his")
    send("ada")
    assert finding.sources("ada") == ["a", "b"]


# One definition of "there": list, count, replay and actions


def expire(notification_id):
    Notification.update(expires_at=now_ms() - 1).where(Notification.id == notification_id).execute()


def recall(notification_id):
    Notification.update(recalled_at=now_ms()).where(Notification.id == notification_id).execute()


HIDE = {"deleted": lambda one: inbox.delete("ada", [one]), "expired": expire, "recalled": recall}


@pytest.mark.parametrize("hide", HIDE.values(), ids=HIDE)
@pytest.mark.parametrize("to", ["ada", EVERYONE], ids=["pushed", "pulled"])
def test_what_is_hidden_is_hidden_everywhere(hide, to):
    _, gone, _ = (send(to, title) for title in ("first", "gone", "last"))
    inbox.catch_up("ada")
    hide(gone)
    assert titles() == titles(state="unread") == ["last", "first"]
    assert inbox.unread_count("ada") == inbox.unread_counts(["ada"])["ada"] == 2
    assert inbox.catch_up("ada") == 0
    for look in (inbox.get, lambda user_id, one: inbox.mark_read(user_id, [one])):
        with pytest.raises(NotFound):
            look("ada", gone)


@pytest.mark.parametrize("hide", [expire, recall])
def test_what_is_hidden_before_it_is_pulled_is_never_pulled(hide):
    hide(send(EVERYONE))
    assert inbox.catch_up("ada") == 0
    assert everything() == []


def test_list_count_and_many_counts_agree_in_every_state():
    sent = [send(to, str(number)) for number, to in enumerate(["ada", EVERYONE, ["ada", "bob"], ADMINS] * 6)]
    membership.join("ada", ADMINS)
    inbox.catch_up("ada")
    steps = [
        lambda: inbox.mark_read("ada", sent[0:4]),
        lambda: inbox.delete("ada", sent[2:7]),
        lambda: expire(sent[8]),
        lambda: recall(sent[9]),
        lambda: inbox.mark_unread("ada", sent[1:2]),
        lambda: inbox.restore("ada", sent[3:5]),
        lambda: inbox.mark_all_read("ada", sent[12]),
        lambda: send("ada", "one more"),
        lambda: inbox.mark_all_read("ada"),
    ]
    for step in steps:
        step()
        unread = [item for item in inbox.feed("ada", limit=100).items if not item.is_read]
        count = inbox.unread_count("ada")
        assert count == len(unread) == len(titles(state="unread", limit=100)) == inbox.unread_counts(["ada"])["ada"]


@pytest.mark.parametrize(("sent", "count"), [(0, 0), (1, 1), (99, 99), (100, 100), (130, 100)])
def test_the_count_is_capped(sent, count):
    for _ in range(sent):
        row = Notification.create(id=new_id(), audience="user:ada", title="Hi")
        InboxItem.create(user_id="ada", notification=row)
    assert inbox.unread_count("ada") == count
    assert inbox.unread_counts(["ada"]) == {"ada": count}


def test_many_counts_are_each_users_own():
    send(["ada", "bob"])
    send("bob")
    assert inbox.unread_counts(["ada", "bob", "cy", "' OR 1=1 --"]) == {"ada": 1, "bob": 2, "cy": 0, "' OR 1=1 --": 0}
    assert inbox.unread_counts([]) == {}


# Broadcasts are pulled


@pytest.mark.parametrize(
    "audience", [EVERYONE, Audience.tenant("acme"), ADMINS, Audience.group("admins", "acme")], ids=lambda each: each.key
)
def test_a_broadcast_is_one_row_until_its_members_look(audience):
    for user_id in ("ada", "bob"):
        if audience != EVERYONE:
            membership.join(user_id, audience)
    sent = send(audience)
    assert Notification.select().count() == 1
    assert everything() == []
    assert inbox.catch_up("ada") == 1
    assert inbox.catch_up("ada") == 0
    assert [row.user_id for row in InboxItem.select()] == ["ada"]
    assert [item.id for item in inbox.feed("bob").items] == [sent]
    assert Notification.select().count() == 1


@pytest.mark.parametrize("audience", [Audience.tenant("acme"), ADMINS, Audience.group("admins", "acme")])
def test_a_broadcast_is_pulled_by_its_members_only(audience):
    membership.join("bob", audience)
    membership.join("ada", Audience.group("other"))
    send(audience)
    assert titles("ada") == []
    assert titles("bob") == ["Hi"]


def test_the_list_pulls_by_itself():
    send("ada", "before")
    send(EVERYONE, "one")
    assert titles() == ["one", "before"]


@pytest.mark.parametrize("change", [inbox.get_many, inbox.mark_read, inbox.mark_unread, inbox.delete, inbox.restore])
def test_a_broadcast_that_the_user_has_not_looked_for_yet_is_found_by_its_id(change):
    """A link in a message, or a client that was told of it by other ways, may be the user's first look."""
    sent = send(ADMINS)
    with pytest.raises(NotFound):
        change("ada", [sent])
    membership.join("ada", ADMINS)
    assert [item.id for item in change("ada", [send(EVERYONE), sent])][1] == sent


def test_a_broadcast_that_the_user_has_not_looked_for_yet_is_seen():
    sent = send(EVERYONE)
    inbox.mark_seen("ada", [sent])
    assert inbox.get("ada", sent).seen_at is not None


def test_a_broadcast_that_was_deleted_does_not_come_back_even_when_the_cursor_is_lost():
    gone = send(EVERYONE)
    inbox.catch_up("ada")
    inbox.delete("ada", [gone])
    assert inbox.catch_up("ada") == 0
    InboxCursor.delete().execute()
    assert inbox.catch_up("ada") == 0
    assert titles() == []


def test_many_broadcasts_are_pulled_at_once():
    for number in range(30):
        send(EVERYONE, str(number))
    assert inbox.catch_up("ada") == 30
    assert len(inbox.feed("ada", limit=50).items) == 30


def test_the_newest_id_is_the_users():
    assert inbox.newest_id("ada") == ""
    first = send("ada")
    send("bob")
    assert inbox.newest_id("ada") == first


# Changes

CHANGES = {
    "mark_read": inbox.mark_read,
    "mark_unread": inbox.mark_unread,
    "mark_seen": inbox.mark_seen,
    "delete": inbox.delete,
    "restore": inbox.restore,
    "get_many": inbox.get_many,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("with_own", [False, True], ids=["alone", "among one's own"])
def test_another_users_id_is_not_found_and_nothing_changes(change, with_own):
    own, foreign = send("ada"), send("bob")
    inbox.mark_read("bob", [foreign])
    before = everything()
    with pytest.raises(NotFound):
        change("ada", [own, foreign] if with_own else [foreign])
    assert everything() == before


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("bad", BAD_IDS)
def test_an_id_of_nothing_is_not_found_and_nothing_changes(change, bad):
    own = send("ada")
    before = everything()
    with pytest.raises(NotFound):
        change("ada", [own, bad])
    assert everything() == before


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_of_nothing_changes_nothing(change):
    send("ada")
    before = everything()
    change("ada", [])
    assert everything() == before


def test_a_change_touches_the_users_copy_only():
    sent = send(["ada", "bob"])
    for change in (inbox.mark_read, inbox.mark_seen, inbox.delete):
        change("ada", [sent])
    his = inbox.get("bob", sent)
    assert (his.read_at, his.seen_at, his.deleted_at) == (None, None, None)


def test_reading_twice_keeps_the_first_time(monkeypatch):
    sent = send("ada")
    monkeypatch.setattr(inbox, "now_ms", lambda: 1_000)
    inbox.mark_read("ada", [sent])
    monkeypatch.setattr(inbox, "now_ms", lambda: 2_000)
    inbox.mark_read("ada", [sent])
    inbox.mark_seen("ada", [sent])
    item = inbox.get("ada", sent)
    assert (item.read_at, item.seen_at) == (1_000, 1_000)


def test_seen_is_not_read():
    sent = send("ada")
    inbox.mark_seen("ada", [sent])
    item = inbox.get("ada", sent)
    assert item.seen_at is not None
    assert not item.is_read
    assert inbox.unread_count("ada") == 1


def test_unread_again_stays_seen():
    sent = send("ada")
    inbox.mark_read("ada", [sent])
    inbox.mark_unread("ada", [sent])
    item = inbox.get("ada", sent)
    assert (item.is_read, item.seen_at is None) == (False, False)


def test_restoring_brings_an_item_back_as_it_was():
    sent = send("ada")
    inbox.mark_read("ada", [sent])
    inbox.delete("ada", [sent])
    inbox.delete("ada", [sent])
    assert titles() == []
    (item,) = inbox.restore("ada", [sent])
    assert item.is_read
    assert item.deleted_at is None
    assert titles() == ["Hi"]


@pytest.mark.parametrize("hide", [expire, recall])
def test_what_is_over_cannot_be_restored(hide):
    sent = send("ada")
    inbox.delete("ada", [sent])
    hide(sent)
    with pytest.raises(NotFound):
        inbox.restore("ada", [sent])


def test_marking_all_up_to_a_cutoff_leaves_what_came_later_unread():
    sent = [send("ada", str(number)) for number in range(4)]
    inbox.mark_all_read("ada", sent[1])
    assert titles(state="unread") == ["3", "2"]
    assert titles(state="read") == ["1", "0"]


def test_marking_all_without_a_cutoff_marks_all_of_the_user():
    send(["ada", "bob"])
    send("ada")
    inbox.mark_all_read("ada")
    assert (inbox.unread_count("ada"), inbox.unread_count("bob")) == (0, 1)


def test_marking_all_does_not_touch_what_is_read_or_deleted(monkeypatch):
    read, deleted = send("ada"), send("ada")
    monkeypatch.setattr(inbox, "now_ms", lambda: 1_000)
    inbox.mark_read("ada", [read])
    inbox.delete("ada", [deleted])
    monkeypatch.setattr(inbox, "now_ms", lambda: 2_000)
    inbox.mark_all_read("ada")
    rows = {row.notification_id: (row.read_at, row.deleted_at) for row in InboxItem.select()}
    assert rows == {read: (1_000, None), deleted: (None, 1_000)}


def test_several_items_come_in_the_order_they_were_asked_for_and_once():
    first, second = send("ada", "1"), send("ada", "2")
    assert [item.id for item in inbox.get_many("ada", [second, first, second])] == [second, first]


# Bounded: what a large inbox asks for is done in parts


@pytest.fixture
def pauses(monkeypatch):
    """How often others could run."""
    seen = []
    for module in (inbox, walking, sql):
        monkeypatch.setattr(module, "pause", lambda *seconds: seen.append(db.in_transaction()))
    return seen


def fill(count, user_id="ada"):
    """An inbox with one item in five that is rare, one in three read, and one in seven deleted."""
    ids = [id_floor(1_700_000_000_000 + number) for number in range(count)]
    now = now_ms()
    Notification.insert_many(
        [
            {"id": each, "audience": f"user:{user_id}", "title": "rare" if number % 5 == 0 else "common",
             "source": f"s{number % 4}", "created_at": now}
            for number, each in enumerate(ids)
        ]
    ).execute()  # fmt: skip
    InboxItem.insert_many(
        [
            {"user_id": user_id, "notification": each, "read_at": now if number % 3 == 0 else None,
             "deleted_at": now if number % 7 == 0 else None, "created_at": now}
            for number, each in enumerate(ids)
        ]
    ).execute()  # fmt: skip
    return ids


@pytest.mark.parametrize("filters", [
    {}, {"text": "rare"}, {"state": "unread", "text": "rare"}, {"state": "read"}, {"source": "s1", "text": "common"},
    {"text": "nothing has this"}, {"source": "s9"}, {"type": "error"}, {"priority": "medium", "text": "RARE"},
])  # fmt: skip
@pytest.mark.parametrize("walk", [1, 7, 60, 1000])
def test_a_search_looks_through_the_inbox_in_parts_and_finds_the_same(monkeypatch, pauses, filters, walk):
    fill(200)
    monkeypatch.setattr(walking, "PARTS", 1_000)
    monkeypatch.setattr(walking, "WORK_SECONDS", 1_000.0)
    monkeypatch.setattr(walking, "WALK", 100_000)
    expected, before = [], None
    while before is not None or not expected:
        page = inbox.feed("ada", limit=9, before=before, **filters)
        expected.append((page.items, page.next_cursor))
        before = page.next_cursor
        if before is None:
            break
    assert pauses == []
    monkeypatch.setattr(walking, "WALK", walk)
    found, before = [], None
    for _ in expected:
        page = inbox.feed("ada", limit=9, before=before, **filters)
        found.append((page.items, page.next_cursor))
        before = page.next_cursor
    assert found == expected
    if walk == 7 and filters:
        assert pauses


def test_what_needs_no_search_is_one_statement(monkeypatch, pauses):
    fill(100)
    monkeypatch.setattr(walking, "WALK", 5)
    assert len(inbox.feed("ada", limit=20).items) == 20
    assert len(inbox.feed("ada", state="unread", limit=20).items) == 20
    assert pauses == []


@pytest.mark.parametrize("cutoff", [None, 60])
@pytest.mark.parametrize("batch", [1, 7, 1000])
def test_everything_is_marked_in_parts_and_all_or_nothing(monkeypatch, pauses, cutoff, batch):
    monkeypatch.setattr(inbox, "MARK_BATCH", batch)
    ids = fill(100)
    fill(0)
    send("bob", "not hers")
    before = ids[cutoff] if cutoff is not None else None
    with db.atomic():
        inbox.mark_all_read("ada", before)
    left = InboxItem.select().where(
        (InboxItem.user_id == "ada") & InboxItem.read_at.is_null() & InboxItem.deleted_at.is_null()
    )
    expected = [each for number, each in enumerate(ids) if number % 3 and number % 7 and before and each > before]
    assert sorted(row.notification_id for row in left) == expected
    assert inbox.unread_count("bob") == 1
    assert (len(pauses) > 3) is (batch < 10)


def test_without_a_transaction_of_the_caller_all_is_marked_or_nothing(monkeypatch):
    monkeypatch.setattr(inbox, "MARK_BATCH", 5)
    fill(60)
    before = everything()

    def fail():
        raise KeyboardInterrupt

    monkeypatch.setattr(inbox, "pause", fail)
    with pytest.raises(KeyboardInterrupt):
        inbox.mark_all_read("ada")
    assert everything() == before


def test_the_sources_are_those_of_the_newest_items(monkeypatch):
    ids = fill(100)
    assert finding.sources("ada") == ["s0", "s1", "s2", "s3"]
    monkeypatch.setattr(finding, "SOURCES_OF", 3)
    newest = [ids[number] for number in (99, 97, 96)]  # 98 is deleted
    Notification.update(source="newest").where(Notification.id.in_(newest)).execute()
    assert finding.sources("ada") == ["newest"]


@pytest.mark.parametrize(
    ("change", "column"), [(inbox.delete, "deleted_at"), (inbox.mark_read, "read_at"), (inbox.mark_seen, "seen_at")]
)
def test_what_was_done_before_keeps_its_time(change, column, monkeypatch):
    """When a deleted item goes for good is reckoned from the first deletion."""
    sent = send("ada")
    for later in (1_000, 2_000):
        monkeypatch.setattr(inbox, "now_ms", lambda later=later: now_ms() + later)
        change("ada", [sent])
        if later == 1_000:
            first = getattr(InboxItem.get(), column)
    assert first is not None
    assert getattr(InboxItem.get(), column) == first


def test_what_ends_at_this_very_moment_is_over(monkeypatch):
    ends = now_ms() + 60_000
    send("ada", expires_at=moment(ends))
    counts = []
    for at in (ends - 1, ends):
        monkeypatch.setattr(counting, "now_ms", lambda at=at: at)
        counts.append(inbox.unread_count("ada"))
    assert counts == [1, 0]
