"""Keys as a verb: what a revoked key opened closes, of whichever user."""

import pytest
from fresh import verbs

from notiway.store import api_keys
from notiway.values.errors import NotFound
from notiway.verbs import keys


@pytest.fixture(autouse=True)
def notebook(tmp_path):
    with verbs(tmp_path) as published:
        yield published


@pytest.mark.parametrize("by", ["name", "id"])
def test_a_revoked_key_is_over_and_closes_what_its_tokens_opened(notebook, by):
    producer, key = api_keys.add("portal", ["token"])
    keys.revoke(getattr(producer, by))
    assert api_keys.find(key) is None
    assert [(event.kind, event.audience) for event in notebook.events] == [("kick", "global")]
    assert notebook.events[0].data == {"session": f"key:{producer.id}", "code": 4009}


def test_an_unknown_key_is_told_and_nothing_closes(notebook):
    with pytest.raises(NotFound):
        keys.revoke("nobody")
    assert notebook.events == []
