"""A process beside the tests with a SQLAlchemy session and Notiway: `python alchemy_process.py WHAT URL FOLDER`."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

if sys.argv[1] == "greenlets":
    from gevent import monkey

    monkey.patch_all()

import sqlite3

from alchemy import Order, Shop
from sqlalchemy import create_engine
from sqlalchemy.orm import scoped_session, sessionmaker

from notiway import send_notification

WHAT, URL, FOLDER = sys.argv[1], sys.argv[2], Path(sys.argv[3])


def die_before_the_commit() -> None:
    shop = Shop(URL, FOLDER)
    with shop.app.app_context():
        shop.db.session.add(Order(title="one"))
        shop.db.session.flush()
        send_notification("ada", "one")
        os.kill(os.getpid(), signal.SIGKILL)


def work() -> None:
    """As a script or a task queue does it: no request, sessions that Flask knows nothing of. It dies after a commit."""
    factory = sessionmaker(create_engine(URL))
    shop = Shop(URL, FOLDER, sqlalchemy=factory)
    with shop.app.app_context():
        with factory.begin() as session:
            session.add(Order(title="kept"))
            send_notification("ada", "kept")
        with factory() as session:
            session.add(Order(title="undone"))
            send_notification("ada", "undone")
            session.rollback()
        send_notification("ada", "in no session")
    scope = scoped_session(factory)
    other = Shop(URL, FOLDER, sqlalchemy=scope)
    with other.app.app_context():
        scope.add(Order(title="scoped"))
        send_notification("ada", "scoped")
        scope.commit()
        print(*shop.told, *other.told, sep="|", flush=True)
        other.running.broker.publish = lambda events: os.kill(os.getpid(), signal.SIGKILL)
        scope.add(Order(title="crash"))
        send_notification("ada", "crash")
        scope.commit()


def greenlets() -> None:
    """Another connection of this process holds the lock, and needs the loop to give it back."""
    import gevent

    shop = Shop(URL, FOLDER)
    held = sqlite3.connect(FOLDER / "shop.db", isolation_level=None)

    def hold() -> None:
        held.execute("BEGIN IMMEDIATE")
        started.set()
        gevent.sleep(0.2)
        held.execute("COMMIT")

    for first in (send, order):
        started = gevent.event.Event()
        holder = gevent.spawn(hold)
        started.wait()
        with shop.app.app_context():
            first(shop)
            shop.db.session.commit()
        holder.join()
    print(*shop.told, sep="|")


def send(shop: Shop) -> None:
    send_notification("ada", "sent first")


def order(shop: Shop) -> None:
    shop.db.session.add(Order(title="stored first"))
    shop.db.session.flush()
    send_notification("ada", "stored first")


if __name__ == "__main__":
    {"before": die_before_the_commit, "work": work, "greenlets": greenlets}[WHAT]()
