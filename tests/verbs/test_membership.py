"""Joining and leaving reach the inbox and every open connection at once."""

import pytest

from notiway.store import inbox
from notiway.store.membership import listens_to
from notiway.values.audience import Audience
from notiway.verbs import membership

OPS = Audience.group("ops", tenant="acme")


def test_who_joins_has_what_stands_for_the_group_and_its_pages_listen(app, user, send, heard):
    send(OPS, "Deploy at noon")
    heard.clear()
    with app.app_context():
        membership.join(user.id, OPS)
        assert [item.title for item in inbox.feed(user.id).items] == ["Deploy at noon"]
    (event,) = heard
    assert (event.kind, event.audience) == ("joined", f"user:{user.id}")
    assert event.data == {"unread": 1, "audience": OPS.key}


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
