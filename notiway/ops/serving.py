"""Serving: how gunicorn serves an application with Notiway: a gevent worker, parked sockets, a drain on SIGTERM.

    gunicorn -c python:notiway.ops.serving yourapp:app

gunicorn reads this before its workers are monkey-patched, so nothing of the application is imported at the top.
"""

from __future__ import annotations

import gc
import logging
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from typing import Any

from notiway.live.shared.goodbyes import Goodbyes
from notiway.values.broker_url import is_shared

DEVELOPMENT = os.environ.get("NOTIWAY_ENV") == "development"
BROKER_URL = os.environ.get("NOTIWAY_BROKER_URL", "memory://")
DRAIN_SECONDS = float(os.environ.get("NOTIWAY_DRAIN_SECONDS", "10"))
DRAIN_PART = 0.9  # the rest is for the process to end in
SEND_SECONDS = 60  # for a client to take a part of its answer
MARGIN_SECONDS = 5  # for requests that are under way when the drain ends
HURRIED_SECONDS = 0.5
OPEN_FILES = 100_000  # each live socket is one open file
METRICS = "PROMETHEUS_MULTIPROC_DIR"
OWN_METRICS = "_NOTIWAY_METRICS_FOLDER"  # the same where it was made here: by the server that SIGUSR2 replaces
REFUSED = 4  # gunicorn's own exit code for "the application cannot be loaded"

CRASHED_AT = "_NOTIWAY_CRASHED_AT"  # in the environment of workers: when another one said no goodbye, in seconds
CRASH_SECONDS = 30.0  # for the next worker to start in

goodbyes = Goodbyes()
metrics_folder = ""
port = os.environ.get("PORT", "5000")
everywhere = "PORT" in os.environ and not DEVELOPMENT  # a platform that sets PORT routes to it from outside
bind = f"0.0.0.0:{port}" if everywhere else f"127.0.0.1:{port}"
worker_class = "gevent"
workers = int(os.environ.get("WEB_CONCURRENCY", "1"))
worker_connections = 10_000  # requests under way at once; a parked socket frees its slot
max_requests = 0  # renewing a worker would cut its sockets
timeout = int(DRAIN_SECONDS) + 30
graceful_timeout = int(DRAIN_SECONDS) + MARGIN_SECONDS
keepalive = 5
control_socket_disable = True
# Without declared proxies nobody is believed, not even on this machine: any process here could claim to speak TLS.
proxies_are_declared = os.environ.get("NOTIWAY_TRUSTED_PROXIES", "0").strip() not in ("", "0")
forwarded_allow_ips = os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1" if proxies_are_declared else "")

# Paths only: query strings may carry tokens, and referrers may carry query strings.
accesslog = None if DEVELOPMENT else "-"
access_log_format = '%(h)s "%(m)s %(U)s" %(s)s %(b)s %(M)sms'
loglevel = "info"
if not DEVELOPMENT:
    _json = {"()": "pythonjsonlogger.json.JsonFormatter", "fmt": "{asctime}{levelname}{name}{message}", "style": "{"}
    logconfig_dict = {
        "formatters": {"json": _json},
        "handlers": {
            "out": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stdout"},
            "err": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stderr"},
        },
        "root": {"level": "INFO", "handlers": ["err"]},
        "loggers": {
            "gunicorn.error": {"level": "INFO", "handlers": ["err"], "propagate": False},
            "gunicorn.access": {
                "level": "INFO",
                "handlers": ["out"],
                "propagate": False,
            },
        },
    }


def on_starting(server: Any) -> None:
    """Refuse what could not work, and allow as many sockets as the machine does."""
    if not is_shared(BROKER_URL) and _holds_sockets(server.cfg):
        if server.cfg.workers > 1:
            server.log.error(_one_worker_only(server.cfg.workers))
            sys.exit(REFUSED)
        _keep_to_one_worker(server)
    if server.cfg.workers > 1 or is_shared(BROKER_URL):
        _share_metrics()
    _allow_open_files()


def on_exit(server: Any) -> None:
    """Leave nothing behind."""
    del server
    if metrics_folder:
        shutil.rmtree(metrics_folder, ignore_errors=True)


def _share_metrics() -> None:
    """Name a folder in which workers keep what they measure (`metrics.py`): each of them answers for all."""
    global metrics_folder
    if os.environ.get(METRICS, "") != os.environ.get(OWN_METRICS, ""):
        return  # the operator's own
    metrics_folder = tempfile.mkdtemp(prefix="notiway-metrics-")
    os.environ[METRICS] = os.environ[OWN_METRICS] = metrics_folder


