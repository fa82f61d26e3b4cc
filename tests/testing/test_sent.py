"""Sent: whom a notification was for is said as `send_notification` takes it."""

from __future__ import annotations

from typing import Any

import pytest

from notiway import Audience
from notiway.testing.sent import ANYBODY, Sent, described, fits, keys_of, listed
from notiway.values.item import Item


def made(audience: str, *user_ids: str) -> Sent:
    item = Item("1", audience, "sale", "info", "low", "Sale", "", created_at=0, persisted=True)
    return Sent(item, user_ids)


@pytest.mark.parametrize(
    ("to", "keys"),
    [("ada", {"user:ada"}), (["ada", 7], {"user:ada", "user:7"}), (Audience.group("staff"), {"group:staff"})],
)
def test_recipients_become_keys(to: Any, keys: set[str]) -> None:
    assert keys_of(to) == keys


def test_one_of_several_named_users_fits_and_an_audience_is_no_user() -> None:
    several, broadcast = made("several", "ada", "bob"), made("group:staff")
    assert (several.to, broadcast.to) == ({"user:ada", "user:bob"}, {"group:staff"})
    assert fits(several, "bob", {"title": "Sale"})
    assert not fits(several, ["bob", "cy"], {})
    assert not fits(broadcast, "staff", {})
    assert fits(broadcast, ANYBODY, {"priority": "low"})


def test_words_for_people() -> None:
    assert described(ANYBODY, {}) == ""
    assert described("ada", {"title": "Sale"}) == "to user:ada with title='Sale' "
    assert listed([made("user:ada", "ada")]) == "  1. 'Sale' to user:ada; kind sale, info, low"
