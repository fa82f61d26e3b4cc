"""Outbox: what was sent, to whom and in the order of the commits; an assertion that fails shows it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from alchemy import Shop, address

from notiway import Audience, send_notification
from notiway.testing import outbox


def test_all_that_was_committed_is_in_it_in_order(shop: Shop) -> None:
    with outbox() as sent:
        send_notification("ada", "first", name="order-placed")
        send_notification(Audience.group("staff"), "second", persist=False)
        assert (sent.titles, [each.title for each in sent.uncommitted]) == ([], ["first", "second"])
        shop.db.session.commit()
        send_notification("ada", "undone")
        shop.db.session.rollback()
    assert sent.titles == ["first", "second"]
    assert [(each.kind, sorted(each.to), each.persisted) for each in sent] == [
        ("order-placed", ["user:ada"], True),
        ("notification", ["group:staff"], False),
    ]
    assert [each.title for each in sent.uncommitted] == ["undone"]
    assert sent[-1] in sent[1:]
    send_notification("ada", "after the test")
    shop.db.session.commit()
    assert len(sent) == 2


def test_what_is_as_wanted_is_found(shop: Shop) -> None:
    with outbox(shop.app) as sent:
        send_notification(["ada", "bob"], "Order 7 placed", "Soon.", type="success", action_url="/orders/7")
        send_notification("ada", "Order 8 placed")
        shop.db.session.commit()
    for to in ("ada", ["bob", "ada"], Audience.user("bob")):
        assert sent.assert_sent(to=to, title="Order 7 placed").action_url == "/orders/7"
    assert sent.assert_sent(title=re.compile(r"8 placed$"), message="").title == "Order 8 placed"
    sent.assert_sent(to="ada", times=2)
    sent.assert_sent(type="success", priority="medium", times=1)
    sent.assert_nothing_sent(to="cy")
    sent.assert_nothing_sent(to="bob", title="Order 8 placed")
    assert [each.title for each in sent.to("bob")] == ["Order 7 placed"]
    sent.clear()
    sent.assert_nothing_sent()


def test_an_assertion_that_fails_shows_what_was_sent_instead(shop: Shop) -> None:
    with outbox() as sent:
        send_notification("bob", "Order placed", name="order-placed", persist=False)
        shop.db.session.commit()
        send_notification("ada", "Forgotten")
    with pytest.raises(AssertionError) as failed:
        sent.assert_sent(to="ada", kind="order-placed")
    assert str(failed.value).splitlines() == [
        "No notification to user:ada with kind='order-placed' was sent.",
        "Sent were, in this order:",
        "  1. 'Order placed' to user:bob; kind order-placed, info, medium, not stored",
        "Sent in a transaction that was not committed (commit it, or leave its `with` block):",
        "  1. 'Forgotten' to user:ada; kind notification, info, medium",
    ]
    with pytest.raises(AssertionError, match="1 to user:bob were sent, not 2"):
        sent.assert_sent(to="bob", times=2)
    with pytest.raises(AssertionError, match="'Order placed' to user:bob"):
        sent.assert_nothing_sent()
    with outbox() as empty, pytest.raises(AssertionError, match="No notification was sent"):
        empty.assert_sent()


def test_a_test_that_asks_for_what_no_notification_has_is_told_so(shop: Shop) -> None:
    with outbox() as sent:
        send_notification("ada", "Order placed")
        shop.db.session.commit()
    with pytest.raises(TypeError, match="titel"):
        sent.assert_sent(titel="Order placed")
    with pytest.raises(ValueError, match="user id"):
        sent.assert_sent(to=object())


def test_in_another_database_it_is_sent_after_the_commit_too(tmp_path: Path) -> None:
    shop = Shop(address(tmp_path), tmp_path, NOTIWAY_DATABASE_URL=f"sqlite:///{tmp_path}/own.db")
    with shop.app.app_context(), outbox() as sent:
        shop.db.session.begin()
        send_notification("ada", "kept")
        assert [each.title for each in sent.uncommitted] == ["kept"]
        shop.db.session.commit()
        assert (sent.titles, list(sent.uncommitted)) == (["kept"], [])
    shop.close()
