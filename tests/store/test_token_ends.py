"""From when on a user's client tokens are good, and which keys' tokens are over."""

import pytest
from fresh import fresh_database

from notiway.store import api_keys, token_ends


@pytest.fixture(autouse=True)
def database(tmp_path):
    with fresh_database(tmp_path) as opened:
        yield opened


def test_nothing_has_ended_at_first():
    assert not token_ends.has_ended("ada", 1_000, None)
    assert not token_ends.has_ended("ada", 1_000, "a key that nobody has")


def test_what_was_issued_up_to_the_end_is_over_and_what_comes_later_is_not():
    token_ends.end("ada", now=1_000)
    assert token_ends.has_ended("ada", 999, None)
    assert token_ends.has_ended("ada", 1_000, None)
    assert not token_ends.has_ended("ada", 1_001, None)
    assert not token_ends.has_ended("bob", 999, None)


def test_a_second_end_counts_and_an_earlier_one_takes_nothing_back():
    token_ends.end("ada", now=1_000)
    token_ends.end("ada", now=2_000)
    assert token_ends.has_ended("ada", 1_500, None)
    token_ends.end("ada", now=500)
    assert token_ends.has_ended("ada", 1_500, None)


def test_the_tokens_of_a_revoked_key_are_over_and_those_of_others_are_not():
    revoked, kept = (api_keys.add(name, ["token"])[0] for name in ("revoked", "kept"))
    api_keys.revoke("revoked")
    assert token_ends.has_ended("ada", 1_000, revoked.id)
    assert not token_ends.has_ended("ada", 1_000, kept.id)


def test_the_check_is_one_statement(database, monkeypatch):
    statements = []
    execute = database.execute_sql
    monkeypatch.setattr(database, "execute_sql", lambda *args: statements.append(args[0]) or execute(*args))
    token_ends.has_ended("ada", 1_000, "key")
    assert len(statements) == 1
