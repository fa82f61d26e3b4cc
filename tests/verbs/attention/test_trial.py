"""A trial: an unstored notification to oneself, a few times a minute."""

import pytest
from fresh import stored, verbs

from notiway.live import runtime
from notiway.live.limits.throttle import Throttle, Windows
from notiway.values.errors import Throttled
from notiway.verbs.attention import trial


@pytest.fixture(autouse=True)
def broker(tmp_path):
    with verbs(tmp_path) as notebook:
        runtime.current().throttle = Throttle(Windows())
        yield notebook


def test_it_reaches_who_is_connected_and_is_stored_nowhere(broker):
    sent = trial.send("ada")
    [event] = broker.events
    assert (event.kind, event.audience, event.data["notification"]["id"]) == ("created", "user:ada", sent)
    assert event.data["notification"]["name"] == trial.NAME
    assert stored() == (0, 0)


def test_nobody_is_flooded(broker):
    for _ in range(10):
        trial.send("ada")
    with pytest.raises(Throttled):
        trial.send("ada")
    trial.send("bob")
    assert len(broker.events) == 11
