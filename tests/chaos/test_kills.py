"""kill -9 under load: nothing is lost, nothing is there twice, whatever dies."""

import pytest
from clients.producer import Producer

from chaos.rounds import KILLS, SETTINGS, one_round


@pytest.fixture(scope="module")
def postgresql_site(make_site, postgres, tmp_path_factory):
    queue = tmp_path_factory.mktemp("queue") / "jobs.db"
    places = {"NOTIWAY_DATABASE_URL": postgres.empty(), "NOTIWAY_JOBS_URL": f"sqlite:///{queue}"}
    site = make_site(**SETTINGS, **places).prepare().start()
    yield site
    site.close()


@pytest.mark.parametrize("what", KILLS)
def test_kill_9_under_load(ledger, shared, producer, redis_url, chance, what):
    one_round(what, shared, producer, redis_url, chance, ledger)
    check(ledger)


@pytest.mark.postgresql
@pytest.mark.parametrize("what", ["worker", "worker and consumer"])
def test_kill_9_under_load_on_postgresql(ledger, postgresql_site, redis_url, chance, what):
    one_round(what, postgresql_site, Producer(postgresql_site), redis_url, chance, ledger)
    check(ledger)


def check(ledger):
    ledger.check()
    assert ledger.remarks["pages"], "nobody read page by page"
    assert not ledger.remarks["repeated"]
    assert not ledger.remarks["skipped"]
