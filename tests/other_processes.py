"""Work in processes of other kinds: each of these programs sends a notification.

Each runs by itself, in a process of its own, with the settings of a site; `{user}` is whom it sends to.
"""

SCRIPT = """
from loud_app import app
from notiway import send_notification
with app.app_context():
    send_notification("{user}", "From a script")
"""
SHELL = """
from notiway import send_notification
send_notification("{user}", "From a shell")
"""
HUEY = """
import time
from huey import SqliteHuey
from loud_app import app
from notiway import send_notification

huey = SqliteHuey(filename="{folder}/own.db")
done = []

@huey.task()
def ship(user_id):
    with app.app_context():
        done.append(send_notification(user_id, "From huey").id)

ship("{user}")
consumer = huey.create_consumer(workers=1, initial_delay=0.01)
consumer.start()
while not done:
    time.sleep(0.01)
consumer.stop(graceful=True)
"""
# RQ forks for each job, after the application was loaded.
RQ = """
import sys
from redis import Redis
from rq import Queue, Worker
from rq_job import ship

queue = Queue("shop", connection=Redis.from_url("{redis}"))
queue.enqueue(ship, "{user}")
Worker([queue], connection=queue.connection).work(burst=True)
"""
PROGRESS = """
from loud_app import app
from notiway import report_progress
with app.app_context():
    for done in range(3):
        report_progress("{user}", "import-7", done, 2)
"""
