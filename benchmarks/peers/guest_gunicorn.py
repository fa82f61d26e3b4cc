"""gunicorn's settings for `guest_app`: this repository's where Notiway is mounted, else the same worker as it comes.

A request with the query `quiet` leaves no line in the access log, so that one process can be measured with and without.
"""

from __future__ import annotations

import os
import runpy
from typing import Any

SETTINGS = runpy.run_path(os.environ["GUEST_SETTINGS"])
SAME = ("worker_class", "worker_connections", "keepalive", "control_socket_disable", "access_log_format", "accesslog",
        "logconfig_dict")  # fmt: skip

for name, value in SETTINGS.items():
    if name in SAME or (os.environ["GUEST"] != "bare" and not name.startswith("_")):
        globals()[name] = value


def post_worker_init(worker: Any) -> None:
    if os.environ["GUEST"] != "bare":
        SETTINGS["post_worker_init"](worker)
    log = worker.log.access

    def access(response: Any, request: Any, environ: dict[str, Any], request_time: Any) -> None:
        if environ["QUERY_STRING"] != "quiet":
            log(response, request, environ, request_time)

    worker.log.access = access
