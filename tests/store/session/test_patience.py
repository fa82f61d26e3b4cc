"""Patience: without gevent an engine stays as it is; with it test_host_session.py sees greenlets go on."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from notiway.store.session import patience


def test_without_gevent_nothing_is_changed(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/shop.db")
    patience.let_others_run(engine)
    with engine.connect() as connection:
        assert connection.execute(text("PRAGMA busy_timeout")).scalar_one() == 5000
    engine.dispose()


def test_a_statement_that_meets_a_lock_is_tried_until_it_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "is_patched", lambda: True)
    engine = create_engine(f"sqlite:///{tmp_path}/shop.db")
    patience.let_others_run(engine)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE thing (name TEXT)"))
    held = sqlite3.connect(tmp_path / "shop.db", isolation_level=None, check_same_thread=False)
    held.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.1, held.execute, ["COMMIT"])
    timer.start()
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO thing VALUES (:name)"), [{"name": "one"}, {"name": "two"}])
        connection.execute(text("INSERT INTO thing VALUES ('three')"))
        assert connection.execute(text("SELECT COUNT(*) FROM thing")).scalar_one() == 3
    timer.join()
    held.close()
    engine.dispose()


def test_one_that_waiting_cannot_help_fails_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "is_patched", lambda: True)
    monkeypatch.setattr("notiway.store.engine.turns.LOCK_WAIT_SECONDS", 600)
    engine = create_engine(f"sqlite:///{tmp_path}/shop.db")
    patience.let_others_run(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode = wal")
        connection.exec_driver_sql("CREATE TABLE thing (name TEXT)")
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql("SELECT * FROM thing").all()
        other = sqlite3.connect(tmp_path / "shop.db", isolation_level=None)
        other.execute("INSERT INTO thing VALUES ('other')")
        other.close()
        with pytest.raises(OperationalError, match="another transaction wrote"):
            connection.exec_driver_sql("INSERT INTO thing VALUES ('late')")
    engine.dispose()
