"""A backup under load, restored: what was acknowledged before it is there, and clients come back without a hole."""

import shutil
from contextlib import ExitStack

import pytest
import requests
from clients.producer import Producer, token

from chaos.ledger import Ledger
from chaos.load import ApiSender, sending
from chaos.pager import PAGE
from chaos.rounds import SETTINGS, wait_for_acknowledged
from chaos.screens import screens, settle
from chaos.stored import read_store

USER = "restored"
BEFORE, MEANWHILE, LOST, AFTER = 30, 10, 10, 60


class SqliteBackup:
    """By `notiway backup`, and by putting the file in its place."""

    def __init__(self, site):
        self.site = site
        self.path = site.folder / "backup.db"

    def make(self):
        self.site.command("backup", str(self.path))

    def restore(self):
        database = self.site.folder / "notiway.db"
        for end in ("-wal", "-shm"):
            database.with_name(database.name + end).unlink(missing_ok=True)
        shutil.copy(self.path, database)


class PostgresBackup:
    """By `pg_dump`, into another database of the same server."""

    def __init__(self, site, postgres):
        self.site, self.postgres = site, postgres
        self.path = site.folder / "backup.dump"

    def make(self):
        self.postgres.dump(self.site.environment["NOTIWAY_DATABASE_URL"], self.path)

    def restore(self):
        self.site.environment["NOTIWAY_DATABASE_URL"] = self.postgres.restore(self.path)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def backup(request, make_site):
    site = make_site(on=request.param, **SETTINGS).start()
    yield SqliteBackup(site) if request.param == "sqlite" else PostgresBackup(site, request.getfixturevalue("postgres"))
    site.close()


def read_on(site, key, since):
    """All titles from a cursor on, and the cursor behind them."""
    titles = []
    while True:
        query = {"access_token": key, "since": since, "limit": PAGE}
        answer = requests.get(f"{site.url}/api/notifications", query, timeout=30)
        assert answer.ok, answer.text
        page = answer.json()
        titles += [each["title"] for each in page["notifications"]]
        since = page["cursor"]
        if page["nextCursor"] is None:
            return titles, since


def test_a_backup_under_load_is_restored_and_clients_go_on(ledger, backup):
    site = backup.site
    key = token(site, USER, ttl=7200)
    before = Ledger("before the restore")
    with ExitStack() as stack:
        opened = stack.enter_context(screens(site, before, key))
        producer = Producer(site)
        with sending(ApiSender(producer, before, f"user:{USER}"), ApiSender(producer, before, "global")):
            wait_for_acknowledged(before, BEFORE)
            due = set(before.acknowledged)
            backup.make()
            wait_for_acknowledged(before, MEANWHILE)
        # All clients have what is in no backup, and remember a place behind it.
        with sending(ApiSender(producer, before, f"user:{USER}")):
            wait_for_acknowledged(before, LOST)
        settle(site, before)
        before.check()
        _, cursor = read_on(site, key, "")

        site.kill()
        backup.restore()
        for screen in opened:
            screen.ledger = ledger
            ledger.screens[screen.label]
        site.command("migrate")
        site.start()
        read_store(site, before)
        assert due <= set(before.stored), "it was acknowledged before the backup began"
        ledger.remarks["gone"] = len(before.acknowledged - set(before.stored))
        assert ledger.remarks["gone"] >= LOST, "or this shows nothing"

        with sending(ApiSender(producer, ledger, f"user:{USER}"), ApiSender(producer, ledger, "global")):
            wait_for_acknowledged(ledger, AFTER)
            for screen in opened:
                screen.blink()
            wait_for_acknowledged(ledger, AFTER)
            for screen in opened:
                screen.wake()
        settle(site, ledger)
    ledger.check()
    found, behind = read_on(site, key, cursor)
    assert ledger.acknowledged <= set(found), "nor has the cursor from before the restore a hole"
    assert read_on(site, key, behind)[0] == []
