"""Renewal: a connection goes on with a newer token, and hears what that one allows."""

import pytest
from pair import settle

from notiway.live.carriers import joining
from notiway.live.state import State
from notiway.store import membership
from notiway.values.audience import Audience
from notiway.values.errors import Forbidden, Unauthorized
from notiway.values.principal import Principal
from notiway.web.sockets.renewal import renew

OPS = Audience.group("ops")


@pytest.fixture
def app(make_app):
    return make_app(NOTIWAY_HEARTBEAT_SECONDS=3_600, NOTIWAY_OPEN_GROUPS="open-*", NOTIWAY_USERS="external")


def audiences(now, connection):
    settle(now.reactor)
    return set(connection.audiences) - {"global", "user:ada"}


def test_a_connection_lives_as_long_as_the_newer_token(now, join, token):
    connection, _ = join(Principal("ada", ends_at=1.0))
    renew(now, connection, token("ada", seconds=60))
    settle(now.reactor)
    now.reactor.call_soon(now.hub._deadlines._close_due)
    settle(now.reactor)
    assert connection.state is State.OPEN
    assert connection.ends_at > 1.0


def test_what_only_the_older_token_granted_is_heard_no_more(now, ada, token):
    connection, _ = ada
    connection.grants = ("group:ops", "group:both")
    for name in ("ops", "both"):
        joining.subscribe(now, connection, Audience.group(name))
    assert audiences(now, connection) == {"group:ops", "group:both"}
    renew(now, connection, token("ada", audiences=("group:both", "group:new")))
    assert audiences(now, connection) == {"group:both"}
    assert connection.grants == ("group:both", "group:new")


def test_memberships_and_open_groups_need_no_grant(now, join, token):
    membership.join("ada", OPS)
    connection, _ = join(Principal("ada", grants=("group:granted",)))
    for name in ("open-house", "granted"):
        joining.subscribe(now, connection, Audience.group(name))
    assert audiences(now, connection) == {"group:ops", "group:open-house", "group:granted"}
    renew(now, connection, token("ada"))
    assert audiences(now, connection) == {"group:ops", "group:open-house"}


@pytest.mark.parametrize(("tenant", "left"), [("acme", {"tenant:acme"}), ("globex", set()), (None, set())])
def test_a_tenant_is_heard_while_the_token_names_it(now, join, token, tenant, left):
    connection, _ = join(Principal("ada", tenant_id="acme"))
    renew(now, connection, token("ada", tenant_id=tenant))
    assert audiences(now, connection) == left


@pytest.mark.parametrize(("user_id", "seconds", "fault"), [("bob", 60, Forbidden), ("ada", -1, Unauthorized)])
def test_a_token_of_somebody_else_or_of_yesterday_changes_nothing(now, ada, token, user_id, seconds, fault):
    connection, _ = ada
    connection.grants = ("group:ops",)
    joining.subscribe(now, connection, OPS)
    with pytest.raises(fault):
        renew(now, connection, token(user_id, seconds=seconds, audiences=("group:secret",)))
    assert audiences(now, connection) == {"group:ops"}
    assert (connection.grants, connection.ends_at) == (("group:ops",), None)


@pytest.mark.parametrize("given", ["", "nonsense", "a.b.c"])
def test_what_is_no_token_is_unauthorized(now, ada, given):
    with pytest.raises(Unauthorized):
        renew(now, ada[0], given)
