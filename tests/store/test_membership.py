"""Members: which audiences a user listens to, and who exists."""

import pytest
from fresh import verbs

from notiway.store import inbox, membership
from notiway.store.database import db
from notiway.store.tables import Membership
from notiway.values.audience import Audience
from notiway.verbs.send import send_notification

ACME = Audience.tenant("acme")
ADMINS = Audience.group("admins")
ACME_ADMINS = Audience.group("admins", "acme")


@pytest.fixture(autouse=True)
def broker(place):
    with verbs(place) as notebook:
        yield notebook


def test_everybody_listens_to_all_and_to_oneself():
    assert membership.listens_to("7") == ["global", "user:7"]


def test_a_member_listens_to_its_tenants_and_groups():
    for audience in (ACME, ADMINS, ACME_ADMINS):
        membership.join("7", audience)
    assert set(membership.listens_to("7")) == {"global", "user:7", "tenant:acme", "group:admins", "group:acme:admins"}
    assert membership.listens_to("8") == ["global", "user:8"]


def test_joining_twice_is_joining_once():
    membership.join("7", ADMINS)
    membership.join("7", ADMINS)
    assert Membership.select().count() == 1


def test_leaving_ends_one_membership():
    membership.join("7", ADMINS)
    membership.join("7", ACME_ADMINS)
    membership.join("8", ADMINS)
    membership.leave("7", ADMINS)
    assert membership.listens_to("7") == ["global", "user:7", "group:acme:admins"]
    assert "group:admins" in membership.listens_to("8")


@pytest.mark.parametrize("audience", [Audience.everyone(), Audience.user("1"), Audience.connection("c")])
def test_only_tenants_and_groups_have_members(audience):
    with pytest.raises(ValueError):
        membership.join("7", audience)


@pytest.mark.parametrize(
    ("audience", "patterns", "allowed"),
    [
        (ADMINS, (), False),
        (ADMINS, ("dashboard-*",), False),
        (Audience.group("dashboard-7"), ("dashboard-*",), True),
        (Audience.group("Dashboard-7"), ("dashboard-*",), False),
        (Audience.group("dashboard-7", "acme"), ("dashboard-*",), False),
        (Audience.group("dashboard-7", "acme"), ("*",), False),
        (Audience.tenant("dashboard-7"), ("*",), False),
        (Audience.user("8"), ("*",), False),
        (Audience.connection("c"), ("*",), False),
    ],
)
def test_a_stranger_may_listen_to_open_groups_only(audience, patterns, allowed):
    assert membership.may_subscribe("7", audience, patterns) is allowed


@pytest.mark.parametrize("audience", [ACME, ADMINS, ACME_ADMINS])
def test_a_member_may_listen_until_it_leaves(audience):
    membership.join("7", audience)
    assert membership.may_subscribe("7", audience)
    assert not membership.may_subscribe("8", audience)
    membership.leave("7", audience)
    assert not membership.may_subscribe("7", audience)


def test_membership_of_a_tenant_is_none_of_its_groups():
    membership.join("7", ACME)
    assert not membership.may_subscribe("7", ACME_ADMINS)
    assert not membership.may_subscribe("7", ADMINS)


def test_who_joins_later_finds_what_was_sent_before():
    send_notification(ADMINS, "before")
    send_notification(Audience.everyone(), "to all")
    inbox.catch_up("ada")
    assert [item.title for item in inbox.feed("ada").items] == ["to all"]
    membership.join("ada", ADMINS)
    assert [item.title for item in inbox.feed("ada").items] == ["to all", "before"]


def test_joining_brings_back_nothing_that_was_deleted_or_read():
    first, second = send_notification(Audience.everyone(), "first"), send_notification(Audience.everyone(), "second")
    inbox.catch_up("ada")
    inbox.delete("ada", [first.id])
    inbox.mark_read("ada", [second.id])
    membership.join("ada", ADMINS)
    page = inbox.feed("ada")
    assert [(item.title, item.is_read) for item in page.items] == [("second", True)]


def test_leaving_keeps_what_is_there_and_brings_nothing_new():
    membership.join("ada", ADMINS)
    send_notification(ADMINS, "as a member")
    inbox.catch_up("ada")
    membership.leave("ada", ADMINS)
    send_notification(ADMINS, "afterwards")
    assert [item.title for item in inbox.feed("ada").items] == ["as a member"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", [("group:acme:ops", 2), ("group:ops", 1), ("tenant:ACME", 3), ("tenant:zeta", 1)]),
        ("acme", [("group:acme:ops", 2), ("tenant:ACME", 3)]),
        ("OPS", [("group:acme:ops", 2), ("group:ops", 1)]),
        ("group", []),
        ("%", []),
        ("nobody", []),
    ],
)
def test_audiences_are_found_by_a_part_of_their_name_with_their_members(text, found):
    for number, key in enumerate(["tenant:ACME"] * 3 + ["group:acme:ops"] * 2 + ["group:ops", "tenant:zeta"]):
        membership.join(str(number), Audience.parse(key))
    assert membership.find_audiences(text, 10) == found
    assert membership.find_audiences(text, 1) == found[:1]


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_looking_for_an_audience_costs_by_audiences_and_not_by_members():
    for number in range(500):
        Membership.insert(user_id=str(number), audience="tenant:acme").execute()
    steps = []
    connection = db.obj.connection()
    connection.set_progress_handler(lambda: steps.append(1), 100)
    assert membership.find_audiences("other", 10) == []
    connection.set_progress_handler(None, 0)
    assert len(steps) < 5
