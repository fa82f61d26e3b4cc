"""Settings as a verb: what is changed is told to the user's devices after the commit, and to nobody else."""

import pytest
from fresh import Undo, verbs

from notiway.live import runtime
from notiway.store.attention import settings as stored
from notiway.store.database import db
from notiway.values.attention.attention import Attention
from notiway.values.errors import InvalidSettings
from notiway.verbs.attention import settings


@pytest.fixture(autouse=True)
def broker(place):
    with verbs(place) as notebook:
        yield notebook


def test_every_device_of_the_user_hears_of_the_whole(broker):
    settings.change("ada", {"sound": True})
    settings.change("ada", {"pause": "1h"})
    assert broker.kinds == [("settings", "user:ada")] * 2
    told = broker.events[-1].data
    assert (told["revision"], told["sound"]) == (2, True)
    assert told["quietUntil"] == stored.read("ada")[0].paused_until


def test_nothing_is_told_of_what_is_refused_or_rolled_back(broker):
    with pytest.raises(InvalidSettings):
        settings.change("ada", {"volume": -1})
    with pytest.raises(Undo), db.atomic():
        settings.change("ada", {"sound": True})
        raise Undo
    assert broker.events == []
    assert stored.read("ada") == (Attention(), 0)


def test_what_the_application_lets_nobody_mute_stays(broker):
    runtime.current().kinds.declare_category("security", label="Security", mutable=False)
    with pytest.raises(InvalidSettings, match=r"categories\.security\.toast"):
        settings.change("ada", {"categories": {"security": {"toast": False}}})
