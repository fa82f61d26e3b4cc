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


def test_a_session_that_began_before_the_end_of_all_sessions_is_over(app, rows, user):
    accounts.end_sessions(user.id, now=1_000)
    assert accounts.find(user.id).signed_out_at == 1_000
    assert User.get_by_id(user.id).is_active
