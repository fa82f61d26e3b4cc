"""Joining and leaving reach the inbox and every open connection at once."""

import peewee
import pytest

from notiway.store import inbox
from notiway.store.log import positions, resuming, standing
from notiway.store.log.resuming import Cursor
from notiway.store.membership import listens_to
from notiway.values.audience import Audience
from notiway.verbs import membership
from notiway.verbs.send import send_notification

OPS = Audience.group("ops", tenant="acme")


def test_who_joins_has_what_stands_for_the_group_and_its_pages_listen(app, user, send, heard):
    send(OPS, "Deploy at noon")
    heard.clear()
    with app.app_context():
        membership.join(user.id, OPS)
        assert [item.title for item in inbox.feed(user.id).items] == ["Deploy at noon"]
    assert (heard[0].kind, heard[0].audience) == ("joined", f"user:{user.id}")
    since = heard[0].data.pop("since")
    assert heard[0].data == {"unread": 1, "audience": OPS.key}
    with app.app_context():
        assert resuming.page(user.id, Cursor.from_text(since), 9).items == [], "what stands is no news"


def test_who_joins_sees_on_open_devices_what_stands_for_the_group_and_nothing_else(app, user, send, heard):
    send(user, "Told before")
    for title in ("Deploy at noon", "Deployed"):
        send(OPS, title)
    heard.clear()
    with app.app_context():
        membership.join(user.id, OPS)
    assert [(event.kind, event.audience) for event in heard] == [
        (kind, f"user:{user.id}") for kind in ("joined", "restored")
    ]
    assert [each["title"] for each in heard[1].data["notifications"]] == ["Deploy at noon", "Deployed"]
    assert heard[1].data["unread"] == 3


def test_a_broadcast_that_commits_between_a_join_and_its_event_is_told(app, user, send, monkeypatch):
    """Its own Event came too early for the new member; so each process reads it when its devices listen."""
    told = []

    def publish(event):
        told.append(event)
        if event.kind == "joined":
            send(OPS, "In between")

    monkeypatch.setattr(app.extensions["notiway"].broker, "publish", publish)
    with app.app_context():
        membership.join(user.id, OPS)
        joined, *others = told
        missed = resuming.page(user.id, Cursor.from_text(joined.data["since"]), 9).items
    assert [item.title for item in missed] == ["In between"]
    assert [event.kind for event in others] == ["created"], "and nobody else tells it"


def test_devices_listen_though_it_cannot_be_read_since_when(app, user, heard, monkeypatch, caplog):
    def away():
        raise peewee.OperationalError("the database is away")

    monkeypatch.setattr(positions, "now", away)
    with app.app_context():
        monkeypatch.setattr(membership.membership, "join", lambda *_: None)
        monkeypatch.setattr(membership.inbox, "catch_up", lambda _: 0)
        membership.join(user.id, OPS)
    [joined] = heard
    assert joined.data == {"unread": 0, "audience": OPS.key}
    assert OPS.key in caplog.text


def test_a_join_stands_though_what_is_there_cannot_be_read(app, user, send, heard, monkeypatch, caplog):
    def away(*_, **__):
        raise peewee.OperationalError("the database is away")

    monkeypatch.setattr(standing, "items", away)
    with app.app_context():
        membership.join(user.id, OPS)
        assert OPS.key in listens_to(user.id)
    assert [event.kind for event in heard] == ["joined"]
    assert "was not told" in caplog.text


def test_who_leaves_keeps_the_inbox_and_its_pages_listen_no_more(app, user, send, heard):
    with app.app_context():
        membership.join(user.id, OPS)
        send(OPS, "Deploy at noon")
        inbox.catch_up(user.id)
        heard.clear()
        membership.leave(user.id, OPS)
        assert OPS.key not in listens_to(user.id)
        assert len(inbox.feed(user.id).items) == 1
    assert (heard[0].kind, heard[0].data["audience"]) == ("left", OPS.key)


@pytest.mark.parametrize("audience", [Audience.everyone(), Audience.user("1"), Audience.connection("c")])
def test_only_tenants_and_groups_have_members(app, user, audience):
    with app.app_context(), pytest.raises(ValueError, match="members"):
        membership.join(user.id, audience)


def test_what_stands_at_the_joining_and_what_comes_later_are_told_apart_on_every_database(broker):
    """The former by `restored`, the latter by each process, from the cursor in `joined`: nothing twice or never."""
    send_notification(OPS, "Stood")

    def meanwhile(event):
        if event.kind == "joined":
            broker.on_publish = None
            send_notification(OPS, "In between")

    broker.on_publish = meanwhile
    membership.join("ada", OPS)
    send_notification(OPS, "Later")
    [joined] = [event for event in broker.events if event.kind == "joined"]
    [restored] = [event for event in broker.events if event.kind == "restored"]
    assert [each["title"] for each in restored.data["notifications"]] == ["Stood"]
    missed = resuming.page("ada", Cursor.from_text(joined.data["since"]), 9).items
    assert [item.title for item in missed] == ["In between", "Later"]
