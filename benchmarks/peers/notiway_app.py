"""Notiway as it is served: this repository's host application, with one route more that sends to everybody.

python notiway_app.py USERS     makes the tables and the users, and prints a Cookie header for each
"""

from __future__ import annotations

import os
import sys

from flask import Flask, session
from flask_login import login_user
from flask_wtf.csrf import generate_csrf

from notiway import Audience, send_notification
from notiway.host import accounts
from notiway.host.app import create_app
from notiway.live import runtime
from notiway.live.wires.json import JsonWire
from notiway.store import membership, schema
from notiway.store.database import db
from notiway.store.writing import item_of, row_of
from notiway.values.draft import Draft
from notiway.values.event import Event

PAYLOAD = int(os.environ["BENCHMARK_PAYLOAD"])
IS_STORED = os.environ.get("BENCHMARK_STORED") == "yes"
UNREAD = 3  # notifications that wait in each inbox
TITLE = "Deploy finished"

app: Flask = create_app()


def message_of_that_size() -> str:
    """The message with which a frame's JSON text has PAYLOAD bytes."""
    item = item_of(row_of(Draft(TITLE), "global"), persisted=IS_STORED)
    text = JsonWire().render(Event("created", item.audience, {"notification": item.as_dict()})) or ""
    return "x" * (PAYLOAD - len(text))


MESSAGE = message_of_that_size()


@app.get("/broadcast")
def broadcast() -> tuple[str, int]:
    send_notification(Audience.everyone(), TITLE, MESSAGE, persist=IS_STORED)
    return "", 204


def prepare(users: int) -> list[str]:
    """Tables, users in a group, notifications that wait for them; one session cookie each."""
    with app.app_context():
        schema.migrate(db.obj, runtime.current().migrations)
        with db.atomic():
            everybody = [accounts.add(f"user{number}@example.com", "", "no password") for number in range(users)]
            for account in everybody:
                membership.join(account.id, Audience.group("readers"))
            for number in range(UNREAD):
                send_notification(everybody, f"Waiting {number}")
    return [cookie_of(account) for account in everybody]


def cookie_of(account: accounts.Account) -> str:
    """The cookie of a session as the sign-in page makes it, without the time that a password hash takes."""
    with app.test_request_context():
        session.permanent = True
        login_user(account)
        generate_csrf()
        response = app.make_response("")
        app.session_interface.save_session(app, session, response)
        return response.headers["Set-Cookie"].partition(";")[0]


if __name__ == "__main__":
    print("\n".join(prepare(int(sys.argv[1]))))