def _keep_to_one_worker(server: Any) -> None:
    """No signal may make a second worker beside the first: each would deliver only to its own clients."""

    def reload() -> None:
        server.log.info("Reload: the worker says goodbye to its clients, then a new one takes its place.")
        server.kill_workers(signal.SIGTERM)  # gunicorn starts another one when it has gone

    def refuse(name: str) -> None:
        server.log.error("%s is ignored. %s", name, _one_worker_only(2))

    server.handle_hup = reload
    server.handle_ttin = lambda: refuse("SIGTTIN")
    server.handle_usr2 = lambda: refuse("SIGUSR2")


def post_worker_init(worker: Any) -> None:
    """Start what lives beside the requests: the hub, the broker's reader, the background work."""
    from notiway.ops import access_log, lobby, logs, waking

    for name in (None, "gunicorn.error", "gunicorn.access"):
        logs.protect(logging.getLogger(name))
    access_log.quicken(worker.log)
    runtime = _runtime(worker)
    worker.notiway_drain = None
    if _is_gevent(worker.cfg):
        lobby.open_lobby(worker, runtime.config.connect_rate)
        waking.notify_with_others(worker)
        if not runtime.config.lives_elsewhere:
            _hold_connections(worker, runtime)

    # Compiled now: at its first use each would stop all requests for some milliseconds, the large ones for fifty.
    templates = runtime.app.jinja_env
    for name in templates.list_templates(filter_func=lambda name: name.startswith("notiway/")):
        templates.get_template(name)

    # What is loaded now stays. Each collection then has less to look at, and a connect's garbage goes sooner.
    gc.collect()
    gc.freeze()


def _hold_connections(worker: Any, runtime: Any) -> None:
    """From now on live connections are held here, and told when the process ends."""
    runtime.start()
    _tell_what_a_crash_left_untold(runtime)

    def drain(signal_number: int, frame: Any) -> None:
        import gevent

        runtime.begin_drain()  # not ready from this moment on
        worker.handle_exit(signal_number, frame)
        if worker.notiway_drain is None:
            worker.notiway_drain = gevent.spawn(runtime.drain, DRAIN_SECONDS * DRAIN_PART)

    signal.signal(signal.SIGTERM, drain)


def child_exit(server: Any, worker: Any) -> None:
    """A worker that said no goodbye may not have told what it had stored: the next one lets clients look for it."""
    del server
    if is_shared(BROKER_URL) and not goodbyes.take(worker.age):
        os.environ[CRASHED_AT] = str(time.time())


def _tell_what_a_crash_left_untold(runtime: Any) -> None:
    from notiway.verbs import untold

    crashed_at = float(os.environ.get(CRASHED_AT, "0"))
    if time.time() - crashed_at < CRASH_SECONDS:
        untold.tell_crash(runtime.app, crashed_at)


def pre_request(worker: Any, req: Any) -> None:
    """A client that reads nothing loses its connection; its answer would else wait in memory for ever."""
    sock = getattr(req.unreader, "sock", None)
    if sock is not None:
        sock.settimeout(SEND_SECONDS)


def post_request(worker: Any, req: Any, environ: Any, resp: Any) -> None:
    """Let others run: a fast keep-alive client whose next request is always there would starve them."""
    from notiway.pausing import pause

    pause()


def worker_exit(server: Any, worker: Any) -> None:
    """Leave only when every socket was told so; at Ctrl-C at once."""
    if not getattr(worker, "booted", False):
        return
    runtime = _runtime(worker)
    draining = worker.notiway_drain
    if draining is not None:
        draining.join(timeout=DRAIN_SECONDS)
    elif runtime.holds_sockets:
        runtime.drain(HURRIED_SECONDS)
    runtime.stop()
    goodbyes.say(worker.age)


def _runtime(worker: Any) -> Any:
    return worker.wsgi.extensions["notiway"]


def _is_gevent(cfg: Any) -> bool:
    return "gevent" in str(cfg.worker_class_str)


def _holds_sockets(cfg: Any) -> bool:
    """Whether these workers take live connections, as far as the environment tells."""
    live = os.environ.get("NOTIWAY_LIVE", "auto")
    elsewhere = live == "elsewhere" or (live == "auto" and bool(os.environ.get("NOTIWAY_LIVE_URL")))
    return _is_gevent(cfg) and not elsewhere


def _one_worker_only(count: int) -> str:
    return (
        f"Notiway refuses to start {count} workers: with NOTIWAY_BROKER_URL={BROKER_URL} each would deliver only to "
        "its own clients. Set NOTIWAY_BROKER_URL=redis://host:6379/0, which several workers share, or set "
        "WEB_CONCURRENCY=1 (gunicorn --workers 1): one worker holds ten thousand sockets. Or set "
        "NOTIWAY_LIVE=elsewhere, and let `flask --app yourapp notiway live` hold them beside these workers."
    )


def _allow_open_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
