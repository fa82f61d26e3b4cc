"""Signals: receivers of the application hear of everything after its commit, and a fault of theirs harms nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from conftest import Browser
from flask import Flask

from notiway import Audience, send_notification, signals
from notiway.host import accounts
from notiway.store.database import db
from notiway.values.clock import now_ms
from notiway.verbs import items
from notiway.verbs.changes import archive, snoozes

Heard = list[tuple[str, dict[str, Any]]]
NAMES = ("sent", "seen", "read", "clicked", "acted", "deleted")


@pytest.fixture
def told(app: Flask) -> Iterator[Heard]:
    """What receivers of `app` were told: the signal's name, and what it said."""
    heard: Heard = []

    def receiver(name: str) -> Callable[..., None]:
        return lambda sender, **said: heard.append((name, said))

    with ExitStack() as stack:
        for name in NAMES:
            stack.enter_context(getattr(signals, name).connected_to(receiver(name), app))
        yield heard


def test_what_was_sent_is_told_after_the_commit_and_never_after_a_rollback(
    app: Flask, user: accounts.Account, told: Heard
) -> None:
    with app.app_context():
        with db.atomic():
            sent = send_notification(user.id, "Order placed")
            assert told == []
        with pytest.raises(ZeroDivisionError), db.atomic():
            send_notification(user.id, "undone")
            raise ZeroDivisionError
        send_notification(Audience.group("admins"), "Now", persist=False)
    assert [(name, said["notification"].title, said["audience"], said["user_ids"]) for name, said in told] == [
        ("sent", "Order placed", f"user:{user.id}", [str(user.id)]),
        ("sent", "Now", "group:admins", []),
    ]
    assert told[0][1]["notification"].id == sent.id
    assert [said["persisted"] for _, said in told] == [True, False]


def test_what_a_user_does_is_told(
    app: Flask, user: accounts.Account, auth: Callable[..., Browser], told: Heard
) -> None:
    with app.app_context():
        first, second, third = (send_notification(user.id, title).id for title in ("one", "two", "three"))
    browser, owner = auth(user), str(user.id)
    told.clear()
    browser.post("/notifications/seen", form="json", json={"ids": [first]})
    browser.get(f"/n/{first}")
    browser.delete(f"/notifications/{second}", form="json")
    browser.put("/notifications/read-all", form="json")
    url = told[2][1].pop("url")
    assert url.endswith(f"#n-{first}")
    assert told == [
        ("seen", {"user_id": owner, "ids": [first]}),
        ("read", {"user_id": owner, "ids": [first]}),
        ("clicked", {"user_id": owner, "id": first}),
        ("deleted", {"user_id": owner, "ids": [second]}),
        ("read", {"user_id": owner, "ids": [third]}),
    ]


def test_what_is_archived_or_snoozed_is_not_deleted(app: Flask, user: accounts.Account, told: Heard) -> None:
    owner = str(user.id)
    with app.app_context():
        first, second, third = (send_notification(owner, title).id for title in ("one", "two", "three"))
        told.clear()
        archive.archive(owner, [first])
        snoozes.snooze(owner, [second], now_ms() + 60_000)
        items.delete(owner, [third])
    assert told == [("deleted", {"user_id": owner, "ids": [third]})]


def test_a_receiver_that_fails_is_logged_and_the_others_are_told(
    app: Flask, user: accounts.Account, told: Heard, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(sender: Flask, **said: Any) -> None:
        raise RuntimeError("no such shelf")

    with signals.sent.connected_to(fail, app), app.app_context():
        send_notification(user.id, "Order placed")
    assert [name for name, _ in told] == ["sent"]
    assert "notiway-sent" in caplog.text
    assert "no such shelf" in caplog.text


def test_another_application_s_receivers_hear_nothing(
    app: Flask, make_app: Callable[..., Flask], user: accounts.Account
) -> None:
    heard: list[Any] = []
    with signals.sent.connected_to(lambda sender, **said: heard.append(sender), make_app()), app.app_context():
        send_notification(user.id, "Order placed")
    assert heard == []


def test_marking_nothing_is_no_news(app: Flask, user: accounts.Account, told: Heard) -> None:
    with app.app_context():
        items.mark_all_read(str(user.id))
    assert told == []
