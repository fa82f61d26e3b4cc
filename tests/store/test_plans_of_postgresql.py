"""Plans of PostgreSQL: a search walks the reader's own items, by the index that is theirs, or asks the catalogue."""

import re

import pytest
from fresh import fresh_database

from notiway.store import inbox, readers, rows
from notiway.store.changes import presses
from notiway.store.database import db
from notiway.store.search import catalogue, grouping
from notiway.store.sql import _in_dialect

pytestmark = pytest.mark.postgresql

ROWS = 60_000
USERS = 300  # the first of them has one item in four
FIRST_MS = 1_700_000_000_000
USER = f"CASE WHEN n % 4 = 0 THEN 0 ELSE 1 + n % {USERS - 1} END"
DIGITS = f"lpad(to_hex({FIRST_MS} + n), 12, '0')"
ID = f"left({DIGITS}, 8) || '-' || right({DIGITS}, 4) || '-7000-8000-000000000000'"
NUMBERS = f"generate_series(1, {ROWS}) AS numbers (n)"


@pytest.fixture(scope="module")
def large(postgres):
    url = postgres.fresh()
    with fresh_database(url) as opened:
        opened.execute_sql(
            "INSERT INTO notiway_notification (id, audience, name, type, priority, title, message, created_at,"
            f" position, horizon) SELECT {ID}, 'user:' || {USER}, 'n',"
            " CASE WHEN n = 4 THEN 'error' ELSE 'info' END, 'low',"
            f" 'title ' || n, 'a message', n, n - {ROWS}, n - {ROWS} FROM {NUMBERS}".replace("%", "%%")
        )
        opened.execute_sql(
            "INSERT INTO notiway_inbox_item (user_id, notification_id, read_at, created_at, position, group_key)"
            f" SELECT CAST({USER} AS text), {ID}, CASE WHEN n % 3 > 0 THEN 1 END, n, n - {ROWS},"
            f" CASE WHEN n % 8 = 0 THEN 'disk:' || n % 5 END FROM {NUMBERS}"
            " ORDER BY 1, 2".replace("%", "%%")
        )
        catalogue.ask("0")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(catalogue, "PAUSE_SECONDS", 0)  # for a server with something else to do
            patch.setattr(catalogue, "SLICE", 2_000)
            patch.setattr(catalogue, "TOKENS", 200_000)
            catalogue.follow()
        opened.execute_sql("ANALYZE")
        yield opened
    postgres.give_back(url)


@pytest.fixture
def plans(large, monkeypatch):
    """Do some work; each statement that it executed about items, with its plan."""

    def of(work):
        seen = []
        execute = large.execute_sql
        with monkeypatch.context() as patch:
            patch.setattr(
                large, "execute_sql", lambda sql, *params: seen.append((sql, params)) or execute(sql, *params)
            )
            work()
        return {
            sql: "\n".join(row[0] for row in execute(f"EXPLAIN {sql}", *params).fetchall())
            for sql, params in seen
            if sql.startswith("SELECT") and re.search("inbox_item|search_entry", sql) and "inbox_cursor" not in sql
        }

    assert db.obj is large
    return of


