"""Reach: how many people a message gets to, and how many of them are connected."""

from types import SimpleNamespace

import pytest

from notiway import Notiway
from notiway.host.tables import User
from notiway.live import runtime
from notiway.store import membership
from notiway.values.audience import Audience
from notiway.verbs import reach

OPS = Audience.group("ops")


def test_reach_counts_members_and_those_connected(app, user, other, make_user, join, monkeypatch):
    gone = make_user("gone@example.com")
    for each in (user, other, gone):
        join(each, Audience.group("ops"))
    with app.app_context():
        User.update(is_active=False).where(User.id == gone.id).execute()
        now = runtime.current()
        monkeypatch.setattr(now.hub, "user_ids", lambda: {user.id, "guest"})
        monkeypatch.setattr(now.hub.listeners, "users_of", lambda key: {user.id, "guest"})
        assert reach.of(now, Audience.everyone()) == reach.Reach(2, 2)
        assert reach.of(now, Audience.group("ops")) == reach.Reach(3, 2), "a guest listens without being a member"
        assert reach.of(now, [user.id, other.id, user.id]) == reach.Reach(2, 1)
        assert reach.of(now, Audience.user(other.id)) == reach.Reach(1, 0)


class Connected:
    """Who is connected, and who hears which audience."""

    def __init__(self, **users_of):
        self.users = {"ada", "guest"}
        self.by_audience = users_of

    def online(self):
        return len(self.users)

    def among(self, user_ids):
        return self.users & set(user_ids)

    def users_of(self, key):
        return self.by_audience.get(key.partition(":")[2], set())


class Users:
    def __init__(self, count):
        self._count = count

    def count(self):
        return self._count


class Directory(Users):
    """An application that knows which of its members are active."""

    def count_members(self, audience):
        return 7


def test_nobody_knows_how_many_everybody_is_unless_the_application_says_so(broker):
    now = SimpleNamespace(people=None, presence=Connected())
    assert reach.of(now, Audience.everyone()) == reach.Reach(None, 2)
    now.people = Users(0)
    assert reach.of(now, Audience.everyone()) == reach.Reach(0, 2)


@pytest.mark.parametrize(("people", "counted"), [(None, 2), (Users(9), 2), (Directory(9), 7)])
def test_members_are_counted_by_whoever_knows_them_best(broker, people, counted):
    for user_id in ("ada", "bob"):
        membership.join(user_id, OPS)
    now = SimpleNamespace(people=people, presence=Connected(ops={"ada"}))
    assert reach.of(now, OPS) == reach.Reach(counted, 1)
    now.presence = Connected(ops={"ada", "guest"})
    assert reach.of(now, OPS) == reach.Reach(counted + 1, 2), "and a guest"


def test_a_message_to_nobody_reaches_nobody(broker):
    assert reach.of(SimpleNamespace(people=None, presence=Connected()), []) == reach.Reach(0, 0)


def test_who_is_connected_is_told_by_user_and_by_group(app, monkeypatch):
    with app.app_context():
        monkeypatch.setattr(runtime.current(), "presence", Connected(ops={"ada", "guest"}))
        assert Notiway.online("ada")
        assert not Notiway.online("bob")
        assert Notiway.online_among(["ada", "bob"]) == {"ada"}
        assert Notiway.online_in(OPS) == {"ada", "guest"}


@pytest.mark.parametrize("to", [Audience.everyone(), Audience.user("ada")])
def test_only_a_tenant_or_a_group_is_listened_to_by_several(to):
    with pytest.raises(ValueError, match=to.key):
        reach.online_in(to)
