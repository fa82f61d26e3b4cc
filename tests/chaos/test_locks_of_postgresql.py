"""Another transaction of PostgreSQL holds a table: who waits for it waits alone, and not without end."""

import psycopg
import pytest
from clients.producer import Producer, token
from servers import wait_until

from chaos.bystander import standing_by
from chaos.load import ApiSender, sending
from chaos.rounds import SETTINGS, wait_for_acknowledged
from chaos.screens import screens, settle

pytestmark = pytest.mark.postgresql
POOL, WRITERS = 4, 12
ANSWERS = 50
USER = "writer"
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@pytest.fixture(scope="module")
def site(make_site):
    limits = {"NOTIWAY_DATABASE_POOL": POOL, "NOTIWAY_DATABASE_LOCK_SECONDS": "1.5"}
    return make_site(on="postgresql", **SETTINGS, **limits).start()


def test_whoever_needs_no_database_is_served_while_every_connection_waits(ledger, site):
    """More wait than there are connections: for the table, and for a connection; then they are answered with 503."""
    producer = Producer(site)
    senders = [ApiSender(producer, ledger, f"user:{USER}", batch=1) for _ in range(WRITERS)]
    with (
        standing_by(site, ledger) as bystander,
        screens(site, ledger, token(site, USER)),
        psycopg.connect(site.environment["NOTIWAY_DATABASE_URL"], autocommit=True) as watching,
        psycopg.connect(site.environment["NOTIWAY_DATABASE_URL"]) as other,
    ):
        with sending(*senders):
            wait_for_acknowledged(ledger, WRITERS)
            other.execute("LOCK TABLE notiway_notification")
            wait_until(lambda: watching.execute(WAITING).fetchone()[0] == POOL)
            bystander.forget()
            bystander.wait_for(ANSWERS, "healthz", "ping")
            assert not bystander.failures["healthz"]
            assert not bystander.failures["ping"]
            wait_until(lambda: ledger.refused >= POOL)
            other.rollback()
            wait_for_acknowledged(ledger, WRITERS)
        settle(site, ledger)
    ledger.check()
