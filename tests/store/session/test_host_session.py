"""Host session: what is sent in a SQLAlchemy session commits and rolls back with it, and rings after its commit."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextvars import copy_context
from pathlib import Path
from typing import Any

import peewee
import psycopg
import pytest
from alchemy import SECRET_KEY, Order, Shop, User, address
from flask import Flask
from postgres import END_OTHERS, Postgres
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from notiway import Audience, ConfigError, InvalidNotification, Notiway, membership, report_progress, send_notification
from notiway.store import inbox
from notiway.store import membership as members
from notiway.store.database import db
from notiway.store.session import host_session
from notiway.verbs.items import mark_read
from notiway.verbs.recall import recall
from notiway.verbs.sign_out import sign_out

TESTS = Path(__file__).parents[2]


def place_order(shop: Shop, title: str) -> None:
    shop.db.session.add(Order(title=title))
    shop.db.session.flush()
    send_notification("ada", title)


def in_process(what: str, place: Path | str, folder: Path) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "alchemy_process.py", what, address(place), str(folder)]
    environment = os.environ | {"PYTHONPATH": f"{TESTS.parent}{os.pathsep}{TESTS}"}
    return subprocess.run(words, cwd=TESTS, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_what_is_sent_is_stored_with_the_session_s_commit_and_told_after_it(shop: Shop) -> None:
    place_order(shop, "one")
    assert (shop.rows(), shop.told) == (([], []), [])
    shop.db.session.commit()
    assert (shop.rows(), shop.told) == ((["one"], ["one"]), ["one"])


def test_a_session_that_has_done_nothing_yet_is_joined_too(shop: Shop) -> None:
    send_notification("ada", "one")
    assert shop.rows() == ([], [])
    shop.db.session.commit()
    assert (shop.rows(), shop.told) == (([], ["one"]), ["one"])


def test_what_is_rolled_back_is_neither_stored_nor_told(shop: Shop) -> None:
    place_order(shop, "one")
    shop.db.session.rollback()
    place_order(shop, "two")
    shop.db.session.commit()
    assert (shop.rows(), shop.told) == ((["two"], ["two"]), ["two"])


def test_a_savepoint_takes_its_notifications_with_it(shop: Shop) -> None:
    place_order(shop, "one")
    with shop.db.session.begin_nested():
        place_order(shop, "kept")
        undone = shop.db.session.begin_nested()
        place_order(shop, "undone")
        undone.rollback()
    undone = shop.db.session.begin_nested()
    with shop.db.session.begin_nested():
        place_order(shop, "released, and undone with what is around it")
    undone.rollback()
    assert shop.told == []
    shop.db.session.commit()
    assert (shop.rows(), shop.told) == ((["one", "kept"], ["one", "kept"]), ["one", "kept"])


def test_an_exception_in_a_route_undoes_all(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop()
    shop.app.testing = False

    @shop.app.post("/orders/<title>")
    def order(title: str) -> str:
        place_order(shop, title)
        if title == "bad":
            raise RuntimeError("no such book")
        shop.db.session.commit()
        return "ordered"

    client = shop.app.test_client()
    assert [client.post(f"/orders/{title}").status_code for title in ("bad", "good")] == [500, 200]
    assert (shop.rows(), shop.told) == ((["good"], ["good"]), ["good"])


def test_what_is_stored_nowhere_rings_after_the_commit_too(shop: Shop) -> None:
    send_notification("ada", "undone", persist=False)
    shop.db.session.rollback()
    send_notification("ada", "kept", persist=False)
    assert shop.told == []
    shop.db.session.commit()
    assert shop.told == ["kept"]


def test_a_fault_of_ours_costs_the_transaction_around_it_nothing(shop: Shop) -> None:
    shop.db.session.add(Order(title="one"))
    shop.db.session.flush()
    shop.db.session.execute(text("ALTER TABLE notiway_inbox_item RENAME TO notiway_away"))
    with pytest.raises(peewee.PeeweeException):
        send_notification("ada", "one")
    with pytest.raises(InvalidNotification):
        send_notification("nobody", "one")
    shop.db.session.execute(text("ALTER TABLE notiway_away RENAME TO notiway_inbox_item"))
    shop.db.session.commit()
    assert (shop.rows(), shop.told) == ((["one"], []), [])


def test_what_was_not_flushed_yet_survives_a_fault_of_ours(shop: Shop) -> None:
    shop.db.session.add(Order(title="one"))
    with pytest.raises(InvalidNotification):
        send_notification("nobody", "one")
    shop.db.session.commit()
    assert shop.rows() == (["one"], [])


def test_a_user_who_was_only_added_is_known_and_gone_with_the_rollback(shop: Shop) -> None:
    shop.db.session.add(User(id="cy"))
    send_notification("cy", "Welcome")
    shop.db.session.rollback()
    with pytest.raises(InvalidNotification):
        send_notification("cy", "Welcome")


def test_a_session_that_is_closed_without_a_commit_is_warned_of(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    send_notification("ada", "forgotten")
    shop.db.session.close()
    assert "session.commit()" in caplog.text
    caplog.clear()
    send_notification("ada", "undone")
    shop.db.session.rollback()
    shop.db.session.close()
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


def test_memberships_and_recalls_are_part_of_the_session_too(shop: Shop) -> None:
    sent = send_notification("ada", "one")
    shop.db.session.commit()
    for end in (shop.db.session.rollback, shop.db.session.commit):
        membership.join("ada", Audience.group("readers"))
        recall(sent.id, by="bob")
        shop.heard.clear()
        end()
        told = [each.kind for each in shop.heard]
        assert told == (["joined", "recalled"] if end == shop.db.session.commit else [])
        assert inbox.unread_count("ada") == (0 if told else 1)
    membership.leave("ada", Audience.group("readers"))
    shop.db.session.rollback()
    assert members.listens_to("ada") == ["global", "user:ada", "group:readers"]


def test_a_page_of_our_own_neither_needs_the_session_nor_commits_it(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop()
    with shop.app.app_context():
        sent = send_notification("ada", "one")
        shop.db.session.commit()
    client = shop.app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"], cookie["_fresh"] = "ada", True
    assert "one" in client.get("/notifications").text
    assert client.get(f"/n/{sent.id}").status_code == 302
    with shop.app.app_context():
        assert inbox.unread_count("ada") == 0


def test_progress_and_signing_out_do_not_wait_for_the_commit(shop: Shop) -> None:
    shop.db.session.add(Order(title="one"))
    report_progress("ada", "import-1", 1, 2)
    sign_out("ada")
    assert [each.kind for each in shop.heard] == ["created", "kick"]


def test_progress_joins_a_session_that_holds_the_only_write_lock(shop: Shop) -> None:
    shop.db.session.add(Order(title="one"))
    shop.db.session.flush()
    report_progress("ada", "import-1", 1, 2)
    shop.db.session.commit()
    assert [each.kind for each in shop.heard] == ["created"]


def test_items_are_changed_at_once_and_with_the_session_where_it_holds_the_only_write_lock(
    shop: Shop, place: Path | str
) -> None:
    first, second = (send_notification("ada", title).id for title in ("one", "two"))
    shop.db.session.commit()
    mark_read("ada", [first])
    shop.db.session.rollback()
    assert inbox.unread_count("ada") == 1
    shop.db.session.add(Order(title="three"))
    shop.db.session.flush()
    mark_read("ada", [second])
    shop.db.session.rollback()
    assert inbox.unread_count("ada") == (1 if isinstance(place, Path) else 0)


def test_a_greenlet_or_thread_that_we_did_not_start_is_no_work_of_ours(shop: Shop) -> None:
    with db.own_work():
        context = copy_context()  # as gevent gives it to a greenlet
        thread = threading.Thread(target=lambda: found.append(context.run(lambda: (db.is_own_work, db.is_joined))))
        found: list[tuple[bool, bool]] = []
        with db.joined(db.own):
            context = copy_context()
            thread.start()
            thread.join()
            assert (db.is_own_work, db.is_joined) == (True, True)
    assert found == [(False, False)]


@pytest.mark.postgresql
def test_a_commit_that_was_not_answered_lets_those_look_who_may_lack_it(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres.fresh()
    shop = Shop(address(url), tmp_path)
    doubts: list[str] = []
    monkeypatch.setattr(vars(shop.running.database)["notiway_guard"], "on_doubt", lambda: doubts.append("?"))
    with shop.app.app_context():
        send_notification("ada", "undone")
        shop.db.session.rollback()
        assert doubts == []
        send_notification("ada", "who knows")
        with psycopg.connect(url, autocommit=True) as other:
            other.execute(END_OTHERS)
        with pytest.raises(OperationalError):
            shop.db.session.commit()
        shop.db.session.rollback()
    assert (doubts, shop.told) == (["?"], [])
    shop.close()
    postgres.give_back(url)


def test_of_two_sessions_the_chosen_one_is_joined(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop()
    factory = sessionmaker(shop.engine)
    other = open_shop(sqlalchemy=factory)
    with other.app.app_context(), factory() as first, factory() as second:
        first.begin(), second.begin()
        with other.notiway.joining(first):
            send_notification("ada", "first")
        first.commit()
        send_notification("ada", "second")
        second.rollback()
    assert (shop.rows()[1], other.told) == (["first"], ["first"])


def test_two_applications_keep_to_their_own_sessions(
    open_shop: Callable[..., Shop], tmp_path: Path, place: Path | str
) -> None:
    shop, other = open_shop(), open_shop(f"sqlite:///{tmp_path}/other.db")
    with shop.app.app_context():
        send_notification("ada", "here")
        with other.app.app_context():
            send_notification("ada", "there")
            other.db.session.commit()
        shop.db.session.rollback()
    assert [(each.rows()[1], each.told) for each in (shop, other)] == [([], []), (["there"], ["there"])]


@pytest.mark.parametrize("given", ["session", "scoped_session"])
def test_a_plain_session_and_a_scoped_one_are_joined(open_shop: Callable[..., Shop], given: str) -> None:
    shop = open_shop()
    factory: Any = sessionmaker(shop.engine)
    session: Any = factory() if given == "session" else scoped_session(factory)
    other = open_shop(sqlalchemy=session)
    with other.app.app_context():
        for title, end in (("undone", session.rollback), ("kept", session.commit)):
            session.add(Order(title=title))
            send_notification("ada", title)
            end()
    session.close()
    assert (shop.rows(), other.told) == ((["kept"], ["kept"]), ["kept"])


def test_a_script_without_requests_shares_its_transactions_and_a_crash_after_the_commit_loses_nothing(
    place: Path | str, tmp_path: Path, open_shop: Callable[..., Shop]
) -> None:
    done = in_process("work", place, tmp_path)
    assert (done.stdout.strip(), done.returncode) == ("kept|in no session|scoped", -signal.SIGKILL), done.stderr
    shop = open_shop()
    assert shop.rows() == (["kept", "scoped", "crash"], ["kept", "in no session", "scoped", "crash"])
    with shop.app.app_context():
        assert inbox.unread_count("ada") == 4


def test_a_crash_before_the_commit_leaves_nothing(tmp_path: Path, open_shop: Callable[..., Shop]) -> None:
    done = in_process("before", tmp_path, tmp_path)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert open_shop(address(tmp_path)).rows() == ([], [])


def test_under_gevent_nothing_waits_inside_sqlite(tmp_path: Path) -> None:
    done = in_process("greenlets", tmp_path, tmp_path)
    assert done.stdout.strip() == "sent first|stored first", done.stderr


def test_with_a_database_of_its_own_it_is_sent_after_the_commit(open_shop: Callable[..., Shop], tmp_path: Path) -> None:
    shop = open_shop(NOTIWAY_DATABASE_URL=f"sqlite:///{tmp_path}/own.db")
    with shop.app.app_context():
        place_order(shop, "undone")
        shop.db.session.rollback()
        with pytest.raises(InvalidNotification):
            place_order(shop, "")
        undone = shop.db.session.begin_nested()
        place_order(shop, "undone")
        undone.rollback()
        sent = send_notification("ada", "kept")
        assert (inbox.unread_count("ada"), shop.told) == (0, [])
        shop.db.session.commit()
        assert (inbox.unread_count("ada"), shop.told) == (1, ["kept"])
        assert inbox.get("ada", sent.id).title == "kept"


def test_a_session_in_autocommit_has_no_transaction_to_share(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop()
    factory = sessionmaker(shop.engine.execution_options(isolation_level="AUTOCOMMIT"))
    other = open_shop(sqlalchemy=factory)
    with other.app.app_context(), factory() as session:
        session.execute(text("SELECT 1"))
        send_notification("ada", "one")
        session.commit()
    assert other.told == ["one"]


def test_what_cannot_be_a_session_is_refused_in_one_line(tmp_path: Path) -> None:
    app = Flask("shop", instance_path=str(tmp_path))
    app.config.update(SECRET_KEY=SECRET_KEY, TESTING=True)
    for given in (object(), sessionmaker(), Session()):
        with pytest.raises(ConfigError, match="sqlalchemy"):
            Notiway(app, sqlalchemy=given)
    with pytest.raises(ConfigError, match="not both"):
        Notiway(app, sqlalchemy=sessionmaker(), database=peewee.SqliteDatabase(":memory:"))


def test_the_place_is_beside_the_engine_of_what_was_given(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/shop.db")
    for given in (sessionmaker(engine), scoped_session(sessionmaker(engine)), Session(engine)):
        assert host_session.engine_of(given) is engine
    assert host_session.place_beside(sessionmaker(engine), "").url == f"sqlite:///{tmp_path}/shop.db"
