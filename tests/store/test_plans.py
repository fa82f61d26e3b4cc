"""Plans: on 200,000 rows every statement goes through an index, and none walks over a table of ours."""

import re
import sqlite3

import pytest
from fresh import fresh_database

from notiway.store import inbox, membership, retention, writing
from notiway.store.changes import archive, presses, snoozes
from notiway.store.database import db, use_database
from notiway.store.log import positions, pulling, resuming, standing
from notiway.store.search import catalogue, finding, grouping
from notiway.values.clock import DAY_MS
from notiway.values.draft import Draft
from notiway.values.ids import id_floor

ROWS = 200_000
USERS = 200  # with a thousand items each
BROADCASTS = 2_000
FIRST_MS = 1_700_000_000_000
WALK = re.compile(r"SCAN (?:n|i|notiway_\w+)\b")
INDEXED = re.compile(r"SEARCH \S+ USING (?:COVERING )?(?:INDEX|(?:INTEGER )?PRIMARY KEY)")

NUMBERS = (
    f"WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < {ROWS + BROADCASTS - 1})"
)
ID = f"printf('%08x-%04x-7000-8000-000000000000', ({FIRST_MS} + n) >> 16, ({FIRST_MS} + n) & 65535)"
GROUP = "iif(n % 3 = 0, 'disk:' || (n / 200 % 4), NULL)"  # a third of each inbox, in four groups
NOTIFICATIONS = f"""INSERT INTO notiway_notification
    (id, audience, name, type, priority, title, message, created_at, expires_at, position, horizon,
    group_key) {NUMBERS}
    SELECT {ID}, iif(n < {ROWS}, 'user:' || n % {USERS}, 'global'), 'n', 'info', 'medium', 'title ' || n, '', n,
    iif(n % 50 = 0, n * 2, NULL), n + 1, n + 2, {GROUP} FROM numbers"""
ITEMS = f"""INSERT INTO notiway_inbox_item
    (user_id, notification_id, read_at, deleted_at, created_at, position, group_key) {NUMBERS}
    SELECT CAST(n % {USERS} AS text), {ID}, iif(n % 3, 1, NULL), iif(n % 7 = 0, 1, NULL), n, n + 1, {GROUP}
    FROM numbers WHERE n < {ROWS}"""


def nth(number):
    return id_floor(FIRST_MS + number)


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    with fresh_database(tmp_path_factory.mktemp("plans")) as opened:
        raw = opened.connection()
        raw.execute("PRAGMA foreign_keys = 0")
        raw.execute("PRAGMA synchronous = 0")
        raw.execute("BEGIN")
        raw.execute(NOTIFICATIONS)
        raw.execute(ITEMS)
        raw.execute("INSERT INTO notiway_counter VALUES ('position', ?)", (ROWS + BROADCASTS,))
        # User 6 is behind, user 7 is new, the others have everything.
        places = [(str(user), ROWS if user == 6 else ROWS + BROADCASTS + 1) for user in range(USERS) if user != 7]
        raw.executemany("INSERT INTO notiway_inbox_cursor VALUES (?, ?, 0)", places)
        raw.execute("COMMIT")
        catalogue.ask("5")
        catalogue.follow()
        opened.close_all()  # the pragmas go with this connection
        yield opened


@pytest.fixture(scope="module", params=["no statistics", "analyzed"])
def measured(large, request):
    """The same rows as the query planner sees them at first, and after an ANALYZE."""
    large.execute_sql("ANALYZE" if request.param == "analyzed" else "DROP TABLE IF EXISTS sqlite_stat1")
    large.close()  # the next connection reads the statistics anew
    return large


@pytest.fixture
def database(measured):
    use_database(measured)
    measured.connect(reuse_if_open=True)
    yield measured
    measured.close()


class Roll(Exception):
    """Undo what a statement changed, so that the next test sees the same rows."""


def statements_of(database, work):
    """The statements, values filled in, that some work executes; what it changes is rolled back."""
    seen = []
    raw = database.connection()
    try:
        with database.atomic():
            raw.set_trace_callback(seen.append)
            work()
            raise Roll
    except Roll:
        raw.set_trace_callback(None)
    about_ours = (text for text in seen if "sqlite_master" not in text)
    return [text for text in about_ours if re.match(r"\s*(SELECT|UPDATE|DELETE|INSERT)", text)]


def mine(count=3):
    """Ids in the inbox of user 5, neither deleted nor expired."""
    found = (n for n in range(5, ROWS, USERS) if n % 7 and n % 50)
    return [nth(next(found)) for _ in range(count)]


