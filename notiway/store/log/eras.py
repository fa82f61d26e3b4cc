"""Eras: a database that was restored, moved or failed over goes on from an earlier moment: positions come again.

A cursor of a client names positions. In another future than the client's they stand for other rows, so each cursor
names its era too. One of another era is taken up by the time at which it was given out.
"""

from __future__ import annotations

import secrets
from weakref import WeakKeyDictionary

import peewee

from notiway.store.database import db
from notiway.store.sql import has_one_writer, run

ERAS = 2**53  # what JSON numbers carry everywhere
NAME = "era"
FIND = f"SELECT value FROM notiway_counter WHERE name = '{NAME}'"
BEGIN = f"INSERT INTO notiway_counter (name, value) VALUES ('{NAME}', ?) ON CONFLICT (name) DO NOTHING"
FORGET = f"DELETE FROM notiway_counter WHERE name = '{NAME}'"  # in a copy: whoever opens it begins an era
# A dump that is loaded elsewhere has another system; a standby that takes over, or a recovery up to some moment, begins
# another timeline of the same system.
OF_SERVER = (
    "SELECT (SELECT system_identifier FROM pg_control_system()), pg_is_in_recovery(),"
    " CASE WHEN pg_is_in_recovery() THEN '' ELSE substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END"
)

_known: WeakKeyDictionary[peewee.Database, str] = WeakKeyDictionary()


def current() -> str:
    """The era of the database as it is now; it costs a statement once for each process or connection."""
    return _of_file() if has_one_writer() else _of_server()


def _of_file() -> str:
    database = db.obj
    known = _known.get(database)
    if known is None:
        row = run(FIND).fetchone()
        if row is None:
            run(BEGIN, (secrets.randbelow(ERAS),))
            row = run(FIND).fetchone()
        known = str(row[0])
        if database is db.own:  # else a host's session may roll back what has begun here
            _known[database] = known
    return known


def _of_server() -> str:
    # A connection ends when its server does, and so it belongs to one era.
    connection = db.obj.connection()
    known: str | None = vars(connection).get("notiway_era")
    if known is None:
        try:
            with db.atomic():
                system, _, timeline = run(OF_SERVER).fetchone()
            known = f"{system}.{timeline}"
        except peewee.ProgrammingError:  # a server that does not say, as some that are rented
            known = ""
        vars(connection)["notiway_era"] = known
    return known
