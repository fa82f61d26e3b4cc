"""The live command: the process that holds live connections beside an application under any server."""

from __future__ import annotations

import importlib.util
import os
import sys

import click
from flask import Flask, current_app
from flask.cli import AppGroup, ScriptInfo

SETTINGS = "python:notiway.ops.serving"
DEFAULT_PORT = 5001  # beside an application on 5000


def register(commands: AppGroup) -> None:
    """Add `live`."""
    commands.command("live")(live)


@click.option("--bind", metavar="ADDRESS", help="Where to listen, as gunicorn takes it: 127.0.0.1:5001, unix:/run/….")
@click.option(
    "--port", type=click.IntRange(1, 65_535), help="The same on 127.0.0.1; default 5001, or $PORT everywhere."
)
@click.option(
    "--workers", type=click.IntRange(1), default=1, show_default=True, help="More than one need a Redis broker."
)
def live(bind: str | None, port: int | None, workers: int) -> None:
    """Hold the live connections of this application, which itself may run under any server with any number of workers.

    Route /ws/notifications, /hub and /api/notifications/stream to it, or name it with NOTIWAY_LIVE_URL. It is the same
    application under gunicorn's gevent worker, ends on SIGTERM, and takes further settings from GUNICORN_CMD_ARGS.
    """
    for package in ("gunicorn", "gevent"):
        if importlib.util.find_spec(package) is None:
            raise click.ClickException("Install the server first: pip install 'notiway[server]'")
    if current_app.config.get("NOTIWAY_LIVE", "here") != "here":
        raise click.ClickException("Take NOTIWAY_LIVE out of app.config: each process is told by its environment")
    path = _application_path()
    if path is not None:
        os.environ["FLASK_APP"] = path
    os.environ["NOTIWAY_LIVE"] = "here"
    words = ["-c", SETTINGS, "--workers", str(workers), *_address(bind, port)]
    # The same process goes on as gunicorn, so that a service manager's signals reach it.
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", *words, f"{__name__}:application()"])  # noqa: S606


def application() -> Flask:
    """The application that `flask --app` names, for gunicorn's worker."""
    return ScriptInfo(app_import_path=os.environ.get("FLASK_APP")).load_app()


def _application_path() -> str | None:
    info = click.get_current_context().ensure_object(ScriptInfo)
    if info.create_app is not None:
        raise click.ClickException(
            f"This command cannot tell how its application is made. Run: gunicorn -c {SETTINGS} yourapp:app"
            " (with NOTIWAY_LIVE=here)"
        )
    return info.app_import_path


def _address(bind: str | None, port: int | None) -> list[str]:
    if bind is not None and port is not None:
        raise click.UsageError("Give --bind or --port, not both")
    if bind is None and port is None and "PORT" in os.environ:
        return []  # a platform that routes to this port from outside (notiway/ops/serving.py)
    return ["--bind", bind if bind is not None else f"127.0.0.1:{port or DEFAULT_PORT}"]
