"""Settings: read, changed one upon the other, and never in the way of the bell."""

import threading
from dataclasses import replace

import pytest
from flask import current_app
from fresh import verbs

from notiway.store import inbox
from notiway.store.attention import settings
from notiway.store.attention.table import AttentionSettings
from notiway.store.database import db
from notiway.values.attention.attention import Attention
from notiway.verbs.send import send_notification


@pytest.fixture(autouse=True)
def broker(place):
    with verbs(place) as notebook:
        yield notebook


def louder(attention):
    return replace(attention, volume=attention.volume + 1)


def test_whoever_has_changed_nothing_has_no_row():
    assert settings.read("ada") == (Attention(), 0)
    assert AttentionSettings.select().count() == 0


def test_each_change_builds_on_the_one_before_and_is_numbered():
    settings.change("ada", lambda before: replace(before, sound=True))
    assert settings.change("ada", louder) == (Attention(sound=True, volume=51), 2)
    assert settings.read("ada") == (Attention(sound=True, volume=51), 2)
    assert settings.read("bob") == (Attention(), 0)


def test_what_is_refused_changes_nothing():
    settings.change("ada", louder)

    def refuse(_):
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        settings.change("ada", refuse)
    assert settings.read("ada") == (Attention(volume=51), 1)


def test_two_devices_at_once_lose_nothing():
    app = current_app._get_current_object()
    together = threading.Barrier(4)

    def press():
        with app.app_context():
            together.wait(30)
            settings.change("ada", louder)
            db.close()

    threads = [threading.Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert settings.read("ada") == (Attention(volume=54), 4)


def test_a_page_that_was_drawn_before_compares_itself():
    send_notification("ada", "Hello")
    inbox.feed("ada")
    before = inbox.changes("ada")
    settings.change("ada", louder)
    assert inbox.changes("ada") > before


@pytest.mark.parametrize("text", ["no json", "[]", '{"schedule": 3}', "null"])
def test_what_other_hands_spoilt_is_told_and_the_bell_rings_as_usual(text, caplog):
    AttentionSettings.create(user_id="ada", revision=7, settings=text)
    assert settings.read("ada") == (Attention(), 7)
    assert "stored settings of user ada" in caplog.text
    assert settings.change("ada", louder) == (Attention(volume=51), 8)
