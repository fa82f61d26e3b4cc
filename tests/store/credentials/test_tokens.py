"""Tokens: when a user's or a key's client tokens are over, and that one which works once works once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from fresh import fresh_database

from notiway.store.credentials import api_keys, tokens
from notiway.store.credentials.tokens import spend
from notiway.store.database import db
from notiway.store.tables import SpentToken

NOW = 1_800_000_000_000


@pytest.fixture(autouse=True)
def database(place):
    with fresh_database(place) as opened:
        yield opened


def test_nothing_has_ended_at_first():
    assert not tokens.has_ended("ada", 1_000, None)
    assert not tokens.has_ended("ada", 1_000, "a key that nobody has")


def test_what_was_issued_up_to_the_end_is_over_and_what_comes_later_is_not():
    tokens.end("ada", now=1_000)
    assert tokens.has_ended("ada", 999, None)
    assert tokens.has_ended("ada", 1_000, None)
    assert not tokens.has_ended("ada", 1_001, None)
    assert not tokens.has_ended("bob", 999, None)


def test_a_second_end_counts_and_an_earlier_one_takes_nothing_back():
    tokens.end("ada", now=1_000)
    tokens.end("ada", now=2_000)
    assert tokens.has_ended("ada", 1_500, None)
    tokens.end("ada", now=500)
    assert tokens.has_ended("ada", 1_500, None)


def test_the_tokens_of_a_revoked_key_are_over_and_those_of_others_are_not():
    revoked, kept = (api_keys.add(name, ["token"])[0] for name in ("revoked", "kept"))
    api_keys.revoke("revoked")
    assert tokens.has_ended("ada", 1_000, revoked.id)
    assert not tokens.has_ended("ada", 1_000, kept.id)


def test_the_check_is_one_statement(database, monkeypatch):
    statements = []
    execute = database.execute_sql
    monkeypatch.setattr(database, "execute_sql", lambda *args: statements.append(args[0]) or execute(*args))
    tokens.has_ended("ada", 1_000, "key")
    assert len(statements) == 1


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
