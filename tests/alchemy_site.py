"""A shop with Flask-SQLAlchemy under gunicorn: orders that are placed, and orders that are undone."""

import os
from pathlib import Path

from alchemy import Order, Shop, User
from flask import abort
from flask_login import login_user
from gevent import sleep

from notiway import send_notification

shop = Shop(os.environ["SHOP_URL"], Path(os.environ["SHOP_FOLDER"]), TESTING=False)
del shop.running.broker.publish  # the notebook of the tests: here the real one is heard
app, db = shop.app, shop.db


@app.post("/in/<user_id>")
def sign_in(user_id: str) -> str:
    return str(login_user(db.session.get(User, user_id)))


@app.post("/orders/<title>")
def order(title: str) -> str:
    """Others run between the order and its commit; each fourth order is undone."""
    db.session.add(Order(title=title))
    send_notification("ada", title)
    sleep(0.01)
    if title.endswith("!"):
        abort(409)
    db.session.commit()
    return title