@pytest.mark.parametrize(
    "work",
    [
        lambda: inbox.feed("0"),
        lambda: inbox.feed("0", type="error"),
        lambda: inbox.feed("0", type="error", state="unread"),
        lambda: inbox.feed("0", state="read", text="title 4711"),
        lambda: inbox.feed("0", text="zz"),
        lambda: inbox.feed("1", text="nowhere"),
    ],
)
def test_a_search_begins_with_the_items_of_the_reader(plans, work):
    found = {sql: plan for sql, plan in plans(work).items() if "n.title" in sql and "ORDER BY" in sql}
    assert found
    for sql, plan in found.items():
        assert "Parallel" not in plan, (sql, plan)
        assert "using notiway_inbox_item_notification_id" not in plan, (sql, plan)
        assert "Seq Scan on notiway_inbox_item" not in plan, (sql, plan)
        assert re.search("using notiway_inbox_item_(pkey|unread)", plan), (sql, plan)


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
def test_members_of_a_group_are_found_by_their_own_index(large, mode):
    tail, values = grouping._statement("0", "disk:4", "unread", None, 100)
    numbers = iter(range(1, 10))
    text = re.sub(r"\?", lambda _: f"${next(numbers)}", f"SELECT n.id {_in_dialect(tail, '?')}")
    with large.atomic():
        large.execute_sql(f"SET LOCAL plan_cache_mode = {mode}")
        large.execute_sql(f"PREPARE members (text, text, text, text, text, bigint) AS {text}")
        given = ", ".join(str(each) if isinstance(each, int) else f"'{each}'" for each in values)
        plan = "\n".join(row[0] for row in large.execute_sql(f"EXPLAIN EXECUTE members ({given})").fetchall())
        large.execute_sql("DEALLOCATE members")
    assert "Scan Backward using notiway_inbox_item_group" in plan, plan
    assert "Seq Scan" not in plan, plan


@pytest.mark.parametrize(
    ("work", "index"),
    [
        (lambda: inbox.feed("0", state="archived"), "archived"),
        (lambda: inbox.feed("0", state="snoozed", text="nowhere"), "snoozed"),
        (lambda: presses.take_back("0", presses.Press(1, *[ids_of_user()] * 2)), "pkey"),
    ],
    ids=["archived", "snoozed", "undo of mark all"],
)
def test_what_is_put_away_and_what_a_press_read_is_found_in_order(plans, work, index):
    last = list(plans(work).values())[-1]
    assert f"notiway_inbox_item_{index}" in last
    assert "Sort" not in last
    assert "Seq Scan" not in last


def test_the_catalogue_is_asked_by_its_own_index(plans):
    found = plans(lambda: inbox.feed("0", text="title nowhere"))
    [words] = [plan for sql, plan in found.items() if "words @>" in sql]
    assert "Bitmap Index Scan on notiway_search_words" in words
    [newer] = [plan for sql, plan in found.items() if "(i.position, i.notification_id) >" in sql]
    assert "notiway_inbox_item_user_id_position_notification_id" in newer


def test_what_is_rare_is_found_at_the_other_end_of_the_inbox(large):
    page = inbox.feed("0", type="error")
    assert [item.title for item in page.items] == ["title 4"]
    assert page.next_cursor is None


def test_items_are_read_by_their_ids_also_by_a_plan_that_knows_no_user(large):
    """As psycopg prepares them after some calls; such a plan takes every inbox for one of the usual size."""
    source, values = rows.named("0", [ids_of_user()])
    numbers = iter(range(1, 10))
    text = re.sub(r"\?", lambda _: f"${next(numbers)}", f"SELECT n.id {source}")
    with large.atomic():
        large.execute_sql("SET LOCAL plan_cache_mode = force_generic_plan")
        large.execute_sql(f"PREPARE by_ids (text[], text) AS {text}")
        plan = large.execute_sql(f"EXPLAIN EXECUTE by_ids (ARRAY['{values[0][0]}'], '{values[1]}')").fetchall()
        large.execute_sql("DEALLOCATE by_ids")
    lines = [row[0] for row in plan]
    [reading] = [at for at, each in enumerate(lines) if "on notiway_inbox_item" in each]
    assert re.search("Index (Only )?Scan using notiway_inbox_item_pkey", lines[reading]), lines
    assert "user_id" in lines[reading + 1], lines
    assert "notification_id" in lines[reading + 1], lines
    assert "Limit" in lines[reading - 1], lines


def ids_of_user():
    return inbox.feed("0", limit=1).items[0].id


def test_the_holders_of_a_notification_are_found_in_order(plans):
    [plan] = [plan for sql, plan in plans(lambda: readers.of([ids_of_user()])).items() if "COUNT(" in sql]
    assert "notiway_inbox_item_notification_id_user_id" in plan
    assert "Sort" not in plan
