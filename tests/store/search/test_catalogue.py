"""Catalogue: an inbox that was searched is listed, and a search finds by it what a walk through everything finds."""

from __future__ import annotations

import pytest
from fresh import verbs

from notiway.store import inbox, membership, retention
from notiway.store.database import db
from notiway.store.search import catalogue, walking
from notiway.store.search.tables import SearchEntry, SearchInbox
from notiway.store.sql import has_one_writer, run
from notiway.store.tables import Notification
from notiway.values.audience import Audience
from notiway.values.clock import DAY_MS, now_ms
from notiway.verbs.recall import recall
from notiway.verbs.send import send_notification

ADA, GROUP = Audience.user("ada"), Audience.group("g")


@pytest.fixture(autouse=True)
def broker(place, monkeypatch):
    monkeypatch.setattr(walking, "WALK", 2)
    monkeypatch.setattr(walking, "PARTS", 2)  # a search that is not helped sees the four newest
    monkeypatch.setattr(catalogue, "PAUSE_SECONDS", 0.0)
    with verbs(place) as notebook:
        yield notebook


def send(*titles, to=ADA, **options):
    return [send_notification(to, title, **options).id for title in titles]


def titles(user_id="ada", **filters):
    page = inbox.feed(user_id, **filters)
    return [item.title for item in page.items], page.next_cursor


def entries(user_id="ada"):
    return SearchEntry.select().where(SearchEntry.user_id == user_id).count()


def words_left():
    """How often a token of `rare` stands in the catalogue, gone or not."""
    if has_one_writer():
        return run("SELECT COUNT(*) FROM notiway_search_words WHERE notiway_search_words MATCH ?", (RARE,)).fetchone()[
            0
        ]
    return entries()


RARE = f'"{catalogue.tokens._number("rar"):x}"'


@pytest.fixture
def listed():
    """Ada has searched her inbox of a dozen, of which the oldest is rare."""
    sent = send("rare needle", *(f"common {number}" for number in range(11)))
    assert titles(text="needle")[0] == []
    assert catalogue.follow() == 12
    return sent


def test_the_first_search_ends_early_and_the_next_finds_everything(listed):
    assert titles(text="needle") == (["rare needle"], None)
    assert titles(text="NEEDLE rare") == (["rare needle"], None)
    assert titles(text="nowhere") == ([], None)
    assert titles(text="common", limit=3)[0] == ["common 10", "common 9", "common 8"]


def test_an_inbox_that_one_search_sees_to_its_end_is_not_listed():
    send("one", "two", "three")
    assert titles(text="needle") == ([], None)
    assert SearchInbox.select().count() == catalogue.follow() == entries() == 0


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"type": "error"}, ["an error"]),
        ({"priority": "urgent"}, ["urgent"]),
        ({"source": "audit"}, ["from audit"]),
        ({"source": "audit", "text": "from"}, ["from audit"]),
        ({"source": "audit", "type": "error"}, []),
        ({"state": "unread", "type": "error"}, []),
        ({"state": "read", "type": "error"}, ["an error"]),
    ],
)
def test_every_filter_finds_by_the_catalogue(filters, found):
    (error,) = send("an error", type="error")
    send("urgent", priority="urgent")
    send("from audit", source="audit")
    send(*(f"common {number}" for number in range(9)))
    inbox.mark_read("ada", [error])
    catalogue.ask("ada")
    catalogue.follow()
    assert titles(**filters) == (found, None)


