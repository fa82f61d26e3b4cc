"""Files that are damaged or taken away while they are open: readiness says so, and a restart makes it right."""

import sqlite3

import pytest
import requests
from clients.producer import Producer, token
from servers import wait_until

from chaos.bystander import standing_by
from chaos.load import ApiSender, StreamSender, envelope, new_mark
from chaos.rounds import consuming
from chaos.screens import screens, settle
from chaos.stored import is_stored

PAGE = 4096
ANSWERS = 20
USER = "owner"


@pytest.fixture
def site(start):
    return start()


def is_ready(site):
    return requests.get(f"{site.url}/readyz", timeout=30).status_code == 200


def damage(path):
    """Every page but the first is garbage, as after a fault of the disk."""
    with sqlite3.connect(path, timeout=30) as opened:
        wait_until(lambda: opened.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0)
    opened.close()
    content = path.read_bytes()
    with path.open("r+b") as file:
        file.seek(PAGE)
        file.write(b"\xff" * (len(content) - PAGE))
    return content


def test_a_damaged_database_is_refused_until_it_is_restored(ledger, site):
    path = site.folder / "notiway.db"
    key = token(site, USER)
    sender = ApiSender(Producer(site), ledger, f"user:{USER}")
    with standing_by(site, ledger) as bystander, screens(site, ledger, key):
        sender.once()
        settle(site, ledger)
        content = damage(path)
        wait_until(lambda: not is_ready(site))
        mark = new_mark("api")
        assert not sender.post([envelope(mark, f"user:{USER}")]), "503: no message is taken that is not kept"
        listing = requests.get(f"{site.url}/api/notifications", {"access_token": key}, timeout=30)
        assert listing.status_code == 503
        bystander.wait_for(ANSWERS, "healthz", "ping")
        site.stop()
        for name in ("notiway.db-wal", "notiway.db-shm"):
            (site.folder / name).unlink(missing_ok=True)
        path.write_bytes(content)
        site.start()
        sender.once()
        settle(site, ledger)
    ledger.check()


def test_a_database_that_was_taken_away_is_not_ready(ledger, site):
    key = token(site, USER)
    sender = ApiSender(Producer(site), ledger, f"user:{USER}")
    with standing_by(site, ledger), screens(site, ledger, key):
        sender.once()
        settle(site, ledger)
        path = site.folder / "notiway.db"
        path.rename(path.with_name("elsewhere.db"))
        assert not is_ready(site)
        site.kill()  # an orderly stop would bring the log of the moved file to its end
        path.with_name("elsewhere.db").rename(path)
        site.start()
        sender.once()
        settle(site, ledger)
    ledger.check()


def test_a_queue_that_was_taken_away_is_not_ready_and_after_the_restart_everything_is_told(ledger, site, redis_url):
    stream = StreamSender(redis_url, "no queue", ledger, f"user:{USER}")
    with (
        consuming(site, redis_url, stream.stream) as consumer,
        standing_by(site, ledger),
        screens(site, ledger, token(site, USER)),
    ):
        stream.once()
        settle(site, ledger)
        for path in site.folder.glob("jobs.db*"):
            path.unlink()
        assert not is_ready(site)
        stream.once()
        wait_until(lambda: is_stored(site, ledger))
        consumer.kill()
        site.stop()
        site.start()
        consumer.start()
        stream.once()
        settle(site, ledger)
    ledger.check()
