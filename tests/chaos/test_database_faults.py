"""PostgreSQL restarts, crashes, fails over, or holds a transaction open: nothing is lost, nothing is there twice."""

import pytest
from serving import Site

from chaos.database_faults import FAULTS, cluster, one_fault, settings

pytestmark = pytest.mark.postgresql
LONG_SECONDS = 1.0


@pytest.fixture(scope="module")
def on():
    with cluster() as made:
        yield made


@pytest.fixture(scope="module")
def site(on, tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    site = Site(folder, "loud_app:app", **settings(on.url, folder)).prepare().start()
    yield site
    site.close()


@pytest.mark.parametrize("what", FAULTS)
def test_a_fault_of_the_database_under_load(ledger, site, on, redis_url, chance, what):
    one_fault(what, site, on, redis_url, chance, ledger, LONG_SECONDS)
    ledger.check()
    assert ledger.remarks["pages"], "nobody read page by page"
    assert not ledger.remarks["repeated"]
    assert not ledger.remarks["skipped"]
