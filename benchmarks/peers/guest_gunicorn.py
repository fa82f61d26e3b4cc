"""gunicorn's settings for `guest_app`: this repository's where Notiway is mounted, else the same worker as it comes."""

from __future__ import annotations

import os
import runpy

SETTINGS = runpy.run_path(os.environ["GUEST_SETTINGS"])
KINDS = ("worker_class", "worker_connections", "keepalive", "control_socket_disable", "access_log_format", "accesslog",
         "logconfig_dict")  # fmt: skip

for name, value in SETTINGS.items():
    if name in KINDS or (os.environ["GUEST"] != "bare" and not name.startswith("_")):
        globals()[name] = value
if os.environ["GUEST_LOG"] == "off":
    accesslog = None
    logconfig_dict: dict[str, object] = {}
