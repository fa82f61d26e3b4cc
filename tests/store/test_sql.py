"""SQL: statements as text run on either database, in bounded batches, with patterns taken as words."""

from types import SimpleNamespace

import pytest
from fresh import fresh_database

from notiway.store import sql
from notiway.store.sql import BATCH, BY_UNREAD, has_one_writer, in_batches, like, marks, run


class Postgresql(SimpleNamespace):
    """As much of a database with many writers as a statement meets."""

    param = "%s"

    def execute_sql(self, text, params):
        self.seen = (text, params)
        return "cursor"


@pytest.fixture
def postgresql(monkeypatch):
    stand_in = Postgresql()
    monkeypatch.setattr(sql, "db", SimpleNamespace(obj=stand_in))
    return stand_in


@pytest.fixture
def sqlite(tmp_path):
    with fresh_database(tmp_path) as opened:
        yield opened


def test_a_statement_is_written_for_the_database_it_meets(postgresql):
    assert run(f"SELECT 1 FROM notiway_inbox_item i{BY_UNREAD} WHERE user_id = ? AND read_at > ?", ("a", 1)) == "cursor"
    assert postgresql.seen == ("SELECT 1 FROM notiway_inbox_item i WHERE user_id = %s AND read_at > %s", ("a", 1))
    assert not has_one_writer()


def test_on_sqlite_it_runs_as_it_stands(sqlite):
    assert has_one_writer()
    assert run("SELECT ? || ?", ("a", "b")).fetchone() == ("ab",)
    assert run(f"SELECT COUNT(*) FROM notiway_inbox_item i{BY_UNREAD} WHERE read_at IS NULL AND deleted_at IS NULL")


@pytest.mark.parametrize(("count", "text"), [(0, ""), (1, "?"), (3, "?,?,?")])
def test_there_are_as_many_placeholders_as_values(count, text):
    assert marks(range(count)) == text


@pytest.mark.parametrize(
    ("count", "sizes"), [(0, []), (1, [1]), (BATCH, [BATCH]), (BATCH + 1, [BATCH, 1]), (2 * BATCH, [BATCH, BATCH])]
)
def test_batches_hold_every_value_once_in_order(count, sizes):
    parts = list(in_batches(range(count)))
    assert [len(part) for part in parts] == sizes
    assert [value for part in parts for value in part] == list(range(count))


def test_others_run_between_two_batches(monkeypatch):
    seen = []
    monkeypatch.setattr(sql, "pause", lambda: seen.append("others"))
    for part in in_batches("abcde", 2):
        seen.append("".join(part))
    assert seen == ["ab", "others", "cd", "others", "e"]


@pytest.mark.parametrize("text", ["100%", "a_b", "\\", "\\%", "%", "plain", "'; --"])
def test_a_pattern_finds_the_text_as_it_stands(sqlite, text):
    pattern = f"%{like(text)}%"
    found = [
        each
        for each in (f"<{text}>", "axb", "1000", "anything")
        if run("SELECT ? LIKE ? ESCAPE '\\'", (each, pattern)).fetchone()[0]
    ]
    assert found == [f"<{text}>"]
