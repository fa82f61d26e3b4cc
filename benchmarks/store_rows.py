"""Rows: a large store, made by the database itself: one large inbox among many small ones, and one broadcast."""

from __future__ import annotations

from dataclasses import dataclass

import peewee

from notiway.store.sql import has_one_writer
from notiway.values.ids import id_floor

FIRST_MS = 1_780_000_000_000  # of the oldest; each is a millisecond younger
HEAVY = "user-0"  # one direct item in nine is this user's
BROADCAST = id_floor(FIRST_MS + 100_000_000)  # the newest
BATCH = 50_000  # rows that one statement makes

# `n` is the number of a row, `k` its number among those of the heavy user.
TITLE = """CASE WHEN n % 9 = 0 AND k IN (7, 5000, 60000) THEN 'Zeppelin ' || k || ' has landed'
    WHEN n % 9 = 0 AND k = 11 THEN 'Quarterly figures' WHEN n % 9 > 4 THEN 'Quarterly report ' || n
    WHEN k % 5 = 0 THEN 'Invoice ' || (100000 + n * 7 % 900000) || ' paid'
    WHEN k % 5 = 1 THEN 'Order ' || n || ' shipped' WHEN k % 5 = 2 THEN 'Deployment of web-' || (k % 97) || ' finished'
    WHEN k % 5 = 3 THEN 'Zoë commented on your ticket' ELSE '請求書 ' || k || ' が届きました' END"""
MESSAGE = (
    "'Customer ' || (n * 31 % 65521) || ' in region ' || (k % 40) || ' was told on time; nothing is left to do here.'"
)


@dataclass(frozen=True)
class Made:
    """How much there is."""

    items: int  # of all users, the broadcast's included
    users: int
    heavy: int  # in the large inbox


def fill(database: peewee.Database, items: int, users: int) -> Made:
    """Make the rows, without what would only slow that down: the tables are empty, and nobody else writes."""
    direct = items - users
    one_writer = has_one_writer()
    if one_writer:
        identity = f"printf('%08x-%04x-7000-8000-000000000000', ({FIRST_MS} + n) >> 16, ({FIRST_MS} + n) & 65535)"
        numbers = (
            "(WITH RECURSIVE numbers (n) AS (SELECT ? UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)"
            " SELECT n, n / 9 AS k FROM numbers) AS numbers"
        )
        position = "n + 1"
    else:
        hexadecimal = f"lpad(to_hex({FIRST_MS} + n), 12, '0')"
        identity = f"left({hexadecimal}, 8) || '-' || right({hexadecimal}, 4) || '-7000-8000-000000000000'"
        numbers = "(SELECT n, n / 9 AS k FROM generate_series(CAST(%s AS bigint), CAST(%s AS bigint)) n) AS numbers"
        position = f"n - {items}"
    sql = lambda text: text.replace("%", "%%") if not one_writer else text  # noqa: E731
    user = f"'user-' || CASE WHEN n % 9 = 0 THEN 0 ELSE 1 + n % {users - 1} END"
    kind = "CASE WHEN k % 20011 = 3 THEN 'error' WHEN k % 20 = 0 THEN 'warning' ELSE 'info' END"
    source = "CASE WHEN k % 33333 = 5 THEN 'audit' ELSE 'service-' || (k % 7) END"
    priority = "CASE WHEN k % 25013 = 9 THEN 'urgent' ELSE 'medium' END"
    columns = "id, audience, name, type, priority, title, message, source, created_at, position, horizon"
    chosen = f"{identity}, 'user:' || {user}, 'n', {kind}, {priority}, {TITLE}, {MESSAGE}, {source}, {FIRST_MS} + n"
    newest = direct + 1 if one_writer else -1
    with database.atomic():
        if one_writer:
            database.execute_sql("PRAGMA defer_foreign_keys = 1")
        for first in range(0, direct, BATCH):
            bounds = (first, min(first + BATCH, direct) - 1)
            database.execute_sql(
                f"INSERT INTO notiway_notification ({columns}) SELECT {sql(chosen)}, {position}, {position} + 1"
                f" FROM {numbers}",
                bounds,
            )
            database.execute_sql(
                "INSERT INTO notiway_inbox_item (user_id, notification_id, read_at, created_at, position)"
                f" SELECT {sql(user)}, {sql(identity)}, CASE WHEN k {sql('%')} 3 > 0 THEN 1 END, {FIRST_MS} + n,"
                f" {position} FROM {numbers} ORDER BY 1, 2",
                bounds,
            )
        database.execute_sql(
            f"INSERT INTO notiway_notification ({columns}) VALUES ('{BROADCAST}', 'global', 'n', 'info', 'low',"
            f" 'To everybody', '', NULL, {FIRST_MS}, {newest}, {newest} + 1)"
        )
        database.execute_sql(
            "INSERT INTO notiway_inbox_item (user_id, notification_id, seen_at, read_at, created_at, position)"
            f" SELECT 'user-' || n, '{BROADCAST}', 1, CASE WHEN n {sql('%')} 2 = 0 THEN 1 END, {FIRST_MS},"
            f" {newest} FROM {numbers} ORDER BY 1",
            (0, users - 1),
        )
        cursor = newest + 1
        database.execute_sql(
            f"INSERT INTO notiway_inbox_cursor (user_id, position) SELECT 'user-' || n, {cursor} FROM {numbers}",
            (0, users - 1),
        )
        if one_writer:
            database.execute_sql(f"INSERT INTO notiway_counter (name, value) VALUES ('position', {direct + 1})")
    database.execute_sql("ANALYZE")
    return Made(items, users, direct // 9 + 1)
