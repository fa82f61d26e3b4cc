"""The host application; at the title in CRASH_AT its broker ends the process, between commit and publish."""

import os
import signal

from notiway.host.app import create_app

app = create_app()
broker = app.extensions["notiway"].broker
publish = broker.publish


def publish_or_die(events):
    titles = [event.data["notification"]["title"] for event in events if event.kind == "created"]
    if os.environ["CRASH_AT"] in titles:
        os.killpg(os.getpgrp(), signal.SIGKILL)  # the whole server: gunicorn would start a new worker at once
    publish(events)


broker.publish = publish_or_die
