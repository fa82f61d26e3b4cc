"""Nodes, Redis and a live process that die, freeze or lose each other: nothing is lost, nothing is there twice."""

import pytest

from chaos.node_faults import LIVE_FAULTS, NODE_FAULTS, beside, nodes, one_fault

AWAY_SECONDS = 3.0


@pytest.fixture(scope="module")
def on():
    with nodes() as made:
        yield made


@pytest.mark.redis
@pytest.mark.postgresql
@pytest.mark.parametrize("what", NODE_FAULTS)
def test_a_fault_of_a_node_or_of_redis_under_load(ledger, on, chance, what):
    one_fault(what, on, chance, ledger, AWAY_SECONDS)
    check(ledger)


@pytest.mark.redis
@pytest.mark.parametrize("what", LIVE_FAULTS)
def test_kill_9_of_the_live_process_under_load(ledger, chance, what):
    with beside(what) as made:
        one_fault(what, made, chance, ledger, AWAY_SECONDS)
    check(ledger)


def check(ledger):
    ledger.check()
    assert ledger.remarks["pages"], "nobody read page by page"
    assert not ledger.remarks["repeated"]
    assert not ledger.remarks["skipped"]
