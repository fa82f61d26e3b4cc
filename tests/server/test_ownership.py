"""Another user's id is like an id that does not exist, in every action, and changes nothing for its owner."""

import pytest

from server.talk import inbox, listen

ACTIONS = ["markAsRead", "markAsUnread", "delete", "restore"]


@pytest.mark.parametrize("action", ACTIONS)
def test_another_users_id_is_not_found_and_nothing_changes(ada, bob, action):
    read, unread, deleted = (bob.notify(title)["id"] for title in ("Read", "Unread", "Deleted"))
    bob.put(f"/notifications/{read}/read")
    bob.delete(f"/notifications/{deleted}")
    before = inbox(bob)
    with listen(ada) as tab, listen(bob) as owner:
        for notification_id in (read, unread, deleted):
            tab.say(action, notificationId=notification_id)
            assert tab.hear_only("error")["code"] == "NotFound"
        assert inbox(bob) == before
        assert owner.ask("ping") == {"event": "pong", "data": {"unreadCount": 1}}


def test_mark_all_with_another_users_cutoff_touches_ones_own_only(ada, bob):
    mine = ada.notify("Mine")["id"]
    theirs = bob.notify("Theirs")["id"]
    with listen(ada) as tab, listen(bob) as owner:
        tab.say("markAllAsRead", before=theirs)
        assert tab.hear_only("markedAllAsRead")["unreadCount"] == 0
        assert owner.ask("ping")["data"]["unreadCount"] == 1
    assert mine < theirs
    assert inbox(bob)[1] == 1


def test_nobody_listens_to_another_connection_or_user(ada, bob):
    with listen(ada) as tab, listen(bob) as owner:
        for audience in (f"user:{bob.id}", f"connection:{owner.connected['connectionId']}", "global"):
            tab.say("subscribe", audience=audience)
            assert tab.hear_only("error")["code"] == "NotSupported"
        bob.notify("For Bob")
        owner.hear_only("notification")
        assert tab.ask("ping")["event"] == "pong"
