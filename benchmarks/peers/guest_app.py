"""An application of somebody else's, with and without Notiway; GUEST says which (`bare`, `mounted`, `host`).

python guest_app.py     reads numbers of calls, and prints the CPU µs that one call of /plain took in-process
"""

from __future__ import annotations

import os
import sys
import time
from io import BytesIO
from typing import Any

KIND = os.environ["GUEST"]

if __name__ == "__main__":  # under gunicorn its worker does it
    from gevent import monkey

    monkey.patch_all()

import flask_login  # noqa: E402
from flask import Flask  # noqa: E402

CALLS_BEFORE = 300


def nobody(_user_id: str) -> None:
    return None


def foreign() -> Flask:
    """flask-login and a page that asks nothing."""
    made = Flask("guest")
    made.secret_key = os.environ["SECRET_KEY"]
    flask_login.LoginManager(made).user_loader(nobody)
    return made


if KIND == "host":
    from notiway.host.app import create_app

    app = create_app()
else:
    app = foreign()
app.add_url_rule("/plain", "plain", lambda: "hello")
if KIND == "mounted":
    from notiway import Notiway

    Notiway(app)


def call(times: int) -> float:
    """CPU µs of one call."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": "/plain", "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1", "HTTP_ACCEPT": "*/*", "HTTP_USER_AGENT": "benchmark",
        "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.input": BytesIO(), "wsgi.errors": sys.stderr,
    }  # fmt: skip

    def begin(_status: str, _headers: list[tuple[str, str]], _error: Any = None) -> None:
        return None

    began = time.process_time()
    for _ in range(times):
        answer: Any = app(dict(environ), begin)
        b"".join(answer)
        answer.close()
    return (time.process_time() - began) / times * 1e6


if __name__ == "__main__":
    call(CALLS_BEFORE)
    print("ready", flush=True)
    for line in sys.stdin:
        print(call(int(line)), flush=True)
