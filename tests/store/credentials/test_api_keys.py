"""API keys: made once, stored as a hash, bounded by scopes, and ended at once."""

import pytest
from fresh import fresh_database

from notiway.store.credentials import api_keys
from notiway.store.credentials.api_keys import MAX_NAME, PREFIX, USE_NOTED_MS, hash_key, is_scope, matches, new_key
from notiway.store.tables import ApiKey
from notiway.values.errors import NotFound, WrongInput

NOW = 1_800_000_000_000


@pytest.fixture(autouse=True)
def database(place):
    with fresh_database(place) as opened:
        yield opened


@pytest.fixture
def now(monkeypatch):
    """What the clock says; a list of one, to be moved by hand."""
    now = [NOW]
    monkeypatch.setattr(api_keys, "now_ms", lambda: now[0])
    return now


def test_a_key_finds_its_producer_and_no_other_text_does():
    producer, key = api_keys.add("billing", ["publish", "token", "publish"])
    assert api_keys.find(key) == producer
    assert (producer.name, producer.scopes) == ("billing", ("publish", "token"))
    assert (producer.last_used_at, producer.revoked_at) == (None, None)
    for wrong in ("", key + "x", key[:-1], key.upper(), hash_key(key), PREFIX):
        assert api_keys.find(wrong) is None


def test_keys_are_long_random_and_known_by_their_prefix():
    keys = {new_key() for _ in range(100)}
    assert len(keys) == 100
    assert all(key.startswith(PREFIX) and len(key) >= 40 for key in keys)


def test_only_the_hash_of_a_key_is_stored():
    _, key = api_keys.add("billing", ["publish"])
    (row,) = ApiKey.select().dicts()
    assert key not in str(row)
    assert matches(row["hash"], key)
    assert not matches(row["hash"], key + "x")


@pytest.mark.parametrize(
    ("name", "scopes", "paths"),
    [
        ("billing", [], ["scope"]),
        ("billing", ["everything"], ["scope"]),
        ("billing", ["publish", "read", "write"], ["scope", "scope"]),
        ("", ["publish"], ["name"]),
        ("  ", ["publish"], ["name"]),
        ("x" * (MAX_NAME + 1), ["publish"], ["name"]),
        ("taken", ["publish"], ["name"]),
        ("revoked", ["publish"], ["name"]),
        ("", ["everything"], ["scope", "name"]),
    ],
)
def test_every_fault_of_a_key_is_named_and_none_is_made(name, scopes, paths):
    for each in ("taken", "revoked"):
        api_keys.add(each, ["publish"])
    api_keys.revoke("revoked")
    with pytest.raises(WrongInput) as refusal:
        api_keys.add(name, scopes)
    assert [fault.path for fault in refusal.value.faults] == paths
    assert ApiKey.select().count() == 2


@pytest.mark.parametrize("scope", ["publish", "token", "publish:*", "publish:group:acme:*", "token:user:a@b.example"])
def test_a_scope_may_be_bounded_to_audiences(scope):
    assert is_scope(scope)


@pytest.mark.parametrize(
    "scope", ["", "Publish", "publish ", "publish:", "publishing", "read", "publish:a b", "publish:ü", "token:\n"]
)
def test_any_other_text_is_no_scope(scope):
    assert not is_scope(scope)


def test_use_is_noted_to_the_minute(now):
    _, key = api_keys.add("billing", ["publish"])
    noted = []
    for later in (0, 1, USE_NOTED_MS, USE_NOTED_MS + 1, USE_NOTED_MS + 2):
        now[0] = NOW + later
        api_keys.note_use(api_keys.find(key))
        noted.append(api_keys.find(key).last_used_at - NOW)
    assert noted == [0, 0, 0, USE_NOTED_MS + 1, USE_NOTED_MS + 1]


@pytest.mark.parametrize("by", ["name", "id"])
def test_a_revoked_key_ends_at_once_and_stays_on_the_list(now, by):
    producer, key = api_keys.add("billing", ["publish"])
    _, other = api_keys.add("orders", ["publish"])
    api_keys.revoke(getattr(producer, by))
    assert api_keys.find(key) is None
    assert api_keys.find(other)
    now[0] += 1
    api_keys.revoke(getattr(producer, by))
    assert [(each.name, each.revoked_at) for each in api_keys.all_keys()] == [("billing", NOW), ("orders", None)]


def test_an_unknown_key_cannot_be_revoked():
    with pytest.raises(NotFound, match="nobody"):
        api_keys.revoke("nobody")
