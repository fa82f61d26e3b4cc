"""Finding: the newest part of an inbox answers first, and a search that ends early says how far it looked."""

import pytest

from notiway.store import inbox
from notiway.store.search import catalogue, finding, walking
from notiway.store.search.filters import Filters
from notiway.values.clock import now_ms
from notiway.verbs.send import send_notification


@pytest.fixture
def found(app, rows, user, monkeypatch):
    """Searches in an inbox of 20, of which one statement looks at 5, and one search at 10."""
    monkeypatch.setattr(walking, "WALK", 5)
    monkeypatch.setattr(walking, "PARTS", 2)
    with app.app_context():
        for number in range(20):
            send_notification(user.id, f"Invoice {number:02}", source=f"shop {number % 2}")
        inbox.catch_up(user.id)

        def find(limit=3, before=None, **filters):
            return finding.newest(user.id, Filters(**filters), now=now_ms(), before=before, limit=limit)

        yield find


def titles(part):
    return [item.title for item in part.items]


def test_what_is_in_the_newest_part_needs_no_other(found, monkeypatch):
    monkeypatch.setattr(catalogue, "look_up", lambda *_: pytest.fail("the catalogue was asked"))
    assert titles(found(text="invoice")) == ["Invoice 19", "Invoice 18", "Invoice 17"]


def test_a_search_that_ends_early_says_how_far_it_looked_and_goes_on_from_there(found, user, monkeypatch):
    asked = []
    monkeypatch.setattr(catalogue, "ask", asked.append)
    first = found(text="invoice 03")
    assert titles(first) == []
    assert first.reached is not None
    assert asked == [user.id]  # from now on it is listed
    assert titles(found(text="invoice 03", before=first.reached)) == ["Invoice 03"]


def test_sources_are_those_of_the_newest_items(found, user, monkeypatch):
    assert finding.sources(user.id) == ["shop 0", "shop 1"]
    assert len(finding.sources(user.id, limit=1)) == 1
    monkeypatch.setattr(finding, "SOURCES_OF", 1)
    assert finding.sources(user.id) == ["shop 1"]


def test_a_category_is_found_beyond_what_the_catalogue_knows(found, user):
    """It is in no column: whatever the catalogue finds by the rest is looked at again, and without a rest all is."""
    send_notification(user.id, "Paid", category="money", source="shop 1")
    assert titles(found(category="money")) == ["Paid"]
    catalogue.ask(user.id)
    catalogue.follow()
    send_notification(user.id, "Paid twice", category="money", source="shop 2")
    for filters in ({}, {"text": "paid"}, {"source": "shop 1"}):
        assert "Paid" in titles(found(category="money", **filters))
        assert found(category="orders", **filters).items == []
