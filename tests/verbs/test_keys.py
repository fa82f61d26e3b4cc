"""Keys as a verb: what a revoked key opened closes, of whichever user."""

import pytest

from notiway.store.credentials import api_keys
from notiway.values.errors import NotFound
from notiway.verbs import keys


@pytest.mark.parametrize("by", ["name", "id"])
def test_a_revoked_key_is_over_and_closes_what_its_tokens_opened(broker, by):
    producer, key = api_keys.add("portal", ["token"])
    keys.revoke(getattr(producer, by))
    assert api_keys.find(key) is None
    assert [(event.kind, event.audience) for event in broker.events] == [("kick", "global")]
    assert broker.events[0].data == {"session": f"key:{producer.id}", "code": 4009}


def test_an_unknown_key_is_told_and_nothing_closes(broker):
    with pytest.raises(NotFound):
        keys.revoke("nobody")
    assert broker.events == []
