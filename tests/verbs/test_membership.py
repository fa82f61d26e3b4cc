"""Joining and leaving reach the inbox and every open connection at once."""

from notiway.store import inbox
from notiway.store.log import resuming
from notiway.store.log.resuming import Cursor
from notiway.values.audience import Audience
from notiway.verbs import membership

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

    def publish(events):
        told.extend(events)
        if events[0].kind == "joined":
            send(OPS, "In between")

    monkeypatch.setattr(app.extensions["notiway"].broker, "publish", publish)
    with app.app_context():
        membership.join(user.id, OPS)
        joined, *others = told
        missed = resuming.page(user.id, Cursor.from_text(joined.data["since"]), 9).items
    assert [item.title for item in missed] == ["In between"]
    assert [event.kind for event in others] == ["created"], "and nobody else tells it"
