"""Bell: the number and the titles that the bell of a page would show."""

from __future__ import annotations

import pytest
from alchemy import Shop
from flask_login import login_user

from notiway import send_notification
from notiway.testing import ring
from notiway.testing.bell import Bell


def test_a_test_client_hears_what_its_user_was_sent(shop: Shop) -> None:
    shop.app.add_url_rule("/in", view_func=lambda: str(login_user(shop.db.session.get(shop_user(), "ada"))))
    client = shop.app.test_client()
    with pytest.raises(AssertionError, match="signed in"):
        ring(client)
    client.get("/in")
    assert ring(client) == Bell(0, ())
    assert ring(client).badge == ""
    for title in ("first", "second"):
        send_notification("ada", title)
    assert ring(client).unread == 0
    shop.db.session.commit()
    assert (ring(client).badge, ring(client).titles) == ("2", ["second", "first"])


def shop_user() -> type:
    from alchemy import User

    return User


def test_a_badge_says_99_plus() -> None:
    assert [Bell(unread, ()).badge for unread in (99, 100)] == ["99", "99+"]
