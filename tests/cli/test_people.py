"""Users as operators name them: by id, or by the address that the application knows them by."""

import pytest

from notiway.cli.people import LOOKED_AT, user_id_of
from notiway.live import runtime
from notiway.values.errors import NotFound
from notiway.values.people import Person


class Directory:
    """An application's people, found by any part of their name or address."""

    def __init__(self, *people):
        self.people = people
        self.asked = []

    def search(self, text, limit):
        self.asked.append((text, limit))
        return self.people[:limit]


@pytest.fixture
def directory(app):
    """Makes the application know these people: `directory(Person("7", "Ada", "ada@example.com"))`."""

    def know(*people):
        runtime.current().people = Directory(*people)
        return runtime.current().people

    with app.app_context():
        yield know


ADA = Person("7", "Ada", "ada@example.com")
OTHER = Person("8", "Ada", "nada@example.com")
NAMED_BY_ADDRESS = Person("9", "Grace@Example.com", "Accounts")


@pytest.mark.parametrize("text", ["ada@example.com", "ADA@Example.COM", "  ada@example.com "])
def test_an_address_finds_exactly_that_user(directory, text):
    people = directory(OTHER, ADA)
    assert user_id_of(text) == "7"
    assert people.asked == [(text.strip(), LOOKED_AT)]


def test_an_application_may_show_the_address_as_the_name(directory):
    directory(NAMED_BY_ADDRESS)
    assert user_id_of("grace@example.com") == "9"


@pytest.mark.parametrize("people", [(), (OTHER,)])
def test_an_address_that_only_resembles_another_is_nobody(directory, people):
    directory(*people)
    with pytest.raises(NotFound, match="ada@example"):
        user_id_of("ada@example.com")


@pytest.mark.parametrize("text", ["7", "Ada", "0190-some-uuid"])
def test_any_other_text_is_an_id_and_looks_for_nobody(directory, text):
    people = directory(ADA)
    assert user_id_of(text) == text
    assert people.asked == []


def test_where_nobody_can_be_looked_up_an_address_is_an_id_too(app):
    with app.app_context():
        runtime.current().people = None
        assert user_id_of("ada@example.com") == "ada@example.com"
