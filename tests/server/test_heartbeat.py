"""Heartbeats carry the count, keep who answers, and let go of who does not."""

import sqlite3
from contextlib import closing

import psycopg
import pytest
from websockets.frames import Opcode

from server.raw import frame, raw
from server.talk import burst, is_open_elsewhere, listen, new_visitor

BEATS = 3


@pytest.fixture
def guest(quick_site):
    with new_visitor(quick_site) as visitor:
        yield visitor


def test_a_client_that_answers_stays_and_hears_its_count_at_each_beat(guest):
    burst(guest, 2)
    with listen(guest) as tab:
        assert [tab.hear() for _ in range(BEATS * 2)] == [{"event": "pong", "data": {"unreadCount": 2}}] * BEATS * 2


def test_a_badge_that_has_drifted_heals_by_itself(guest):
    ids = burst(guest, 2)
    with listen(guest) as tab:
        read_elsewhere(guest.site, ids[0])
        tab.hear_all(until=lambda message: message == {"event": "pong", "data": {"unreadCount": 1}})


def read_elsewhere(site, notification_id):
    """Without an Event."""
    update = f"UPDATE notiway_inbox_item SET read_at = 1 WHERE notification_id = '{notification_id}'"
    url = site.environment["NOTIWAY_DATABASE_URL"]
    if url.startswith("postgresql:"):
        with psycopg.connect(url) as connection:
            connection.execute(update)
        return
    with closing(sqlite3.connect(site.folder / "notiway.db")) as database, database:
        database.execute(update)


def test_html_clients_get_their_badge_at_each_beat(guest):
    burst(guest, 3)
    with listen(guest, connected=False, format="html") as tab:
        tab.socket.recv(timeout=60)
        badge = tab.socket.recv(timeout=60)
        assert 'data-count="3"' in badge
        assert badge == tab.socket.recv(timeout=60)


def test_a_client_that_is_silent_is_let_go(guest):
    with raw(guest) as client:
        assert client.close_code() is None
    is_open_elsewhere(guest.site, 0)


def test_half_a_frame_and_then_silence_is_let_go(guest):
    with raw(guest) as client:
        client.send(frame('{"action": "ping"}')[:-3])
        assert client.close_code() is None


def test_each_beat_is_a_ping_and_a_pong_is_enough_to_stay(guest):
    with raw(guest) as client:
        pings = 0
        for each in client.frames():
            if each.opcode is Opcode.PING:
                pings += 1
                client.send(frame(b"", Opcode.PONG))
            if pings > BEATS:
                break
        assert pings > BEATS
