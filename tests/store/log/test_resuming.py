"""Resuming: a reader that was away ends with everything, once, whatever committed when and however it pages."""

import base64
import json
import threading

import pytest
from flask import current_app
from fresh import verbs

from notiway.store import inbox, membership
from notiway.store.database import db
from notiway.store.log import resuming
from notiway.store.log.positions import Seen
from notiway.store.log.resuming import Cursor
from notiway.store.tables import InboxItem, Notification
from notiway.values.audience import Audience
from notiway.values.clock import now_ms
from notiway.values.ids import id_floor, new_id
from notiway.verbs.send import send_notification

EVERYONE = Audience.everyone()
WAIT_SECONDS = 20
MOST_PAGES = 100
postgresql_only = pytest.mark.parametrize("place", ["postgresql"], indirect=True)


@pytest.fixture(autouse=True)
def broker(place):
    with verbs(place) as notebook:
        yield notebook


@pytest.fixture
def elsewhere():
    """Begins a transaction on another connection, does the work in it, and commits when what it returned is called."""
    app = current_app._get_current_object()
    threads, ends = [], []

    def start(work):
        done, may_commit = threading.Event(), threading.Event()

        def run():
            with app.app_context(), db.connection_context(), db.atomic():
                work()
                done.set()
                may_commit.wait(WAIT_SECONDS)

        thread = threading.Thread(target=run)
        thread.start()
        threads.append(thread)
        ends.append(may_commit)
        assert done.wait(WAIT_SECONDS)

        def commit():
            may_commit.set()
            thread.join(WAIT_SECONDS)

        return commit

    yield start
    for thread, end in zip(threads, ends, strict=True):
        end.set()
        thread.join(WAIT_SECONDS)


def send(title, to="ada"):
    return send_notification(to, title).id


def made_at(seconds_ago, title, to="ada"):
    """A notification whose id was made so long ago, and which is written now."""
    sent = send(title, to)
    old = id_floor(now_ms() - int(seconds_ago * 1000))[:-12] + new_id()[-12:]
    db.execute_sql("SET CONSTRAINTS ALL DEFERRED") if db.param != "?" else None
    items = list(InboxItem.select().where(InboxItem.notification == sent).dicts())
    InboxItem.delete().where(InboxItem.notification == sent).execute()
    Notification.update(id=old).where(Notification.id == sent).execute()
    for item in items:
        InboxItem.insert(**item | {"notification": old}).execute()
    return old


def read_on(text="", limit=2, between=lambda: None):
    """All pages from there: titles page by page, as a client reads them that knows the texts only."""
    pages, cursor = [], resuming.since(text)
    while len(pages) < MOST_PAGES:
        page = resuming.page("ada", cursor, limit)
        pages.append([item.title for item in page.items])
        cursor = Cursor.from_text(page.cursor.as_text())
        if not page.more:
            return pages, page.cursor.as_text()
        between()
    raise AssertionError(f"the pages have no end; the last ones are {pages[-3:]}")


# From an id, with an overlap


def test_it_begins_after_the_id_with_an_overlap_and_without_that_one():
    made_at(600, "long ago")
    made_at(150, "before the overlap")
    made_at(90, "in the overlap")
    last = made_at(40, "the last that was heard")
    send("new")
    page = resuming.page("ada", resuming.since(last), 10)
    titles = [item.title for item in page.items]
    if db.param != "?":
        assert titles.pop(0) == "before the overlap", "its transaction may have been open for long"
    assert titles == ["in the overlap", "new"]
    assert not page.more


def test_from_an_id_of_a_clock_that_is_ahead_nothing_is_missed():
    send("before")
    last = made_at(-240, "the last that was heard")
    made_at(0, "came after it")
    page = resuming.page("ada", resuming.since(last), 10)
    assert [item.title for item in page.items] == ["before", "came after it"]


def test_from_nothing_it_is_everything_oldest_first():
    send("one")
    send("two", EVERYONE)
    send("three")
    assert read_on(limit=10)[0] == [["one", "two", "three"]]


def test_what_is_hidden_is_left_out():
    _, deleted, recalled, expired = map(send, ("kept", "deleted", "recalled", "expired"))
    inbox.delete("ada", [deleted])
    Notification.update(recalled_at=1).where(Notification.id == recalled).execute()
    Notification.update(expires_at=1).where(Notification.id == expired).execute()
    assert read_on()[0] == [["kept"]]
    assert resuming.page("bob", resuming.since(""), 10).items == []


@pytest.mark.parametrize("text", ["unknown", "somebody else's"])
def test_any_id_will_do_that_says_when(text):
    send("one")
    other = new_id() if text == "unknown" else send("his", "bob")
    assert read_on(other)[0] == [["one"]]


