"""The host application; at the title in CRASH_AT its broker ends the process, between commit and publish."""

import os
import signal

from notiway.host.app import create_app

app = create_app()
broker = app.extensions["notiway"].broker
publish = broker.publish


def publish_or_die(event):
    if event.kind == "created" and event.data["notification"]["title"] == os.environ["CRASH_AT"]:
        os.killpg(os.getpgrp(), signal.SIGKILL)  # the whole server: gunicorn would start a new worker at once
    publish(event)


broker.publish = publish_or_die
