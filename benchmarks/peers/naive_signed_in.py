"""The same loop for users who sign in: flask-login, Peewee's query builder and the unread count, as one would write it.

It reads the tables and the session cookies that notiway_app.py has made, so that both do the same work for a connect.
"""

from __future__ import annotations

import json
import os

import peewee
from flask import Flask, abort
from flask_login import LoginManager, current_user
from flask_sock import Sock
from playhouse.pool import PooledSqliteDatabase

from notiway.host.app import DEFAULTS

TEXT = "x" * int(os.environ["BENCHMARK_PAYLOAD"])

database = PooledSqliteDatabase(
    os.environ["NOTIWAY_DATABASE_URL"].removeprefix("sqlite:///"), max_connections=20, timeout=10
)
app = Flask(__name__)
app.config.update(
    SECRET_KEY=os.environ["SECRET_KEY"],
    SESSION_COOKIE_NAME=DEFAULTS["SESSION_COOKIE_NAME"],
    PERMANENT_SESSION_LIFETIME=DEFAULTS["PERMANENT_SESSION_LIFETIME"],
)
login_manager = LoginManager(app)
login_manager.session_protection = None
sock = Sock(app)
clients = []


class User(peewee.Model):
    id = peewee.CharField(primary_key=True)
    email = peewee.CharField()
    is_active = peewee.BooleanField()
    is_authenticated = True

    class Meta:
        database = database
        table_name = "notiway_user"

    def get_id(self):
        return self.id


class InboxItem(peewee.Model):
    user_id = peewee.CharField()
    notification_id = peewee.CharField()
    read_at = peewee.BigIntegerField()
    deleted_at = peewee.BigIntegerField()

    class Meta:
        database = database
        primary_key = False
        table_name = "notiway_inbox_item"


@login_manager.user_loader
def load(user_id):
    return User.get_or_none(User.id == user_id)


@sock.route("/ws/notifications")
def listen(ws):
    if not current_user.is_authenticated:
        abort(403)
    mine = (InboxItem.user_id == current_user.id) & InboxItem.read_at.is_null() & InboxItem.deleted_at.is_null()
    unread = InboxItem.select().where(mine).count()
    database.close()
    ws.send(json.dumps({"event": "connected", "data": {"unreadCount": unread}}, separators=(",", ":")))
    clients.append(ws)
    try:
        while True:
            ws.receive()
    finally:
        clients.remove(ws)


@app.get("/broadcast")
def broadcast():
    for ws in list(clients):
        ws.send(TEXT)
    return "", 204
