"""Archiving: every device of the user hears that items left, and that they came back."""

import pytest
from fresh import Undo, verbs

from notiway.store import inbox
from notiway.store.database import db
from notiway.values.audience import Audience
from notiway.values.errors import NotFound
from notiway.verbs import items
from notiway.verbs.changes.archive import archive, put_back
from notiway.verbs.send import send_notification


@pytest.fixture(autouse=True)
def broker(place):
    with verbs(place) as notebook:
        yield notebook


@pytest.mark.parametrize("to", ["ada", Audience.everyone()], ids=["direct", "broadcast"])
def test_devices_hear_that_it_left_and_where_it_went(broker, to):
    sent = send_notification(to, "Hi").id
    broker.clear()
    assert archive("ada", [sent]) == 0
    (event,) = broker.events
    assert (event.kind, event.audience) == ("deleted", "user:ada")
    assert (event.data["ids"], event.data["unread"], event.data["archived"]) == ([sent], 0, True)
    broker.clear()
    assert put_back("ada", [sent]) == 1
    (event,) = broker.events
    assert event.kind == "restored"
    assert [item["id"] for item in event.data["notifications"]] == [sent]
    assert event.data["notifications"][0]["archived_at"] is None
    assert event.data["unread"] == 1


def test_nothing_rings_before_the_commit(broker):
    sent = send_notification("ada", "Hi").id
    broker.clear()
    with pytest.raises(Undo), db.atomic():
        archive("ada", [sent])
        raise Undo
    assert broker.events == []
    assert inbox.unread_count("ada") == 1


def test_what_is_archived_can_be_read_and_deleted_there(broker):
    sent = send_notification("ada", "Hi").id
    archive("ada", [sent])
    assert items.mark_read("ada", [sent]) == 0
    assert inbox.get("ada", sent).place == "archived"
    items.delete("ada", [sent])
    with pytest.raises(NotFound):
        put_back("ada", [sent])
