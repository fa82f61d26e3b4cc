"""Parts of pages that a page can do without: what fails is told once, and told again only after it was well."""

import pytest

from notiway.values.errors import Unavailable
from notiway.web.ornaments import drawn


def draw(value):
    if isinstance(value, Exception):
        raise value
    return value


@pytest.fixture
def told(app, caplog):
    """Draws a part, as a page of the application; returns what was drawn, and how many lines the log has."""

    def try_to(value, name="the bell"):
        with app.app_context():
            return drawn(name, lambda: draw(value), lambda: "empty"), len(caplog.records)

    return try_to


def test_the_same_fault_is_logged_once_and_again_after_it_was_gone(told):
    assert told(Unavailable("away")) == ("empty", 1)
    assert told(Unavailable("away")) == ("empty", 1)
    assert told(Unavailable("away"), "the banners") == ("empty", 1)
    assert told(Unavailable("locked")) == ("empty", 2)
    assert told("full") == ("full", 2)
    assert told("full", "the banners") == ("full", 2)
    assert told(Unavailable("away")) == ("empty", 3)


def test_a_fault_of_the_program_is_not_hidden(told):
    with pytest.raises(ZeroDivisionError):
        told(ZeroDivisionError())
