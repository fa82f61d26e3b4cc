"""A cleanup of very many rows while others send and ask."""

import sqlite3
import subprocess
import sys

from clients.producer import Producer, token
from servers import wait_until
from serving import ROOT

from chaos.bystander import standing_by
from chaos.load import ApiSender, sending
from chaos.screens import screens, settle
from notiway.values.clock import now_ms
from notiway.values.ids import id_floor

BROADCASTS, READERS = 250, 400  # 100,000 inbox items
DAYS = 100
ANSWERS = 20
USER = "tidy"
ENQUEUE = """
from app import app
from notiway.ops import jobs
with app.app_context():
    jobs.add_tasks(app.extensions["notiway"].huey, app)
    jobs.enqueue(jobs.clean_up)
"""


def fill(site):
    """Old broadcasts that many users have in their inboxes, copied from one that was sent."""
    then = now_ms() - DAYS * 86_400_000
    with sqlite3.connect(site.folder / "notiway.db", timeout=30) as opened:
        columns = [row[1] for row in opened.execute("PRAGMA table_info(notiway_notification)")]
        for number in range(BROADCASTS):
            new = {"id": id_floor(then + number), "created_at": then, "audience": "global", "dedupe_key": None}
            chosen = [f"'{new[name]}'" if new.get(name) else "NULL" if name in new else name for name in columns]
            opened.execute(
                f"INSERT INTO notiway_notification SELECT {', '.join(chosen)} FROM notiway_notification LIMIT 1"
            )
        opened.executemany(
            "INSERT INTO notiway_inbox_item (user_id, notification_id, created_at)"
            " SELECT ?, id, created_at FROM notiway_notification WHERE created_at = ?",
            [(f"reader {number}", then) for number in range(READERS)],
        )
    opened.close()


def old_items(site):
    with sqlite3.connect(site.folder / "notiway.db", timeout=30) as opened:
        (count,) = opened.execute("SELECT count(*) FROM notiway_inbox_item WHERE user_id LIKE 'reader %'").fetchone()
    opened.close()
    return count


def test_a_hundred_thousand_items_are_removed_by_the_web_process(ledger, start):
    site = start()
    sender = ApiSender(Producer(site), ledger, f"user:{USER}", batch=1)
    with standing_by(site, ledger) as bystander, screens(site, ledger, token(site, USER)):
        sender.once()
        fill(site)
        assert old_items(site) == BROADCASTS * READERS
        with sending(sender):
            subprocess.run([sys.executable, "-c", ENQUEUE], env=site.environment, cwd=ROOT, check=True)
            bystander.forget()
            before = len(ledger.acknowledged)
            wait_until(lambda: old_items(site) == 0, 100)
            answers, sent = len(bystander.answers["healthz"]), len(ledger.acknowledged) - before
        settle(site, ledger)
    ledger.check()
    assert answers > ANSWERS, "others were served meanwhile"
    assert sent, "and others wrote"
