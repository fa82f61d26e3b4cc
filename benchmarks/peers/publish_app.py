"""Notiway as it is served, and beside it in the same process the floor: a Flask app that parses JSON and inserts a row.

python publish_app.py USERS     makes the tables, the users and an API key; prints JSON
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue

from notiway.host import accounts
from notiway.host.app import create_app
from notiway.live import runtime
from notiway.store import schema
from notiway.store.credentials import api_keys
from notiway.store.database import SQLITE_PRAGMAS, db

BARE = "/bare"
TABLE = (
    "CREATE TABLE IF NOT EXISTS envelope (id TEXT PRIMARY KEY, type TEXT, body TEXT, audience_type INTEGER,"
    " audience_value TEXT, metadata TEXT)"
)

app: Flask = create_app()
bare = Flask("bare")
bare.secret_key = "x" * 40
_connections: list[sqlite3.Connection] = []


def connection() -> sqlite3.Connection:
    """One for the process, kept open: the route never waits between its statement and its commit."""
    if not _connections:
        made = sqlite3.connect(os.environ["BENCHMARK_BARE_FILE"], check_same_thread=False)
        for name, value in SQLITE_PRAGMAS.items():
            made.execute(f"PRAGMA {name} = {value}")
        made.execute(TABLE)
        _connections.append(made)
    return _connections[0]


@bare.post(BARE)
def insert() -> ResponseReturnValue:
    given: Any = request.get_json()
    routing = given["routing"]
    row = given["id"], given["type"], json.dumps(given["body"]), routing["audienceType"], routing["audienceValue"]
    open_now = connection()
    open_now.execute("INSERT INTO envelope VALUES (?, ?, ?, ?, ?, ?)", (*row, json.dumps(given["metadata"])))
    open_now.commit()
    return jsonify(id=given["id"]), 201


def beside(inner: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        return (
            bare.wsgi_app(environ, start_response) if environ["PATH_INFO"] == BARE else inner(environ, start_response)
        )

    return serve


app.wsgi_app = beside(app.wsgi_app)  # type: ignore[method-assign]


def prepare(users: int) -> dict[str, Any]:
    """Tables, users, and a key that may publish and make tokens."""
    with app.app_context():
        schema.migrate(db.obj, runtime.current().migrations)
        with db.atomic():
            ids = [accounts.add(f"user{number}@example.com", "", "no password").id for number in range(users)]
        _, key = api_keys.add("benchmark", ["publish", "token"])
    return {"users": ids, "key": key}


if __name__ == "__main__":
    print(json.dumps(prepare(int(sys.argv[1]))))
