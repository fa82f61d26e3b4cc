"""Notiway as it is served, with routes that send: to one user, and to everybody.

python soak_app.py USERS     makes the tables and the users, and prints "ID COOKIE" for each
"""

from __future__ import annotations

import sys

from notiway_app import app, cookie_of, prepare

from notiway import Audience, send_notification
from notiway.host import accounts


@app.get("/send/<user_id>")
def send(user_id: str) -> tuple[str, int]:
    send_notification(user_id, "Invoice paid", "x" * 300)
    return "", 204


@app.get("/announce")
def announce() -> tuple[str, int]:
    send_notification(Audience.everyone(), "All hands", "x" * 300)
    return "", 204


if __name__ == "__main__":
    prepare(int(sys.argv[1]))
    with app.app_context():
        print("\n".join(f"{account.id} {cookie_of(account)}" for account in accounts.everybody()))
