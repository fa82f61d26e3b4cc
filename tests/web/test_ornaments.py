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


def test_in_production_a_fault_of_the_program_leaves_the_part_out_and_is_logged_once(app, told, caplog):
    app.testing = False
    assert [told(ZeroDivisionError("by zero")) for _ in range(2)] == [("empty", 1)] * 2
    assert "the bell is left out" in caplog.text
    assert "by zero" in caplog.text
    app.debug = True
    with pytest.raises(ZeroDivisionError):
        told(ZeroDivisionError())


def test_a_part_that_cannot_even_be_drawn_empty_is_nothing(app):
    app.testing = False
    with app.app_context():
        assert drawn("the bell", lambda: draw(LookupError()), lambda: draw(LookupError())) == ""


def test_a_database_that_does_not_answer_is_asked_once_for_each_page_and_one_that_is_locked_again(app):
    asked = []

    def ask(error):
        asked.append(str(error))
        raise error

    for error in (Unavailable("away"), Unavailable("The database is locked")):
        with app.app_context():
            for name in ("the banners", "the bell"):
                assert drawn(name, lambda error=error: ask(error), lambda: "empty") == "empty"
    assert asked == ["away", "The database is locked", "The database is locked"]
