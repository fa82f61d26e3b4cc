"""People: what an application offers of its own users, more or less of it."""

import pytest

import notiway
from notiway.host.accounts import HostPeople
from notiway.values.people import CountsMembers, People, Person


class Bare:
    """As little as `Notiway(people=…)` needs."""

    def search(self, text, limit):
        return []

    def named(self, user_ids):
        return []

    def count(self):
        return 0


class Counting(Bare):
    def count_members(self, audience):
        return 7


@pytest.mark.parametrize(
    ("people", "counts"), [(Bare(), False), (Counting(), True), (HostPeople(), True), (None, False)]
)
def test_only_who_can_count_members_is_asked_to(people, counts):
    assert isinstance(people, CountsMembers) is counts


@pytest.mark.parametrize("kind", [Bare, HostPeople])
def test_whoever_answers_these_questions_is_enough(kind):
    asked = {name for name in vars(People) if not name.startswith("_")}
    assert asked == {"search", "named", "count"}
    assert asked <= set(dir(kind))


def test_a_person_needs_an_id_and_a_name_only():
    assert Person("7", "Ada").detail == ""
    assert notiway.Person is Person
    assert len({Person("7", "Ada"), Person("7", "Ada"), Person("7", "Ada", "ada@example.com")}) == 2
