"""A Celery worker of an application with Notiway, as docs/how-to/other-processes.md shows it; and who gives it work."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from celery import Celery
from serving import ROOT, STOP_SECONDS, Site

from notiway import report_progress, send_notification


def celery_of(broker: str, folder: str = "") -> Celery:
    """The application's Celery, with a Redis, or a folder where there is none."""
    made = Celery("shop", broker=broker)
    made.conf.broker_connection_retry_on_startup = True
    if broker.startswith("filesystem"):
        folders = dict.fromkeys(("data_folder_in", "data_folder_out", "control_folder"), folder)
        made.conf.broker_transport_options = {**folders, "polling_interval": 0.05}
    return made


@contextmanager
def worker(site: Site, broker: str, folder: Path) -> Iterator[Celery]:
    """A real Celery worker with the settings of a site; gives what sends it tasks."""
    environment = site.environment | {"CELERY_BROKER": broker, "CELERY_FOLDER": str(folder)}
    words = [sys.executable, "-m", "celery", "-A", "celery_app:celery", "worker", "--pool", "solo", "-l", "INFO"]
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    with (folder / "worker.log").open("ab") as log:
        process = subprocess.Popen([*words, *quiet], cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        with celery_of(broker, str(folder)) as client:
            yield client
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)


if "CELERY_BROKER" in os.environ:
    from loud_app import app

    celery = celery_of(os.environ["CELERY_BROKER"], os.environ["CELERY_FOLDER"])

    @celery.task
    def ship(user_id: str, title: str) -> None:
        """Send a notification from a task."""
        with app.app_context():
            send_notification(user_id, title)

    @celery.task
    def count(user_id: str, task_id: str) -> None:
        """Report progress from a task."""
        with app.app_context():
            for done in range(3):
                report_progress(user_id, task_id, done, 3)
