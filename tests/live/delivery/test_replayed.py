"""Replayed: what was in a replay is not told once more when its Event comes late."""

import pytest
from pair import created, ids, settle

from notiway.live.delivery import replayed


@pytest.fixture
def moment(monkeypatch):
    """What the clock says that bounds how long a replay is known; a list of one, to be moved by hand."""
    moment = [1_000.0]
    monkeypatch.setattr(replayed, "monotonic", lambda: moment[0])
    return moment


def test_what_was_replayed_is_not_told_again_when_its_event_comes_late(hub, connect, moment):
    """The item was committed before the replay and is published after it."""
    connection, client = connect(release=False)
    hub.release(
        connection,
        [connection.format.wire.render(created(1)), connection.format.wire.render(created(2))],
        ["id-1", "id-2"],
    )
    settle(hub.reactor)
    hub.deliver(created(2))
    hub.deliver(created(3))
    assert ids(client, 3) == ["id-1", "id-2", "id-3"]
    moment[0] += replayed.KEEP_SECONDS
    hub.reactor.call_soon(hub._replayed._forget)
    settle(hub.reactor)
    assert (connection.known, connection.direct, len(hub._replayed)) == (frozenset(), True, 0)
    hub.deliver(created(2))
    assert ids(client, 1) == ["id-2"]


def test_a_second_replay_adds_to_what_is_known_and_keeps_it_its_own_time(hub, connect, moment):
    connection, _ = connect(release=False)
    hub.release(connection, [], ["id-1"])
    settle(hub.reactor)
    moment[0] += replayed.KEEP_SECONDS / 2
    hub.hold(connection)
    hub.release(connection, [], ["id-2"])
    settle(hub.reactor)
    assert connection.known == {"id-1", "id-2"}
    moment[0] += replayed.KEEP_SECONDS / 2
    hub.reactor.call_soon(hub._replayed._forget)
    settle(hub.reactor)
    assert connection.known == {"id-2"}