def page_two():
    everything = positions.Seen(ROWS, ROWS)
    return resuming.Cursor(positions.Seen(9, 9), everything, (ROWS // 2, nth(ROWS // 2)))


WORK = {
    "feed": lambda: inbox.feed("5"),
    "feed, next page": lambda: inbox.feed("5", before=nth(ROWS // 2)),
    "feed, unread": lambda: inbox.feed("5", state="unread"),
    "feed, archived": lambda: inbox.feed("5", state="archived"),
    "feed, archived, next page": lambda: inbox.feed("5", state="archived", before=nth(ROWS // 2)),
    "feed, snoozed": lambda: inbox.feed("5", state="snoozed"),
    "search, archived": lambda: inbox.feed("5", state="archived", text="nowhere"),
    "feed, filtered": lambda: inbox.feed("5", state="read", type="info", source="s", priority="high", text="title"),
    "groups": lambda: grouping.page("5", "all"),
    "groups, next page": lambda: grouping.page("5", "unread", before=nth(ROWS // 2)),
    "members": lambda: grouping.members("5", "disk:1", before=nth(ROWS // 2)),
    "search": lambda: inbox.feed("6", text="nowhere"),
    "search, next page": lambda: inbox.feed("6", text="nowhere", before=nth(ROWS // 2)),
    "search, listed": lambda: inbox.feed("5", text="title 10005", type="info"),
    "search, listed, unread": lambda: inbox.feed("5", state="unread", text="nowhere"),
    "listing": lambda: catalogue._list("5", 1),
    "count": lambda: inbox.unread_count("5"),
    "counts": lambda: inbox.unread_counts(["5", "6"]),
    "counts, newcomer": lambda: inbox.unread_counts(["5", "7"]),
    "arrive": lambda: inbox.arrive("5"),
    "newest id": lambda: inbox.newest_id("5"),
    "resume": lambda: resuming.page("5", resuming.after(nth(ROWS // 2)), 200),
    "resume, next page": lambda: resuming.page("5", page_two(), 200),
    "standing": lambda: standing.items("5", ["global", "user:5"]),
    "sources": lambda: finding.sources("5"),
    "get": lambda: inbox.get("5", mine()[0]),
    "mark read": lambda: inbox.mark_read("5", mine()),
    "mark unread": lambda: inbox.mark_unread("5", mine()),
    "mark seen": lambda: inbox.mark_seen("5", mine()),
    "what is known": lambda: inbox.known_among(mine()),
    "mark all": lambda: inbox.mark_all_read("5"),
    "mark all, cutoff": lambda: inbox.mark_all_read("5", nth(ROWS // 2)),
    "undo of mark all": lambda: presses.take_back("5", presses.Press(1, nth(5), nth(ROWS // 2))),
    "archive": lambda: archive.archive("5", mine()),
    "snooze": lambda: snoozes.snooze("5", mine(), 1),
    "what is due": lambda: snoozes.due(),
    "what is due next": lambda: snoozes.next_due(),
    "wake": lambda: snoozes.wake("5", mine()),
    "delete": lambda: inbox.delete("5", mine()),
    "restore": lambda: inbox.restore("5", mine()),
    "catch up": lambda: inbox.catch_up("5"),
    "catch up, behind": lambda: inbox.catch_up("6"),
    "catch up, newcomer": lambda: inbox.catch_up("7"),
    "who is behind": lambda: pulling.behind(["5", "6", "7"]),
    "guests": lambda: pulling.give_to_guests("group:g", [nth(ROWS)], ["5", "6"]),
    "join": lambda: membership.join("5", membership.Audience.group("g")),
    "subscribe": lambda: standing.pull("5", "global"),
    "the position of a moment": lambda: positions.at(FIRST_MS + 700),
    "the position before a notification": lambda: positions.before(id_floor(FIRST_MS), FIRST_MS + 700),
    "listens to": lambda: membership.listens_to("5"),
    "send": lambda: writing.deliver_to([writing.insert(Draft("Hi"), "user:5")[0].id], ["5"]),
    "send, dedupe": lambda: [writing.insert(Draft("Hi", dedupe_key="k"), "user:5") for _ in range(2)],
    "cleanup": lambda: retention.clean_up(1, now=700 + DAY_MS),
    "cleanup, expired": lambda: retention.clean_up(36_500, now=900),
    "cleanup, dry run": lambda: retention.clean_up(1, now=700 + DAY_MS, dry_run=True),
}


@pytest.mark.parametrize("work", WORK.values(), ids=WORK)
def test_each_statement_uses_an_index_and_none_walks_over_a_table(database, work):
    statements = statements_of(database, work)
    assert statements
    for statement in statements:
        plan = [row[3] for row in database.execute_sql(f"EXPLAIN QUERY PLAN {statement}").fetchall()]
        # A part that was cut out first, by an index, is read through once.
        walks = [step for step in plan if WALK.match(step) and not (step == "SCAN i" and "CO-ROUTINE i" in plan)]
        assert not walks, (statement, plan)
        if "WHERE" in statement or "MAX(" in statement:
            assert any(INDEXED.match(step) for step in plan), (statement, plan)


@pytest.mark.parametrize(
    "name",
    [
        "feed",
        "feed, next page",
        "resume",
        "resume, next page",
        "standing",
        "newest id",
        "mark all, cutoff",
        "cleanup",
    ],
)
def test_nothing_is_sorted_afterwards(database, name):
    for statement in statements_of(database, WORK[name]):
        plan = [row[3] for row in database.execute_sql(f"EXPLAIN QUERY PLAN {statement}").fetchall()]
        assert not [step for step in plan if "TEMP B-TREE" in step], (statement, plan)


@pytest.mark.parametrize(
    ("name", "index"),
    [("feed, archived", "archived"), ("search, archived", "archived"), ("feed, snoozed", "snoozed"),
     ("what is due", "due"), ("what is due next", "due")],
)  # fmt: skip
def test_what_is_put_away_is_found_through_an_index_of_nothing_else(database, name, index):
    statements = statements_of(database, WORK[name])
    plans = [" ".join(row[3] for row in database.execute_sql(f"EXPLAIN QUERY PLAN {each}")) for each in statements]
    assert any(f"notiway_inbox_item_{index}" in plan for plan in plans), plans
    assert "TEMP B-TREE" not in plans[-1]


@pytest.mark.parametrize("name", ["count", "counts", "feed, unread", "mark all", "mark all, cutoff"])
def test_what_is_unread_is_found_through_the_partial_index(database, name):
    statement = [each for each in statements_of(database, WORK[name]) if each.startswith("SELECT")][-1]
    plan = " ".join(row[3] for row in database.execute_sql(f"EXPLAIN QUERY PLAN {statement}").fetchall())
    assert "notiway_inbox_item_unread" in plan


def test_a_listed_search_asks_the_full_text_index_and_then_for_single_items(database):
    statements = statements_of(database, WORK["search, listed"])
    [words] = [each for each in statements if "MATCH" in each]
    plan = [row[3] for row in database.execute_sql(f"EXPLAIN QUERY PLAN {words}").fetchall()]
    assert plan[0].startswith("SCAN w VIRTUAL TABLE INDEX"), plan
    assert ">" in plan[0], "between two entries"
    assert "<" in plan[0]
    assert plan[1:] == ["SEARCH e USING INTEGER PRIMARY KEY (rowid=?)"]
    looked_up = next(each for each in statements if "n.title" in each and "IN (" in each)
    plan = [row[3] for row in database.execute_sql(f"EXPLAIN QUERY PLAN {looked_up}").fetchall()]
    assert "SEARCH i USING PRIMARY KEY (user_id=? AND notification_id=?)" in plan


def test_catching_up_begins_where_it_ended(database):
    statement = statements_of(database, WORK["catch up"])[0]
    plan = " ".join(row[3] for row in database.execute_sql(f"EXPLAIN QUERY PLAN {statement}").fetchall())
    assert plan.count("position>?") == 2, "of all, and of each membership"


def test_whoever_has_everything_is_asked_of_in_one_statement(database):
    assert len(statements_of(database, WORK["catch up"])) == 1


@pytest.mark.parametrize(
    ("name", "statements"),
    [
        ("count", 1),
        ("counts", 1),
        ("arrive", 1),
        ("newest id", 1),
        ("mark all", 3),
        ("mark all, cutoff", 3),
        ("mark read", 3),
    ],
)
def test_each_of_these_takes_so_many_statements(database, name, statements):
    # A change counts itself and looks first: somebody else's id must be refused before anything changes.
    assert len(statements_of(database, WORK[name])) == statements


def test_the_rows_are_there(database):
    assert database.execute_sql("SELECT COUNT(*) FROM notiway_inbox_item").fetchone()[0] == ROWS
    assert inbox.get_many("5", mine())
    assert inbox.unread_count("5") == inbox.COUNT_CAP


def test_a_walk_would_be_noticed(database):
    plan = [
        row[3] for row in database.execute_sql("EXPLAIN QUERY PLAN SELECT * FROM notiway_notification n").fetchall()
    ]
    assert [step for step in plan if WALK.match(step)]
    assert sqlite3.sqlite_version_info >= (3, 36), "older ones write SCAN TABLE"
    assert db.obj is database


def test_what_stands_is_found_by_walking_the_inbox_and_sorting_nothing(database):
    statements = statements_of(database, lambda: standing.items("5", ["global", "user:5"]))
    (query,) = [each for each in statements if "n.title" in each or "n.body" in each]
    plan = [row[3] for row in database.execute_sql(f"EXPLAIN QUERY PLAN {query}").fetchall()]
    assert plan == [
        "SEARCH i USING PRIMARY KEY (user_id=? AND notification_id>?)",
        "SEARCH n USING INDEX sqlite_autoindex_notiway_notification_1 (id=?)",  # once an item, not once an audience
    ]
