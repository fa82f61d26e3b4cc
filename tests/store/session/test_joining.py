"""Joining: which work belongs to the host's session, and which is Notiway's own."""

from __future__ import annotations

from collections.abc import Callable

from alchemy import Shop

from notiway import send_notification
from notiway.store.database import db
from notiway.store.session.joining import joins, stands_aside, waits


def test_without_a_session_verbs_run_as_they_are() -> None:
    def verb(number: int) -> tuple[int, bool]:
        """Doubles."""
        return 2 * number, db.is_joined

    for each in (joins, stands_aside):
        assert each(verb)(4) == (8, False)
        assert each(verb).__doc__ == "Doubles."
    assert not waits(str)


def test_a_verb_inside_another_is_part_of_the_same_savepoint(shop: Shop) -> None:
    inside: list[bool] = []
    stands_aside(joins(lambda: inside.append(db.is_joined)))()
    joins(joins(lambda: inside.append(db.is_joined)))()
    assert inside == [False, True]


def test_work_of_our_own_commits_by_itself(shop: Shop) -> None:
    with db.own_work():
        send_notification("ada", "own")
    with db.connection_context():
        send_notification("ada", "live")
    assert shop.told == ["own", "live"]
    shop.db.session.rollback()
    assert shop.rows() == ([], ["own", "live"])


def test_a_command_commits_by_itself(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop()
    done = shop.app.test_cli_runner().invoke(args=["notiway", "send", "user:ada", "--title", "From the shell"])
    assert done.exit_code == 0, done.output
    assert shop.rows() == ([], ["From the shell"])
