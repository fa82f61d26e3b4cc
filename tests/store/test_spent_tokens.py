"""Spent tokens: one that works once works once, and only its digest is kept."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from fresh import fresh_database

from notiway.store.database import db
from notiway.store.spent_tokens import spend
from notiway.store.tables import SpentToken

NOW = 1_800_000_000_000


@pytest.fixture(autouse=True)
def database(tmp_path):
    with fresh_database(tmp_path) as opened:
        yield opened


def test_a_token_is_spent_once():
    assert [spend("a", NOW), spend("a", NOW), spend("b", NOW)] == [True, False, True]


def test_of_many_requests_with_one_token_one_goes_through():
    def use(_):
        try:
            return spend("token", NOW)
        finally:
            db.close()

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(use, range(24))) == [False] * 23 + [True]


def test_who_reads_the_table_learns_no_token():
    spend("a secret", NOW)
    (row,) = SpentToken.select()
    assert "secret" not in row.id
    assert len(row.id) == 64
