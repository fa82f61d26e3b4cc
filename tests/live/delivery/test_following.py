"""Following: what an Event changes in the register; a fault in one harms no other."""

from types import SimpleNamespace

from notiway.live.delivery.following import follow
from notiway.values.event import Event


def test_each_kind_is_followed_and_a_fault_harms_no_other(caplog):
    done = []
    listeners = SimpleNamespace(
        admit=lambda heard, event: done.append(("admit", *heard)) or [(heard[0], event)],
        dismiss=lambda heard, event: done.append(("dismiss", *heard, event.data["audience"])) or [(heard[0], event)],
    )
    news = SimpleNamespace(
        kick=lambda heard, event: done.append(("kick", *heard)),
        renew=lambda heard, event: done.append(("renew", *heard)),
    )
    events = [
        Event("joined", "user:ada", {"audience": "group:a"}),
        Event("left", "user:ada", {}),  # without its audience
        Event("left", "user:ada", {"audience": "group:b"}),
        Event("kick", "user:ada", {"session": None}),
        Event("renewed", "user:ada", {"session": "s", "ends_at": 1.0}),
        Event("sync", "user:ada", {"unread": 1}),
    ]
    assert follow(events, ["tab"], listeners, news) == [("tab", events[0]), ("tab", events[2])]  # who moved
    assert done == [("admit", "tab"), ("dismiss", "tab", "group:b"), ("kick", "tab"), ("renew", "tab")]
    assert "what follows left for user:ada was not done" in caplog.text
