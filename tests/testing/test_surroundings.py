"""Surroundings: tables for a test, time that stands still, and jobs that run at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alchemy import SECRET_KEY, Base, Shop, User, address
from flask import Flask
from flask_login import LoginManager, login_user
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import event
from sqlalchemy.orm import scoped_session, sessionmaker

from notiway import Notiway, jobs, send_notification
from notiway.store import inbox
from notiway.testing import clock, eager_jobs, outbox, prepared, ring
from notiway.values.clock import now_ms
from notiway.verbs import items


def test_time_stands_still_and_moves_on_as_told(shop: Shop) -> None:
    with clock(datetime(2030, 1, 1, tzinfo=UTC)) as now:
        sent = send_notification("ada", "Sale", expires_at=now.now + timedelta(hours=1))
        shop.db.session.commit()
        assert sent.created_at == now_ms() == 1_893_456_000_000
        assert inbox.unread_count("ada") == 1
        now.advance(minutes=59)
        assert inbox.unread_count("ada") == 1
        assert now.advance(timedelta(minutes=2)) == datetime(2030, 1, 1, 1, 1, tzinfo=UTC)
        assert inbox.unread_count("ada") == 0
        with clock() as inner:
            assert inner.now.year < 2030
        assert now.now.year == 2030
    assert now_ms() < 1_893_456_000_000


def test_ids_go_by_the_clock_of_the_test(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    with clock(datetime(2001, 1, 1, tzinfo=UTC)) as now:
        titles = []
        for number in range(5):
            send_notification("ada", str(number))
            titles.insert(0, str(number))
            now.advance(days=1)
        shop.db.session.commit()
        assert [each.title for each in inbox.feed("ada").items] == titles
    assert caplog.records == []


def test_a_job_runs_at_once_and_what_it_raises_is_raised(shop: Shop) -> None:
    done: list[Any] = []

    def pack(title: str) -> None:
        done.append(title)
        if title == "bad":
            raise LookupError(title)

    jobs.add(shop.app, pack)
    jobs.enqueue(pack, "later")
    assert done == []
    with eager_jobs():
        jobs.enqueue(pack, "now")
        assert done == ["now"]
        with pytest.raises(LookupError):
            jobs.enqueue(pack, "bad")
        with pytest.raises(Exception, match="pickle"):
            jobs.enqueue(pack, lambda: None)
    jobs.enqueue(pack, "later")
    assert done == ["now", "bad"]


def sign_in(db: SQLAlchemy, app: Flask) -> Any:
    LoginManager(app).user_loader(lambda user_id: db.session.get(User, user_id))
    app.add_url_rule("/in", view_func=lambda: str(login_user(db.session.get(User, "ada"))))
    return app.test_client()


@pytest.fixture
def open_app(tmp_path: Path) -> Iterator[Callable[[str], tuple[Flask, SQLAlchemy]]]:
    """An application without tables of Notiway's, on the database of that URL."""
    made = []

    def make(url: str) -> tuple[Flask, SQLAlchemy]:
        db = SQLAlchemy(model_class=Base)
        app = Flask("shop", instance_path=str(tmp_path))
        app.config.update(SECRET_KEY=SECRET_KEY, TESTING=True, NOTIWAY_JOBS="off", SQLALCHEMY_DATABASE_URI=url)
        db.init_app(app)
        Notiway(app, sqlalchemy=db)
        with app.app_context():
            db.create_all()
            db.session.add(User(id="ada"))
            db.session.commit()
        made.append((app, db))
        return app, db

    yield make
    for app, db in made:
        with app.app_context():
            db.engine.dispose()


def test_a_database_in_memory_is_read_by_the_session(open_app: Callable[[str], tuple[Flask, SQLAlchemy]]) -> None:
    app, db = open_app("sqlite://")
    client = sign_in(db, app)
    with prepared(app), app.app_context(), outbox() as sent:
        client.get("/in")
        send_notification("ada", "undone")
        db.session.rollback()
        send_notification("ada", "kept")
        db.session.commit()
        assert sent.titles == ring(client).titles == ["kept"]
        items.mark_all_read("ada")
        db.session.commit()
        assert ring(client).unread == 0


def test_a_test_that_rolls_back_sees_what_it_sent_and_leaves_nothing(
    place: Path | str, open_app: Callable[[str], tuple[Flask, SQLAlchemy]], monkeypatch: pytest.MonkeyPatch
) -> None:
    app, db = open_app(address(place))
    client = sign_in(db, app)
    with app.app_context():
        engine = db.engine
    if isinstance(place, Path):  # as SQLAlchemy says, for savepoints of its own
        event.listen(engine, "connect", lambda raw, _: setattr(raw, "isolation_level", None))
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
        engine.dispose()
    own = db.session
    with prepared(app), engine.connect() as connection:
        around = connection.begin()
        session = scoped_session(sessionmaker(connection, join_transaction_mode="create_savepoint"))
        monkeypatch.setattr(db, "session", session)
        client.get("/in")
        with app.app_context(), outbox() as sent:
            send_notification("ada", "one")
            db.session.commit()
            assert ring(client).titles == ["one"]
            client.get(f"/n/{sent[0].notification.id}")
            assert ring(client).unread == 0
        session.remove()
        around.rollback()
        monkeypatch.setattr(db, "session", own)
        assert ring(client).titles == []
