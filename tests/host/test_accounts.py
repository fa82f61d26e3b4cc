"""Accounts: the host's own users, as commands, staff and `send_notification` look for them."""

import pytest

from notiway.host import accounts
from notiway.host.accounts import HostPeople
from notiway.host.tables import User
from notiway.live.runtime import current
from notiway.store import membership
from notiway.values.audience import Audience
from notiway.verbs import reach

ADMINS = Audience.group("admins")


def test_unknown_users_are_found_among_many(app, rows):
    for number in ("7", "1_100"):
        User.create(id=number, email=number, password_hash="x", is_active=number == "7")
    asked = [*map(str, range(1_200)), "1_100"]
    assert accounts.unknown_users(asked) == set(asked) - {"7", "1_100"}
    assert accounts.unknown_users([]) == set()


@pytest.mark.parametrize("text", [" Ada@Example.COM ", "ada@example.com", "\uff21da@example.com"])
def test_one_address_has_one_spelling(text):
    assert accounts.normal_email(text) == "ada@example.com"


def test_a_user_who_is_locked_out_is_found_by_staff_no_more_and_counts_no_more(app, rows, user, other):
    people = HostPeople()
    for each in (user, other):
        membership.join(each.id, ADMINS)
    accounts.deactivate(other.id)
    assert [person.id for person in people.search("example.com", 10)] == [user.id]
    assert {person.id for person in people.named([user.id, other.id, "nobody"])} == {user.id, other.id}
    assert (people.count(), people.count_members(ADMINS.key)) == (1, 1)
    with app.app_context():
        assert reach.of(current(), ADMINS).people == 1


def test_a_user_who_is_locked_out_may_be_let_in_again(app, rows, user):
    assert accounts.is_active(user.id) is True
    assert accounts.deactivate(user.id)
    assert accounts.is_active(user.id) is False
    assert accounts.activate(user.id)
    assert accounts.is_active(user.id) is True
    assert accounts.is_active("nobody") is None
    assert not accounts.activate("nobody")


def test_a_user_is_made_staff_and_is_staff_no_more(app, rows, user):
    for wanted in (True, False):
        accounts.set_staff(user.id, wanted)
        assert accounts.find(user.id).is_staff is wanted


def test_a_user_is_found_by_id_or_by_address_also_when_locked_out(app, rows, user, other):
    accounts.deactivate(other.id)
    assert accounts.find_named(user.id).id == user.id
    assert accounts.find_named(f" {other.email.upper()} ").id == other.id
    assert accounts.find_named("nobody") is None
    assert accounts.find_named("no\0body") is None
