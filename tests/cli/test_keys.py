"""Key commands: a key is shown once, listed without its secret, and revoked."""

import pytest

from notiway.store.credentials import api_keys
from notiway.store.database import db
from notiway.values.clock import moment


def test_keys_are_shown_once_stored_as_hashes_and_revoked(notiway, app):
    result = notiway("key", "add", "billing", "--scope", "publish", "--scope", "token")
    key = result.stdout.strip()
    assert key.startswith("nw_")
    listed = notiway("key", "list").output
    assert "billing\tpublish,token\t" in listed
    assert key not in listed
    with app.app_context():
        assert api_keys.find(key).name == "billing"
        assert api_keys.find(key + "x") is None
        assert key not in str(db.execute_sql("SELECT * FROM notiway_api_key").fetchall())
    assert notiway("key", "add", "billing", "--scope", "token").exit_code == 1
    assert notiway("key", "revoke", "billing").exit_code == 0
    assert "revoked" in notiway("key", "list").output
    with app.app_context():
        assert api_keys.find(key) is None


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (("key", "add", "billing"), 2, "--scope"),
        (("key", "add", "billing", "--scope", "everything"), 1, "none of publish, token, presence"),
        (("key", "add", "  ", "--scope", "publish"), 1, "characters"),
        (("key", "add", "billing", "--scope", "publish", "--producer", " "), 1, "producer"),
        (("key", "add", "billing", "--scope", "producer:billing"), 1, "publish, token"),
        (("key", "add", "a\x00b", "--scope", "publish"), 1, "NUL"),
        (("key", "revoke", "nobody"), 1, "no API key"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_reason(refused, user, words, code, reason):
    assert reason in refused(code, *words)


def test_a_key_that_was_used_says_when(notiway, app):
    notiway("key", "add", "billing", "--scope", "publish")
    assert "\tused never\tactive\n" in notiway("key", "list").output
    with app.app_context():
        (producer,) = api_keys.all_keys()
        api_keys.note_use(producer)
        used = next(api_keys.all_keys()).last_used_at
    assert f"\tused {moment(used):%Y-%m-%d}\tactive\n" in notiway("key", "list").output


def test_a_key_may_be_bounded_to_the_names_of_producers(notiway):
    assert (
        notiway("key", "add", "b", "--scope", "publish", "--producer", "billing", "--producer", "shop *").exit_code == 0
    )
    assert "b\tpublish,producer:billing,producer:shop *\t" in notiway("key", "list").output
