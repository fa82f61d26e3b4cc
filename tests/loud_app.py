"""The host application, with what only tests may do: make users, send much at once, and look inside the process."""

import gc
import os
import threading
import time
from datetime import timedelta

import greenlet
from flask import jsonify, request
from flask_login import login_required

from notiway import Audience, send_notification
from notiway.host import accounts, passwords
from notiway.host.app import create_app
from notiway.live.state import State
from notiway.store import membership
from notiway.web import auth

app = create_app()
if "SESSION_SECONDS" in os.environ:
    app.permanent_session_lifetime = timedelta(seconds=int(os.environ["SESSION_SECONDS"]))
password_hash = passwords.hash_password(accounts.DEMO_PASSWORD)


def add_user():
    """A new user, a member of the groups that are named."""
    given = request.get_json()
    account = accounts.add(given["email"], "Test", password_hash)
    for group in given.get("groups", ()):
        membership.join(account.id, Audience.group(group))
    return jsonify(id=account.id)


@login_required
def burst():
    """Send `count` notifications with a body of `size` characters, to oneself or to a group; answers with their ids."""
    given = request.get_json()
    to = Audience.group(given["group"]) if "group" in given else auth.current_user_id()
    options = {"body": {"fill": "x" * given.get("size", 0)}, "persist": given.get("persist", True)}
    sent = []
    for number in range(given["count"]):
        sent.append(send_notification(to, f"Burst {number}", **options).id)
        time.sleep(0)  # as if each came in a request of its own
    return jsonify(ids=sent)


def running():
    """How many threads and greenlets this process has."""
    greenlets = sum(isinstance(each, greenlet.greenlet) and not each.dead for each in gc.get_objects())
    return jsonify(threads=threading.active_count(), greenlets=greenlets)


def held(user):
    """How many connections the hub holds for a user, whatever they are doing, those that it turned away left out."""
    connections = app.extensions["notiway"].hub.listeners.of(f"user:{user}")
    return jsonify(count=sum(each.state is State.OPEN for each in connections))


for path, view in (("/test/users", add_user), ("/test/burst", burst)):
    app.add_url_rule(path, view_func=app.extensions["csrf"].exempt(view), methods=["POST"])
app.add_url_rule("/test/running", view_func=running)
app.add_url_rule("/test/held/<user>", view_func=held)
