"""Stored: what a site's database holds of a ledger's messages, on SQLite and on PostgreSQL."""

from __future__ import annotations

import sqlite3

import psycopg
from serving import Site

from chaos.ledger import Ledger

TITLES = "SELECT title, count(*) FROM notiway_notification GROUP BY title"


def read_store(site: Site, ledger: Ledger) -> None:
    """Note in the ledger how often each message that was sent is stored now."""
    ledger.note_stored(_titles(site.environment["NOTIWAY_DATABASE_URL"]))


def is_stored(site: Site, ledger: Ledger) -> bool:
    """Whether all that was acknowledged is stored."""
    read_store(site, ledger)
    return set(ledger.stored) >= ledger.acknowledged


def _titles(url: str) -> dict[str, int]:
    if url.startswith("postgresql:"):
        with psycopg.connect(url) as asked:
            return dict(asked.execute(TITLES).fetchall())
    with sqlite3.connect(url.removeprefix("sqlite:///"), timeout=30) as opened:
        found = dict(opened.execute(TITLES).fetchall())
    opened.close()
    return found
