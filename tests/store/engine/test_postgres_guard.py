"""The guard of PostgreSQL: what a server gives up is told as such, and a standby is left for the new primary."""

import threading

import peewee
import pytest
from servers import wait_until

from notiway.store.database import adopt, open_database
from notiway.store.engine.guard import guard_of
from notiway.store.engine.postgres_guard import PostgresGuard
from notiway.store.engine.retrying import in_transaction
from notiway.store.engine.server_address import Patience
from notiway.values.errors import Unavailable

pytestmark = pytest.mark.postgresql


@pytest.fixture
def url(postgres):
    url = postgres.fresh()
    yield url
    postgres.give_back(url)


@pytest.fixture
def opened(url):
    opened = open_database(url, patience=Patience(0.3, 0.2, 0.2))
    yield opened
    opened.close_all()


def test_a_statement_that_takes_too_long_is_ended_and_said_to(opened):
    with pytest.raises(Unavailable, match="took too long") as caught:
        opened.execute_sql("SELECT pg_sleep(30)")
    assert "NOTIWAY_DATABASE_STATEMENT_SECONDS" in caught.value.reason
    assert opened.execute_sql("SELECT 1").fetchone() == (1,)


def test_a_lock_that_is_not_free_is_not_waited_for_without_end(opened, url):
    other = open_database(url)
    with other.atomic():
        other.execute_sql("LOCK TABLE notiway_counter")
        with pytest.raises(Unavailable, match="took too long") as caught:
            opened.execute_sql("SELECT * FROM notiway_counter")
    assert "NOTIWAY_DATABASE_LOCK_SECONDS" in caught.value.reason
    other.close_all()


def test_a_transaction_in_which_nothing_happens_is_ended(opened, url):
    other = open_database(url)
    ended = "SELECT 1 FROM pg_stat_activity WHERE pid = %s"
    with pytest.raises(Unavailable) as caught, opened.atomic():
        (pid,) = opened.execute_sql("SELECT pg_backend_pid()").fetchone()
        wait_until(lambda: not other.execute_sql(ended, (pid,)).fetchone())
        opened.execute_sql("SELECT 1")
    assert "NOTIWAY_DATABASE_IDLE_SECONDS" in caught.value.reason
    with opened.atomic():
        assert opened.execute_sql("SELECT 1").fetchone() == (1,)
    other.close_all()


def test_long_work_may_take_its_time(opened):
    with guard_of(opened).unhurried():
        opened.execute_sql("SELECT pg_sleep(0.5)")
    assert opened.execute_sql("SHOW statement_timeout").fetchone() == ("300ms",)


def test_the_time_limits_are_back_though_long_work_failed(opened):
    with pytest.raises(peewee.ProgrammingError), guard_of(opened).unhurried():
        opened.execute_sql("SELECT nothing")
    assert opened.execute_sql("SHOW statement_timeout").fetchone() == ("300ms",)


def test_a_server_that_only_reads_is_left(opened, monkeypatch):
    opened.connect()
    lying = opened._connect()  # as another request that ends soon
    opened._close(lying)
    mine = opened.connection()
    opened.execute_sql("SET default_transaction_read_only = on")
    with pytest.raises(Unavailable), opened.atomic():
        opened.execute_sql("INSERT INTO notiway_counter (name, value) VALUES ('x', 1)")
    assert mine.closed
    with opened.atomic():
        opened.execute_sql("INSERT INTO notiway_counter (name, value) VALUES ('x', 1)")


def test_two_transactions_in_each_others_way_are_both_done(url):
    first, second = open_database(url), open_database(url)
    with first.atomic():
        for name in ("a", "b"):
            first.execute_sql("INSERT INTO notiway_counter (name, value) VALUES (%s, 0)", (name,))
    meet, tries = threading.Barrier(2, timeout=30), []

    def add(database, *names):
        def work():
            tries.append(names)
            for number, name in enumerate(names):
                database.execute_sql("UPDATE notiway_counter SET value = value + 1 WHERE name = %s", (name,))
                if not number and len(tries) < 3:
                    meet.wait()

        with database.connection_context():
            in_transaction(database, work)

    threads = [
        threading.Thread(target=add, args=(database, *names))
        for database, names in ((first, ("a", "b")), (second, ("b", "a")))
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert len(tries) == 3, "one gave way, once"
    assert first.execute_sql("SELECT value FROM notiway_counter ORDER BY name").fetchall() == [(2,), (2,)]
    first.close_all()
    second.close_all()


def test_a_hosts_own_database_has_the_guard_and_its_own_limits(postgres):
    own = peewee.PostgresqlDatabase("postgres", host="127.0.0.1", port=postgres.port, user="notiway")
    adopt(own)
    assert type(guard_of(own)) is PostgresGuard
    guard_of(own).connect_within(1)
    assert own.execute_sql("SHOW statement_timeout").fetchone() == ("0",)
    own.close()


@pytest.mark.parametrize("is_broken", [True, False])
def test_a_commit_is_in_doubt_if_the_connection_breaks_before_the_answer(opened, monkeypatch, is_broken):
    guard, doubts = guard_of(opened), []
    commit = guard.plain["commit"]

    def commit_unheard():
        if is_broken:
            commit()
            opened._state.conn.close()
        raise peewee.OperationalError("server closed the connection unexpectedly")

    guard.on_doubt = lambda: doubts.append(1)
    monkeypatch.setitem(guard.plain, "commit", commit_unheard)
    with pytest.raises(peewee.OperationalError), opened.atomic():
        opened.execute_sql("CREATE TABLE doubtful ()")
    monkeypatch.undo()
    assert bool(doubts) == is_broken
    assert ("doubtful" in opened.get_tables()) == is_broken
    opened.execute_sql("DROP TABLE IF EXISTS doubtful")