def test_pages_of_what_the_catalogue_finds_neither_repeat_nor_skip(listed):
    send(*(f"more {number}" for number in range(9)))
    seen, cursor = [], None
    while True:
        page = inbox.feed("ada", text="common", limit=2, before=cursor)
        seen += [item.title for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == [f"common {number}" for number in range(10, -1, -1)]


def test_what_came_since_is_found_before_it_is_listed_and_after(listed):
    send("a later needle", *(f"newer {number}" for number in range(6)))
    assert titles(text="needle") == (["a later needle", "rare needle"], None)
    assert catalogue.follow() == 7
    assert titles(text="needle") == (["a later needle", "rare needle"], None)
    assert catalogue.follow() == 0


def test_what_came_late_with_an_old_id_is_found(listed, monkeypatch):
    send("for the group: needle", to=GROUP)
    send(*(f"newer {number}" for number in range(6)))
    catalogue.follow()
    assert titles(text="needle") == (["rare needle"], None)
    membership.join("ada", GROUP)
    assert titles(text="needle") == (["for the group: needle", "rare needle"], None)
    assert catalogue.follow() == 1
    assert titles(text="needle") == (["for the group: needle", "rare needle"], None)


def test_a_broadcast_that_nobody_has_pulled_yet_is_listed(listed):
    send("needle for all", to=Audience.everyone())
    assert catalogue.follow() == 1
    send(*(f"newer {number}" for number in range(6)))
    assert titles(text="needle") == (["needle for all", "rare needle"], None)


def test_one_broadcast_is_listed_for_each_inbox_that_is_searched(listed):
    send("needle for all", to=Audience.everyone())
    send(*(f"his {number}" for number in range(9)), to=Audience.user("bob"))
    catalogue.ask("bob")
    assert catalogue.follow() == 1 + 10
    send("not hers: needle", to=Audience.user("bob"))
    assert titles("bob", text="needle") == (["not hers: needle", "needle for all"], None)
    assert titles(text="needle") == (["needle for all", "rare needle"], None)


@pytest.mark.parametrize("how", ["deleted", "expired", "recalled"])
def test_what_is_not_there_any_more_is_not_found(listed, how):
    if how == "deleted":
        inbox.delete("ada", listed[:1])
    elif how == "expired":
        Notification.update(expires_at=1).where(Notification.id == listed[0]).execute()
    else:
        recall(listed[0], by="staff")
    assert titles(text="needle") == ([], None)
    if how == "deleted":
        inbox.restore("ada", listed[:1])
        assert titles(text="needle") == (["rare needle"], None)


def test_the_cleanup_takes_out_what_it_removes(listed):
    Notification.update(expires_at=1).where(Notification.id == listed[0]).execute()
    assert words_left() > 0
    retention.clean_expired()
    assert entries() == 11
    assert titles(text="needle") == ([], None)
    if has_one_writer():
        assert words_left() == 0
    retention.clean_up(0, now=now_ms() + 1_000)
    assert entries() == 0
    send("rare needle", *(f"common {number}" for number in range(11)))
    assert catalogue.follow() == 12, "it begins anew"
    assert titles(text="needle") == (["rare needle"], None)


def test_without_the_newest_entries_it_goes_on_where_the_last_one_is(listed):
    for each in listed[-3:]:
        Notification.delete().where(Notification.id == each).execute()  # by other hands
    send("again", "a needle", *(f"newer {number}" for number in range(6)))
    assert catalogue.follow() == 8
    assert titles(text="needle") == (["a needle", "rare needle"], None)


def test_an_inbox_that_is_not_searched_any_more_leaves(listed):
    long_ago = now_ms() - (catalogue.KEPT_DAYS + 1) * DAY_MS
    SearchInbox.update(asked_at=long_ago).execute()
    assert catalogue.follow() == 0
    assert entries() == SearchInbox.select().count() == 0
    if has_one_writer():
        assert words_left() == 0
    assert titles(text="needle")[0] == [], "it is asked for again"
    assert catalogue.follow() == 12
    assert titles(text="needle") == (["rare needle"], None)


def test_a_search_keeps_its_inbox_listed(listed):
    SearchInbox.update(asked_at=now_ms() - 2 * DAY_MS).execute()
    titles(text="needle")
    assert SearchInbox.get().asked_at > now_ms() - DAY_MS
    before = SearchInbox.get().asked_at
    titles(text="needle")
    assert SearchInbox.get().asked_at == before, "once a day is enough"


def test_where_too_much_is_not_listed_yet_a_walk_answers(listed, monkeypatch):
    monkeypatch.setattr(catalogue, "UNLISTED", 3)
    sent = send(*(f"newer {number}" for number in range(4)))
    assert titles(text="needle") == ([], sent[0])
    catalogue.follow()
    assert titles(text="needle") == (["rare needle"], None)


def test_where_too_much_may_pass_a_walk_answers(listed, monkeypatch):
    monkeypatch.setattr(catalogue, "LISTED", 5)
    assert titles(text="common", state="read") == ([], listed[-4])
    assert titles(text="needle") == (["rare needle"], None)


@pytest.mark.parametrize(("size", "window", "most"), [(1, 1, 1), (5, 3, 60), (100, 50_000, 8_000)])
def test_parts_of_any_size_list_the_same(monkeypatch, size, window, most):
    for name, value in (("SLICE", size), ("WINDOW", window), ("TOKENS", most)):
        monkeypatch.setattr(catalogue, name, value)
    send("rare needle", *(f"common {number}" for number in range(5)), "a needle", *(f"new {n}" for n in range(5)))
    catalogue.ask("ada")
    assert catalogue.follow() == 12
    assert titles(text="needle") == (["a needle", "rare needle"], None)


def test_one_run_lists_so_many_and_the_next_goes_on(monkeypatch):
    monkeypatch.setattr(catalogue, "SLICE", 2)
    monkeypatch.setattr(catalogue, "AT_ONCE", 5)
    for name in ("ada", "bob"):
        send("rare needle", *(f"common {number}" for number in range(5)), to=Audience.user(name))
        catalogue.ask(name)
    assert [catalogue.follow() for _ in range(4)] == [6, 6, 0, 0]
    assert titles("ada", text="needle") == titles("bob", text="needle") == (["rare needle"], None)


def test_listing_holds_no_transaction_between_two_parts(monkeypatch):
    pauses = []
    monkeypatch.setattr(catalogue, "pause", lambda *seconds: pauses.append(db.in_transaction()))
    monkeypatch.setattr(catalogue, "SLICE", 3)
    send(*(f"common {number}" for number in range(12)))
    catalogue.ask("ada")
    assert catalogue.follow() == 12
    assert len(pauses) >= 4
    assert not any(pauses)


def test_without_fts5_a_search_walks(listed, monkeypatch):
    monkeypatch.setattr(catalogue, "is_ready", lambda: False)
    assert titles(text="needle")[0] == []
    assert catalogue.follow() == 0
    Notification.update(expires_at=1).where(Notification.id == listed[0]).execute()
    assert retention.clean_expired().expired == 1


def test_a_database_that_cannot_be_written_is_searched_all_the_same(monkeypatch, caplog):
    send(*(f"common {number}" for number in range(12)))
    plain = run

    def refuse(text, params=()):
        if text.startswith("INSERT"):
            raise catalogue.DatabaseUnavailable("The database only reads.", "a test")
        return plain(text, params)

    monkeypatch.setattr(catalogue, "run", refuse)
    assert titles(text="needle")[0] == []
    assert "could not be noted" in caplog.text