@postgresql_only
def test_what_a_long_transaction_committed_while_the_client_was_away_is_there(elsewhere):
    commit = elsewhere(lambda: made_at(3_600, "of an hour"))
    made_at(1_800, "heard long ago")
    heard = send("heard last")
    commit()
    assert ["of an hour"] in [[title] for page in read_on(heard)[0] for title in page]


# Pages


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 50])
def test_pages_neither_repeat_nor_skip(limit):
    titles = [f"{number:02}" for number in range(20)]
    for title in titles:
        send(title, EVERYONE if int(title) % 3 == 0 else "ada")
    pages, cursor = read_on(limit=limit)
    assert [title for page in pages for title in page] == titles
    assert all(len(page) == limit for page in pages[:-1])
    assert read_on(cursor)[0] == [[]]
    send("later")
    assert read_on(cursor)[0] == [["later"]]


def test_the_pages_after_an_id_end_though_all_of_it_came_within_the_overlap():
    first = send("first")
    for number in range(9):
        send(str(number))
    pages, _ = read_on(first, limit=4)
    assert [title for page in pages for title in page] == [str(number) for number in range(9)]


def test_what_comes_while_it_is_paged_comes_at_the_end():
    for number in range(4):
        send(str(number))
    arriving = iter(["x", "y"])

    def send_another():
        for title in arriving:
            send(title, EVERYONE if title == "x" else "ada")
            return

    pages, _ = read_on(limit=2, between=send_another)
    assert [title for page in pages for title in page] == ["0", "1", "2", "3", "x", "y"]


def test_what_a_membership_brings_comes_though_it_is_older_than_the_cursor():
    send("to the group", Audience.group("g"))
    send("mine")
    _, cursor = read_on()
    membership.join("ada", Audience.group("g"))
    assert read_on(cursor)[0] == [["to the group"]]


@postgresql_only
def test_late_commits_are_neither_repeated_nor_skipped(elsewhere):
    commits = [elsewhere(lambda title=title: send(title)) for title in ("late 1", "late 2", "late 3")]
    for number in range(6):
        send(str(number))
    pages, cursor = read_on(limit=2, between=lambda: commits.pop()() if commits else None)
    told = [title for page in pages for title in page]
    assert told[:6] == [str(number) for number in range(6)], "nobody waits for a transaction that is open"
    while commits:
        commits.pop()()
    later, cursor = read_on(cursor)
    told += [title for page in later for title in page]
    assert sorted(told) == sorted([*map(str, range(6)), "late 1", "late 2", "late 3"])
    assert read_on(cursor)[0] == [[]]


@postgresql_only
def test_a_broadcast_that_commits_late_is_neither_repeated_nor_skipped(elsewhere):
    commit = elsewhere(lambda: send("late", EVERYONE))
    send("one", EVERYONE)
    first, cursor = read_on()
    commit()
    second, cursor = read_on(cursor)
    third, _ = read_on(cursor)
    assert (first, second, third) == ([["one"]], [["late"]], [[]])


# The text of a cursor


@pytest.mark.parametrize(
    "cursor",
    [
        resuming.beginning(),
        Cursor(Seen(5, 9, (6, 7))),
        Cursor(Seen(5, 9, (6, 7)), Seen(8, 8), (7, id_floor(1)), id_floor(2)),
        Cursor(Seen(2**60, 2**60 + 100, tuple(range(2**60, 2**60 + 100)))),
    ],
)
def test_a_cursor_comes_back_from_its_text(cursor):
    text = cursor.as_text()
    assert Cursor.from_text(text) == resuming.since(text) == cursor
    assert text.replace("-", "").replace("_", "").replace(".", "").isalnum()
    assert len(text) < 4_000


def forged(value):
    return "c." + base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "text",
    [
        "x", "c", "c.", "c.!!!", "c.YWJj", "c.é", id_floor(0)[:-1], "c." + "A" * 10_000, forged(None), forged([]),
        forged({}), forged([1, 2, 3, 4]), forged([[1, 1, []], None, None]), forged([[1, 1, []], None, None, None]),
        forged([[1, 1, []], None, None, "x"]), forged([["1", 1, []], None, None, ""]),
        forged([[1, True, []], None, None, ""]), forged([[1, 1, [1.5]], None, None, ""]),
        forged([[1, 1, "12"], None, None, ""]), forged([[2**63, 1, []], None, None, ""]),
        forged([[1, 1, list(range(2_000))], None, None, ""]), forged([[1, 1, []], [1], None, ""]),
        forged([[1, 1, []], None, [1], ""]), forged([[1, 1, []], None, [1, 2], ""]),
        forged([[1, 1, []], None, [1, "' OR 1=1 --"], ""]), forged([[[1], 1, []], None, None, ""]),
        "c." + base64.urlsafe_b64encode(b"[" * 5_000).decode(),
    ],
)  # fmt: skip
def test_what_is_no_cursor_is_refused(text):
    with pytest.raises(ValueError):
        resuming.since(text)
